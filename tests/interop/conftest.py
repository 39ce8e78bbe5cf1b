"""The stage of the interoperation tests: real processes, real peers, one small federation."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.site import Federation, Settings, Site, User

QUICK: Settings = {
    "relay": {"retry": [1, 1, 2, 2, 3, 5], "jitter": 0.0},
    "limits": {"stop_within": 5},
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A laboratory and a hospital, running, and somebody at each."""

    labo: Site
    hopital: Site
    robot: User
    doctor: User

    @property
    def federation(self) -> Federation:
        """What both belong to."""
        return self.labo.federation


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that other users' daemons can reach, unlike pytest's own."""
    before = os.umask(0o022)  # a gateway that ran in this process left a narrower one
    try:
        with tempfile.TemporaryDirectory(prefix="sceau-interop-") as made:
            Path(made).chmod(0o755)
            yield Path(made)
    finally:
        os.umask(before)


@pytest.fixture(scope="module")
def federation(folder: Path) -> Federation:
    return Federation(folder / "federation")


@contextmanager
def running_pair(federation: Federation, settings: Settings = QUICK) -> Iterator[Pair]:
    """Run both sites; whoever else is to be a member must have been added before."""
    labo = Site(federation, "labo", "labo.example", settings)
    hopital = Site(federation, "hopital", "chu-nord.example", settings)
    listed = federation.publish()
    labo.found(listed)
    hopital.found(listed)
    with labo, hopital:
        yield Pair(labo, hopital, labo.user("resultats", "APP"), hopital.user("dr.durand"))


@pytest.fixture(scope="module")
def pair(federation: Federation) -> Iterator[Pair]:
    """Both gateways, running for all tests of a file."""
    with running_pair(federation) as made:
        yield made
