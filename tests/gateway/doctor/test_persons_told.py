"""Whether somebody would be told of a critical result: found out by day, not at night."""

from typing import Any

import pytest

from gateway.doctor import critical
from gateway.doctor.finding import Level
from tests.gateway.doctor.conftest import Trial

LABO = "resultats@essai.example"


def _asked(verb: str, **what: str) -> Any:
    """Answer for a gateway with the laboratory's mailbox; of others the list knows one."""
    if verb == "mailbox.find":
        known = [{"address": what["search"], "status": "active"}]
        return {"mailboxes": [] if what["search"].startswith("personne") else known}
    listed = what["recipient"].endswith("@chu.example")
    return [{"outcome": "pass"}, {"outcome": "allow" if listed else "refuse"}]


@pytest.mark.parametrize(
    ("lines", "level", "said"),
    [
        ('mail = ["garde@essai.example"]\nperson = "Dr Garde"', Level.OK, "Dr Garde is told"),
        ('mail = ["garde@chu.example"]', Level.OK, "garde@chu.example is told after 600 s"),
        ('mail = ["garde@nulle-part.example"]', Level.WARN, "no mail reaches garde@nulle"),
        ('mail = ["personne@essai.example"]', Level.WARN, "no mail reaches personne"),
        ("", Level.WARN, "nobody is told by mail"),
    ],
)
def test_who_would_be_told(trial: Trial, lines: str, level: Level, said: str) -> None:
    """By an own mailbox, or one on the list; nobody is a warning."""
    with trial.config.open("a", encoding="utf-8") as file:
        file.write(f'\n[[labs.critical]]\nmailbox = "{LABO}"\n{lines}\n')
    (found,) = critical.persons(trial.settings, _asked)
    assert level is found.level
    assert said in found.sentence


def test_a_mailbox_that_is_not_there(trial: Trial) -> None:
    """Its agreement would never be looked at."""
    with trial.config.open("a", encoding="utf-8") as file:
        file.write(
            '\n[[labs.critical]]\nmailbox = "personne@essai.example"\nmail = ["a@chu.example"]\n'
        )
    first, _ = critical.persons(trial.settings, _asked)
    assert (Level.WARN, "personne@essai.example is no mailbox that sends") == (
        first.level,
        first.sentence,
    )
