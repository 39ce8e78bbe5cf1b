from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarantine.policy import (
    REASONS,
    About,
    Action,
    Finding,
    Judgement,
    Policy,
    Rule,
    judge,
    named,
    sentence,
)
from smtp.address import Address

DOCS = Path(__file__).parents[2] / "docs"
DR, ACCUEIL = Address("Dr@labo.example"), Address("accueil@chu.example")
ABOUT = About(DR, ACCUEIL, "relay")
MACROS = frozenset({"macros"})


def rule(action: Action, *reasons: str, **where: frozenset[str]) -> Rule:
    return Rule(frozenset(reasons), action, **where)


def judged(policy: Policy, *reasons: str, about: About = ABOUT) -> Judgement:
    return policy.judge([Finding(reason) for reason in reasons], about)


def test_nothing_found_passes() -> None:
    """A message in which nothing is found goes on, whatever the rules say."""
    assert Judgement(Action.PASS) == judged(Policy((rule(Action.REFUSE, *REASONS),)))


def test_what_no_rule_names_passes() -> None:
    """Rules say what is done: a finding alone stops nothing."""
    assert Action.PASS is judged(Policy(), "macros", "script").action


@pytest.mark.parametrize(
    "reason",
    [
        "malware",
        "not-scanned",
        "not-inspected",
        "sender-suspended",
        "sender-denied",
        "attempts-lost",
    ],
)
def test_what_waits_without_a_rule(reason: str) -> None:
    """Nobody has to write down that malware, or what nobody could look at, waits for a person."""
    assert Judgement(Action.HOLD, (reason,)) == judged(Policy(), reason)


@pytest.mark.parametrize("action", list(Action))
def test_a_rule_comes_before_what_is_built_in(action: Action) -> None:
    """An operator may refuse what is held by itself, or let it pass."""
    assert action is judged(Policy((rule(action, "malware"),)), "malware").action


def test_the_first_rule_that_names_a_reason_counts() -> None:
    """The order of the rules is the operator's: an exception stands before the rule."""
    policy = Policy(
        (
            rule(Action.PASS, "macros", senders=frozenset({"labo.example"})),
            rule(Action.HOLD, "macros"),
        )
    )
    assert Action.PASS is judged(policy, "macros").action
    elsewhere = ABOUT._replace(sender=Address("x@clinique.example"))
    assert Action.HOLD is judged(policy, "macros", about=elsewhere).action


def test_the_strictest_is_done_and_every_reason_gathered() -> None:
    """Who decides sees all at once, the gravest first; what passes is no reason."""
    policy = Policy(
        (
            rule(Action.TAG, "script"),
            rule(Action.REFUSE, "executable"),
            rule(Action.HOLD, "macros"),
            rule(Action.PASS, "disguised"),
        )
    )
    found = judged(policy, "script", "macros", "disguised", "executable", "macros")
    assert Judgement(Action.REFUSE, ("executable", "macros", "script"), tags=("script",)) == found


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ({}, True),
        ({"senders": frozenset({"labo.example"})}, True),
        ({"senders": frozenset({"dr@labo.example"})}, True),
        ({"senders": frozenset({"x@labo.example"})}, False),
        ({"recipients": frozenset({"chu.example"})}, True),
        ({"recipients": frozenset({"labo.example"})}, False),
        ({"doors": frozenset({"relay"})}, True),
        ({"doors": frozenset({"submission"})}, False),
        ({"senders": frozenset({"labo.example"}), "doors": frozenset({"submission"})}, False),
    ],
)
def test_whom_a_rule_is_about(where: dict[str, frozenset[str]], *, fits: bool) -> None:
    """An address or its domain, however it is spelt; every condition must hold."""
    assert fits is rule(Action.HOLD, "macros", **where).fits(ABOUT)


def test_a_rule_about_senders_speaks_of_no_report() -> None:
    """What has no sender is no named sender's."""
    found = rule(Action.HOLD, "macros", senders=frozenset({"labo.example"}))
    assert not found.fits(ABOUT._replace(sender=None))


@pytest.mark.parametrize(
    ("policy", "opened"),
    [
        (Policy(), False),
        (Policy(scanner=True), True),
        (Policy((rule(Action.HOLD, "macros"),)), True),
        (Policy((rule(Action.PASS, "macros"),)), False),
        (Policy((rule(Action.HOLD, "mailbox-rate"),)), False),
        (Policy((rule(Action.HOLD, "macros", doors=frozenset({"submission"})),)), False),
    ],
)
def test_what_is_opened(policy: Policy, *, opened: bool) -> None:
    """A message that no rule about contents speaks of is not opened: it costs nothing."""
    assert opened is policy.looks_into([ABOUT])


def test_names_with_a_star() -> None:
    """A rule may name a family of reasons."""
    found = named(["archive-*", "macros"])
    assert {"archive-bomb", "archive-encrypted", "macros"} < found
    assert all(each.startswith("archive-") or each == "macros" for each in found)


def test_a_name_that_stands_for_nothing_is_an_error() -> None:
    """A rule misspelt would protect from nothing."""
    with pytest.raises(ValueError, match="there is no reason makros"):
        named(["macros", "makros"])


@pytest.mark.parametrize("slug", sorted(REASONS))
def test_each_reason_is_a_sentence_in_two_languages(slug: str) -> None:
    """People read sentences; the English one also fits into an SMTP reply."""
    french, english = sentence(slug, "fr"), sentence(slug, "en")
    assert french.endswith(".")
    assert english.endswith(".")
    assert english.isascii()
    assert french != english


def test_a_slug_nobody_knows_any_more() -> None:
    """An old case can still be read."""
    assert "of-old" == sentence("of-old", "fr")


@given(
    st.lists(st.sampled_from(sorted(REASONS))),
    st.lists(
        st.builds(
            Rule, st.frozensets(st.sampled_from(sorted(REASONS))), st.sampled_from(list(Action))
        )
    ),
)
def test_any_rules_any_findings(reasons: list[str], rules: list[Rule]) -> None:
    """No reason is invented, none that is acted on is lost, and tags are among them."""
    found = judge([Finding(each) for each in reasons], rules)
    assert set(found.reasons) <= set(reasons)
    assert set(found.tags) <= set(found.reasons)
    assert (Action.PASS is found.action) == (not found.reasons)


def test_every_reason_is_explained() -> None:
    """Whoever writes a rule finds its names in one of two pages."""
    pages = "".join((DOCS / name).read_text("utf-8") for name in ("quarantine.md", "documents.md"))
    assert [] == [slug for slug in REASONS if f"`{slug}`" not in pages]
