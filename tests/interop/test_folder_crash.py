"""kill -9 of a gateway that empties a watched folder: each result arrives once, with its answers."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from operator import le
from pathlib import Path

import pytest

from tests.gateway.documents.made import PDF
from tests.gateway.documents.test_order import ABOUT
from tests.interop.conftest import QUICK, Pair, running_pair
from tests.interop.mail import arrived, eventually, message_id
from tests.interop.site import Federation

# An attempt that is cut off three times makes a case: here it is twice.
RESULTS, KILLS = 60, (3, 30)

_SECTION = """
[[labs.folder]]
name = "nuit"
path = "{path}"
mailbox = "{mailbox}"
settle = 0
poll = 0.1
"""


@pytest.fixture(scope="module")
def pair(federation: Federation) -> Iterator[Pair]:
    with running_pair(federation, {**QUICK, "vault": {"inline_limit": 16 * 1024}}) as made:
        yield made


def _put(folder: Path, number: int, to: str) -> None:
    name, about = f"r{number}.pdf", ABOUT | {"id": str(number)}
    companion = {"to": [to], "key": f"cle-{number}", "document": about}
    (folder / f"{name}.json").write_text(json.dumps(companion))
    (folder / f"{name}.tmp").write_bytes(PDF + b"%" * (number % 3) * 30_000)
    (folder / f"{name}.tmp").rename(folder / name)


def test_killed_again_and_again_a_gateway_sends_each_result_once(pair: Pair, folder: Path) -> None:
    """Wherever it is hit: claimed, packed, half handed in, handed in and not yet answered."""
    lab, path = pair.labo, folder / "envoi"
    path.mkdir()
    lab.stop()
    section = _SECTION.format(path=path, mailbox=pair.robot.address)
    lab.config.write_text(lab.config.read_text("utf-8") + section, "utf-8")
    for number in range(RESULTS):
        _put(path, number, pair.doctor.address)

    def answers(which: str) -> dict[str, str]:
        """Return the messages that were answered so, by the result's name."""
        found = path.glob(f"*.{which}.json")
        return {each.name.split(".")[0]: json.loads(each.read_bytes())["message"] for each in found}

    lab.start()
    for kill in KILLS:
        eventually(lambda: len(answers("accepted")), partial(le, kill), 60.0)
        lab.kill()
        lab.start()

    def settled() -> dict[str, str]:
        """Return the last answers; what is asked of the gateway meanwhile takes a moment."""
        lab.sceau("spool", "list")
        return answers("delivered")

    delivered = eventually(settled, lambda found: len(found) == RESULTS, 60.0)
    there = Counter(message_id(each) for each in arrived(pair.hopital, pair.doctor.address))

    assert RESULTS == len(there)
    assert {1} == set(there.values())
    assert delivered == answers("accepted")
    assert {} == answers("failed")
    assert RESULTS == len(set(delivered.values()))
    assert not list((path / ".claimed").iterdir())
    assert lab.sceau("journal", "verify")
