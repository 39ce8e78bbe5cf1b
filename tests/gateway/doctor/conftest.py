"""A gateway as ``sceau init --test`` makes it, on ports that are free."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from dns.resolver import NoResolverConfiguration

from gateway.app import clock, settings_of
from gateway.cli.call import Asking
from gateway.doctor.examination import examine
from gateway.doctor.finding import Finding, Level
from gateway.doctor.neighbours import Asking as Asked
from gateway.founding import Founding
from gateway.settings import Settings


def nobody_to_ask() -> Asked:
    """A machine without a name server."""
    raise NoResolverConfiguration


@dataclass(frozen=True)
class Trial:
    """One, and what an examination of it finds."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "gateway.toml"

    @property
    def settings(self) -> Settings:
        return settings_of(self.config)

    def edit(self, before: str, after: str) -> None:
        text = self.config.read_text("utf-8")
        text, found = re.subn(f"(?m)^{re.escape(before)}", lambda _: after, text)
        assert found
        self.config.write_text(text, "utf-8")

    def examined(self) -> list[Finding]:
        ask = Asking(self.config, as_json=False)
        return list(examine(self.config, ask.perform, clock(), nobody_to_ask))

    def ills(self) -> dict[str, str]:
        """What was found that is not well, by what it is about; not what the test's machine lacks."""
        lacks = {("clock", Level.WARN), ("durability", Level.WARN)}
        found = [
            each
            for each in self.examined()
            if each.level is not Level.OK and (each.what, each.level) not in lacks
        ]
        assert all(each.cure for each in found)
        return {f"{each.level} {each.what}": each.sentence for each in found}


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    folder = tmp_path / "essai"
    Founding.of(folder, "", "", test=True).begin(clock())
    made = Trial(folder)
    made.config.write_text(re.sub(r"(?m)^port = \d+", "port = 0", made.config.read_text("utf-8")))
    return made
