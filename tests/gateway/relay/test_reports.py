"""What a report says of our copies."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import codes
from gateway.receipts.receipt import Kind as Told
from gateway.relay.delivery import TRANSITIONS, Delivery, Event, State, delivery_id
from gateway.relay.message import Copy, Message, Summary
from gateway.relay.reports import (
    NO_ANSWER,
    NOT_THEIRS,
    Finding,
    answers,
    by_subject,
    findings,
    is_report,
    numbered,
)
from smtp.address import parse
from smtp.envelope import Mail, MessageId, Notify, Recipient
from smtp.message.dsn import Action, Fate, Kind, Report
from smtp.message.header import Header, HeaderError
from smtp.reply import Reply
from tests.world.clock import START as NOW

DR, GARDE = parse("dr@labo.example"), parse("garde@clinique.example")
STATUS, READING = Kind.STATUS, Kind.DISPOSITION


def copy(
    state: State = State.RELAYED, notify: Notify | None = None, orcpt: str | None = None
) -> Copy:
    made = Message(MessageId("0" * 26), NOW, 9, "submission", Mail(DR), Summary())
    row = Delivery(delivery_id(made.id, 1), state, NOW, NOW + timedelta(days=1))
    return Copy(made, Recipient(GARDE, frozenset({notify}) if notify else None, orcpt), row)


def told(fate: Fate, kind: Kind = STATUS) -> Report:
    return Report(kind, "mx.clinique.example", (fate,))


def found(fate: Fate, one: Copy | None = None, kind: Kind = STATUS) -> Finding:
    heard = findings(told(fate, kind), [one or copy()], lambda _: True)
    assert not isinstance(heard, Reply)
    return heard[0]


@pytest.mark.parametrize(
    ("action", "event", "receipt", "wanted"),
    [
        (Action.DELIVERED, Event.CONFIRMED, None, False),
        (Action.FAILED, Event.BOUNCED, None, True),
        (Action.DELAYED, None, Told.DELAYED, True),
        (Action.RELAYED, None, None, False),
        (Action.EXPANDED, None, None, False),
        (Action.OTHER, None, None, False),
    ],
)
def test_each_action_has_its_meaning(
    action: Action,
    event: Event | None,
    receipt: Told | None,
    wanted: bool,  # noqa: FBT001
) -> None:
    """Delivered and failed settle; the others only tell."""
    one = found(Fate(GARDE, action))
    assert (event, receipt, wanted) == (one.event, one.receipt, one.wanted)


def test_a_copy_passed_on_to_several_has_the_gravest_fate() -> None:
    """Their list has two readers: one finding, or the second would contradict the first."""
    fates = [
        Fate(parse(f"{name}@clinique.example"), action, original=f"rfc822;{GARDE}")
        for name, action in (
            ("a", Action.DELIVERED),
            ("b", Action.RELAYED),
            ("c", Action.FAILED),
            ("d", Action.DELIVERED),
        )
    ]
    report = Report(STATUS, "mx.clinique.example", tuple(fates))
    heard = findings(report, [copy()], lambda _: True)
    assert not isinstance(heard, Reply)
    assert [Event.BOUNCED] == [one.event for one in heard]


def test_success_is_shown_to_who_asked() -> None:
    """And to nobody else: software has its receipt."""
    assert found(Fate(GARDE, Action.DELIVERED), copy(notify=Notify.SUCCESS)).wanted


@pytest.mark.parametrize("action", list(Action))
def test_a_reading_report_moves_nothing_and_is_always_shown(action: Action) -> None:
    """Reading is the reader's word, not its server's; only ``displayed`` says so."""
    one = found(Fate(GARDE, action), kind=READING)
    kinds = {
        Action.DISPLAYED: Told.READ,
        Action.PROCESSED: Told.FILED,
        Action.FAILED: Told.UNFILED,
    }
    receipt = kinds.get(action, Told.HANDLED)
    assert (None, receipt, True) == (one.event, one.receipt, one.wanted)
    assert one.after(NOW) is None


@given(st.sampled_from(State), st.sampled_from([Action.DELIVERED, Action.FAILED]))
def test_no_report_moves_what_has_ended(state: State, action: Action) -> None:
    """An end was told to the sender; a later word cannot take it back."""
    one = found(Fate(GARDE, action), copy(state))
    assert one.event is None or (state, one.event) in TRANSITIONS


def test_a_failure_after_the_delivery_is_shown_all_the_same() -> None:
    """Forwarded and then bounced: the sender should know, and the books are corrected."""
    assert found(Fate(GARDE, Action.FAILED), copy(State.DELIVERED)).wanted
    assert not found(Fate(GARDE, Action.FAILED), copy(State.FAILED)).wanted


def test_a_settled_copy_keeps_their_words() -> None:
    """The diagnostic becomes the last reply, made printable."""
    fate = Fate(GARDE, Action.FAILED, "5.1.1", diagnostic="550 5.1.1 parti\x07")
    after = found(fate).after(NOW)
    assert after is not None
    assert (State.FAILED, Reply(550, "5.1.1", "550 5.1.1 parti")) == (after.state, after.said)


def test_a_report_without_words_or_status_is_understood() -> None:
    """Only the action is needed."""
    assert Reply(250, "2.0.0", "Reported as delivered") == found(Fate(GARDE, Action.DELIVERED)).said
    assert (
        Reply(451, "4.4.1", "x") == found(Fate(GARDE, Action.DELAYED, "4.4.1", diagnostic="x")).said
    )
    assert "5.4.7" == found(Fate(GARDE, Action.FAILED, "4.4.7")).said.enhanced


@pytest.mark.parametrize(
    ("orcpt", "fate"),
    [
        (None, Fate(parse("GARDE@clinique.example"), Action.DELIVERED)),
        (None, Fate(None, Action.DELIVERED, original="rfc822;Garde@clinique.example")),
        ("rfc822;alias", Fate(None, Action.DELIVERED, original="RFC822; alias")),
        ("rfc822;alias", Fate(None, Action.DELIVERED, original="rfc822;garde@clinique.example")),
    ],
)
def test_a_recipient_is_known_by_the_orcpt_or_its_address(orcpt: str | None, fate: Fate) -> None:
    """ORCPT first, as we gave it; systems that rewrite it give the address."""
    assert Event.CONFIRMED is found(fate, copy(orcpt=orcpt)).event


@pytest.mark.parametrize(
    "fate",
    [
        Fate(parse("x@clinique.example"), Action.DELIVERED),
        Fate(None, Action.DELIVERED),
        Fate(GARDE, Action.DELIVERED, original="rfc822;x@clinique.example"),
    ],
)
def test_a_recipient_we_did_not_write_to_answers_nothing(fate: Fate) -> None:
    """The right message with the wrong recipient is no answer."""
    assert NO_ANSWER == findings(told(fate), [copy()], lambda _: True)


def test_only_who_was_given_a_copy_reports_on_it() -> None:
    """Of several recipients, those of others are passed over."""
    fate = Fate(GARDE, Action.DELIVERED)
    other = msgspec.structs.replace(copy(), recipient=Recipient(parse("a@chu.example")))
    both = replace(told(fate), recipients=(fate, Fate(parse("a@chu.example"), Action.DELIVERED)))
    assert NOT_THEIRS == findings(told(fate), [copy()], lambda _: False)
    heard = findings(both, [copy(), other], lambda one: one.domain == "clinique.example")
    assert isinstance(heard, tuple)
    assert [GARDE] == [one.copy.recipient.address for one in heard]


@pytest.mark.parametrize(
    ("content_type", "verdict"),
    [(b"Multipart/Report; x=y", True), (b"multipart/mixed", False), (b"", False)],
)
def test_a_report_is_known_by_its_type(content_type: bytes, verdict: bool) -> None:  # noqa: FBT001
    """RFC 6522."""
    line = b"Content-Type: " + content_type + b"\r\n" if content_type else b""
    assert verdict == is_report(Header.parse(line + b"\r\n"))


def mail(*fields: str) -> Header:
    return Header.parse("".join(f"{each}\r\n" for each in (*fields, "")).encode())


@pytest.mark.parametrize(
    ("fields", "failure"),
    [
        (("Subject: [KO Integration systeme !][902] XDM/1.0/DDM+x", "In-Reply-To: <1@a>"), 902),
        (("Subject: [KO x][777] y", "References: <0@a> <1@a>"), 906),
        (
            (
                "Subject: =?utf-8?q?[KO_Int=C3=A9gration_syst=C3=A8me_!][903]_x?=",
                "In-Reply-To: <1@a>",
            ),
            903,
        ),
        (("Subject: [KO x][902] y",), None),
        (("Subject: Re: bonjour", "In-Reply-To: <1@a>"), None),
        (("Subject: [KO x][902] y", "In-Reply-To: 1@a"), None),
    ],
)
def test_a_subject_says_that_software_could_not(
    fields: tuple[str, ...], failure: int | None
) -> None:
    """Of the message that it answers; who answers nothing says nothing (R-F3, R-F4)."""
    header = mail("From: <garde@clinique.example>", *fields)
    said = by_subject(header)
    assert answers(header) == (said is not None)
    assert (failure is None) == (said is None)
    if said is not None:
        assert "<1@a>" == said.original_message_id
        (fate,) = said.recipients
        assert (GARDE, failure) == (fate.final, codes.numbered(fate.diagnostic))


def test_a_subject_of_nobody_or_of_several_says_nothing() -> None:
    """It would not be known whose software it is."""
    said = ("Subject: [KO x][902] y", "In-Reply-To: <1@a>")
    assert by_subject(mail("From: nobody at all", *said)) is None
    assert by_subject(mail("From: <a@a.example>, <b@a.example>", *said)) is None


def test_a_number_is_found_in_the_subject_where_the_report_has_none() -> None:
    """What the report says itself comes first; what says something else stays as it is."""
    subject = mail("Subject: [KO x][905] y")
    bare, own = Fate(GARDE, Action.FAILED), Fate(GARDE, Action.FAILED, diagnostic="903^x")
    seen = Fate(GARDE, Action.DISPLAYED)
    heard = numbered(Report(READING, "", (bare, own, seen)), subject)
    assert [905, 903, None] == [codes.numbered(one.diagnostic) for one in heard.recipients]
    status = Report(STATUS, "", (bare,))
    assert status is numbered(status, subject)
    assert (bare,) == numbered(Report(READING, "", (bare,)), mail("Subject: x")).recipients


@given(st.binary(max_size=200))
def test_any_subject_is_read(octets: bytes) -> None:
    """Whatever others write, it says something or nothing."""
    try:
        header = Header.parse(b"Subject: [KO x][902] " + octets + b"\r\nIn-Reply-To: <1@a>\r\n\r\n")
    except HeaderError:
        return
    assert by_subject(header) is None
