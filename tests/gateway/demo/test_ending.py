"""Whenever SIGTERM comes, the demonstration ends what it started."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.demo import sites
from gateway.demo.ending import ending_on_terminate, started

_LONG = [sys.executable, "-c", "import time; time.sleep(600)"]


class _Interrupted(subprocess.Popen[Any]):
    """A process in the birth of which SIGTERM comes."""

    born: "list[_Interrupted]" = []  # noqa: RUF012 - the test's own

    def __init__(self, *words: Any, **how: Any) -> None:
        super().__init__(*words, **how)
        self.born.append(self)
        signal.raise_signal(signal.SIGTERM)


def test_a_process_that_is_born_meanwhile_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway as well as a verb; a second signal cuts nothing short."""
    site = sites.Site("x", "x.example", "X", tmp_path, {})
    monkeypatch.setattr(subprocess, "Popen", _Interrupted)
    monkeypatch.setattr(sites, "command", lambda: _LONG)
    for begin in (lambda: sites.running(_LONG, tmp_path / "log").__enter__(), site.sceau):
        with pytest.raises(SystemExit) as ended, ending_on_terminate():
            begin()
        assert 0 == ended.value.code
    assert [True, True] == [each.returncode is not None for each in _Interrupted.born]


def test_what_cannot_be_started_holds_nothing_back() -> None:
    """The next SIGTERM ends us at once."""
    with pytest.raises(FileNotFoundError), started(["/no/such/program"]):
        pass
    with pytest.raises(SystemExit), ending_on_terminate():
        signal.raise_signal(signal.SIGTERM)
