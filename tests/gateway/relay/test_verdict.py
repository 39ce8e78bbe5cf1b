"""What becomes of a recipient at the door."""

from datetime import timedelta

import pytest

from gateway.demo.pki import Authority
from gateway.relay.verdict import ONLY_DEFERRED, Question, Verdict, nothing_to_keep
from smtp import reply
from smtp.address import parse
from smtp.envelope import Peer
from smtp.reply import Reply
from tests.world.clock import START
from tests.world.lists import Lists
from trust.decision import Action
from trust.sources import TrustList

AUTHORITY = Authority.make(START)
LABO, CHU = AUTHORITY.issue("Labo"), AUTHORITY.issue("CHU")
DR, CLINICIAN = parse("dr@labo.example"), parse("accueil@chu.example")
ALLOWED = Verdict(Action.ALLOW, "listed", reply.OK)
HELD = Verdict(Action.HOLD, "sender-suspended", reply.OK)
DEFERRED = Verdict(Action.DEFER, "list-stale", reply.LIST_STALE)
REFUSED = Verdict(Action.REFUSE, "recipient-not-listed", reply.RECIPIENT_NOT_LISTED)


@pytest.fixture(scope="module")
def listed() -> TrustList:
    lists = Lists.make(AUTHORITY)
    lists.add("labo.example", LABO)
    lists.add("chu.example", CHU)
    return lists.current()


def asked(listed: TrustList | None, peer: Peer, *, days: int = 0) -> Question:
    now = START + timedelta(days=days)
    return Question(DR, peer, listed, now, frozenset({"chu.example"}))


def relay(certificate: bytes) -> Peer:
    return Peer("192.0.2.1", certificate=certificate, listener="relay")


def test_a_listed_peer_reaches_a_mailbox_that_exists(listed: TrustList) -> None:
    """Both ends listed, the certificate entitled, the mailbox there: allowed."""
    found = asked(listed, relay(LABO.der)).about(CLINICIAN)
    assert ALLOWED == found
    assert reply.RECIPIENT_OK == found.at_rcpt("relay")


def test_a_relay_brings_mail_for_our_mailboxes_only(listed: TrustList) -> None:
    """A gateway that relayed for others would lend them its certificate."""
    found = asked(listed, relay(LABO.der)).about(parse("x@labo.example"), reply.NO_SUCH_MAILBOX)
    assert (Action.REFUSE, "not-a-relay") == (found.action, found.reason)


def test_who_has_a_mailbox_is_told_to_the_trusted_alone(listed: TrustList) -> None:
    """A peer that speaks for nobody cannot probe for addresses."""
    stranger = AUTHORITY.issue("Inconnu")
    known = asked(listed, relay(LABO.der)).about(CLINICIAN, reply.NO_SUCH_MAILBOX)
    unknown = asked(listed, relay(stranger.der)).about(CLINICIAN, reply.NO_SUCH_MAILBOX)
    assert (reply.NO_SUCH_MAILBOX, "no-such-mailbox") == (known.reply, known.reason)
    assert "peer-not-entitled" == unknown.reason


def test_a_missing_mailbox_is_said_at_once_even_under_a_stale_list(listed: TrustList) -> None:
    """Waiting for a new list would not make the mailbox exist."""
    found = asked(listed, Peer("", login=DR, listener="submission"), days=90)
    assert "no-such-mailbox" == found.about(CLINICIAN, reply.NO_SUCH_MAILBOX).reason


@pytest.mark.parametrize(
    ("door", "said"), [("relay", reply.LIST_STALE), ("submission", reply.RECIPIENT_OK)]
)
def test_a_stale_list_puts_gateways_off_and_spools_for_people(
    listed: TrustList, door: str, said: Reply
) -> None:
    """A gateway comes again; a person would lose the message."""
    peer = Peer("", login=DR, listener=door)
    found = asked(listed, peer, days=90).about(CLINICIAN)
    assert (Action.DEFER, "list-stale") == (found.action, found.reason)
    assert said == found.at_rcpt(door)


@pytest.mark.parametrize("door", ["relay", "submission"])
def test_a_refusal_is_said_at_rcpt_everywhere(door: str) -> None:
    """One refusal a recipient, before any content."""
    assert reply.RECIPIENT_NOT_LISTED == REFUSED.at_rcpt(door)


@pytest.mark.parametrize(
    ("verdicts", "door", "said"),
    [
        ([ALLOWED, REFUSED], "relay", None),
        ([HELD, DEFERRED], "relay", None),
        ([DEFERRED, REFUSED], "relay", ONLY_DEFERRED),
        ([DEFERRED, REFUSED], "submission", None),
        ([REFUSED, REFUSED], "submission", reply.RECIPIENT_NOT_LISTED),
        ([], "relay", reply.NO_RECIPIENTS),
    ],
)
def test_a_message_is_kept_if_anybody_is_to_have_it(
    verdicts: list[Verdict], door: str, said: Reply | None
) -> None:
    """All refused: nothing kept; none allowed but some deferred: later; else it is ours."""
    assert said == nothing_to_keep(verdicts, door)
