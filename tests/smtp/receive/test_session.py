"""The server's state machine: what transcripts cannot say, and what holds for any bytes at all."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp import reply
from smtp.address import parse
from smtp.envelope import Peer
from smtp.receive.events import (
    Abandoned,
    Closed,
    ContentBegun,
    ContentBlock,
    ContentEnded,
    ContentFailed,
    Event,
    Heard,
    LoginAsked,
    MailAsked,
    RecipientAsked,
    TlsAsked,
)
from smtp.receive.login import PasswordClaim
from smtp.receive.rules import Rules
from smtp.receive.session import Session

RELAY = Rules.of("relay", "gw.example", max_size=200, max_recipients=3)
CLEAR = Peer("192.0.2.1", listener="relay")
SECURE = replace(CLEAR, tls="TLSv1.3", certificate=b"der")
MESSAGE = b"EHLO peer.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\nhello\r\n.\r\n"


def pump(session: Session) -> list[Event]:
    """Say yes to everything; return what happened."""
    seen: list[Event] = []
    while (event := session.next_event()) is not None:
        seen.append(event)
        match event:
            case MailAsked() | RecipientAsked() | ContentEnded() | ContentFailed():
                session.answer(reply.OK)
            case LoginAsked():
                session.answer(parse("a@x.example"))
            case TlsAsked():
                session.secured(SECURE)
            case _:
                pass
    return seen


def fed(session: Session, block: bytes) -> list[Event]:
    session.receive(block)
    return pump(session)


def test_the_greeting_names_us() -> None:
    """Before the client says anything."""
    assert b"220 gw.example ESMTP Sceau\r\n" == Session(RELAY, CLEAR).outgoing()


def test_bytes_that_follow_starttls_in_the_same_block_end_the_connection() -> None:
    """They were said in clear, to be obeyed as if TLS had protected them (CVE-2011-0411)."""
    session = Session(RELAY, CLEAR)
    events = fed(session, b"EHLO x\r\nSTARTTLS\r\nEHLO evil\r\n")
    assert [Closed()] == events
    assert session.outgoing().endswith(reply.BYTES_BEFORE_TLS.line())


def test_bytes_that_follow_starttls_later_end_it_too() -> None:
    """Until TLS has begun nothing more is heard."""
    session = Session(RELAY, CLEAR)
    session.receive(b"EHLO x\r\nSTARTTLS\r\n")
    assert TlsAsked() == session.next_event()
    session.receive(b"EHLO evil\r\n")
    assert [Closed()] == pump(session)
    assert session.outgoing().endswith(reply.BYTES_BEFORE_TLS.line())


def test_a_certificate_is_required_even_if_the_shell_forgot_to_ask() -> None:
    """TLS without a client certificate sends nothing here."""
    session = Session(RELAY, replace(SECURE, certificate=None))
    fed(session, b"EHLO x\r\nMAIL FROM:<a@x.example>\r\n")
    assert session.outgoing().endswith(reply.MUST_CERTIFY.line())


def test_nothing_is_read_while_a_question_waits() -> None:
    """So that what was pipelined is carried out in order, once."""
    session = Session(RELAY, SECURE)
    session.receive(MESSAGE + b"NOOP\r\n")
    assert isinstance(session.next_event(), MailAsked)
    assert (None, True) == (session.next_event(), session.waiting)
    assert session.buffered > 0
    session.answer(reply.OK)
    assert isinstance(session.next_event(), RecipientAsked)
    session.answer(reply.OK)
    begun, block, ended = (session.next_event() for _ in range(3))
    assert isinstance(begun, ContentBegun)
    assert (ContentBlock(b"hello\r\n"), ContentEnded()) == (block, ended)
    assert (None, True) == (session.next_event(), session.waiting)
    assert not session.outgoing().endswith(reply.OK.line() + reply.OK.line())
    session.answer(reply.OK)
    assert (Heard(begun.draft, certain=True), None) == (session.next_event(), session.next_event())
    assert reply.OK.line() * 2 == session.outgoing()


def test_a_password_claim_is_asked_and_answered() -> None:
    """The mailbox that it opens is the peer's from then on."""
    rules = Rules.of("submission", "gw.example")
    session = Session(rules, replace(SECURE, certificate=None))
    session.receive(b"EHLO x\r\nAUTH PLAIN AGFAeC5leGFtcGxlAHB3\r\n")
    assert LoginAsked(PasswordClaim("a@x.example", "pw")) == session.next_event()
    session.answer(parse("a@x.example"))
    assert "a@x.example" == session.peer.login


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"NONSENSE", reply.UNKNOWN_COMMAND),
        (b"NO\0OP", reply.SYNTAX),
        (b"EXPN x", reply.NOT_IMPLEMENTED),
        (b"HELP", reply.HELP),
        (b"VRFY", reply.SYNTAX),
        (b"RSET x", reply.SYNTAX),
        (b"STARTTLS", reply.BAD_SEQUENCE),
        (b"AUTH PLAIN", reply.BAD_SEQUENCE),
        (b"EHLO x\r\nAUTH PLAIN", reply.UNKNOWN_MECHANISM),
        (b"EHLO x\r\nMAIL FROM:<a@x.example> SIZE=201", reply.too_big(200)),
        (b"EHLO x\r\nMAIL FROM:<>" + b"\r\nRCPT TO:<b@y.example>" * 4, reply.TOO_MANY_RECIPIENTS),
        (b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@y.example>\r\nBDAT 1\r\nxRSET", reply.OK),
    ],
)
def test_a_line_and_its_reply(line: bytes, said: reply.Reply) -> None:
    """What each command meets on a relay, under TLS."""
    session = Session(RELAY, SECURE)
    fed(session, line + b"\r\n")
    assert session.outgoing().endswith(said.line())


def test_in_clear_nothing_is_done_and_chunks_are_still_counted() -> None:
    """Not a command of mail is heard before TLS, nor what a chunk of mail contains."""
    session = Session(RELAY, CLEAR)
    fed(session, b"MAIL FROM:<>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
    refusals = reply.MUST_STARTTLS.line() * 2
    assert session.outgoing().endswith(b"Sceau\r\n" + refusals + reply.OK.line())


def test_tls_begins_anew() -> None:
    """The name given in clear is forgotten with the rest."""
    session = Session(RELAY, CLEAR)
    assert [TlsAsked()] == fed(session, b"EHLO x\r\nSTARTTLS\r\n")
    fed(session, b"MAIL FROM:<>\r\n")
    assert session.outgoing().endswith(reply.BAD_SEQUENCE.line())


def test_a_log_in_comes_first_where_one_is_asked() -> None:
    """Cancelled, it may be tried again; without it there is no MAIL."""
    session = Session(Rules.of("submission", "gw.example"), replace(SECURE, certificate=None))
    fed(session, b"EHLO x\r\nMAIL FROM:<>\r\nAUTH PLAIN\r\n*\r\n")
    said = session.outgoing()
    expected = (reply.MUST_LOG_IN, reply.Reply(334, "", ""), reply.LOGIN_CANCELLED)
    assert said.endswith(b"".join(one.line() for one in expected))


@pytest.mark.parametrize("moment", ["idle", "draft", "content", "asked"])
def test_a_session_retires_when_no_message_is_in_hand(moment: str) -> None:
    """421 at once, or after the reply to the message."""
    session = Session(RELAY, SECURE)
    parts = MESSAGE.split(b"DATA\r\n")
    sent = {
        "idle": b"EHLO x\r\n",
        "draft": parts[0],
        "content": parts[0] + b"DATA\r\nhel",
        "asked": MESSAGE,
    }
    session.receive(sent[moment])
    while (event := session.next_event()) is not None:
        if isinstance(event, MailAsked | RecipientAsked):
            session.answer(reply.OK)
    session.retire(reply.STOPPING)
    if moment in ("content", "asked"):
        assert session.next_event() is None
        session.receive(b"lo\r\n.\r\n" if moment == "content" else b"")
        pump(session)
        if moment == "asked":
            session.answer(reply.OK)
    assert Closed() == (pump(session) or [Closed()])[-1]
    assert session.outgoing().endswith(reply.STOPPING.line())


def test_a_closed_session_hears_and_says_nothing() -> None:
    """Whatever the shell still tells it."""
    session = Session(RELAY, SECURE)
    session.receive(b"QUIT\r\nNOOP\r\n")
    assert [Closed()] == pump(session)
    said = session.outgoing()
    session.receive(b"NOOP\r\n")
    session.answer(reply.OK)
    session.close(reply.TOO_SLOW)
    assert [] == pump(session)
    assert (b"", True) == (session.outgoing(), said.endswith(reply.BYE.line()))


def heard(events: list[Event]) -> list[bool]:
    return [event.certain for event in events if isinstance(event, Heard)]


@pytest.mark.parametrize(
    "command", [b"NOOP\r\n", b"QUIT\r\n", b"MAIL FROM:<a@x.example>\r\n", b"x\r\n"]
)
def test_whoever_says_more_has_read_the_reply(command: bytes) -> None:
    """Any word will do, and it is told once; that they leave later says nothing more."""
    session = Session(RELAY, SECURE)
    assert [] == heard(fed(session, MESSAGE))
    assert [True] == heard(fed(session, command))
    session.close()
    assert [] == heard(pump(session))


def test_whoever_leaves_without_a_word_may_not_have_read_it() -> None:
    """It was written; nobody knows what became of it."""
    session = Session(RELAY, SECURE)
    (draft,) = (each.draft for each in fed(session, MESSAGE) if isinstance(each, ContentBegun))
    session.close()
    assert [Heard(draft, certain=False), Closed()] == pump(session)


def test_whoever_left_before_the_reply_has_not_read_it() -> None:
    """The message was ours already, or it was not: only then is there something to tell."""
    for said, told in ((reply.OK, [False]), (reply.LOCAL_ERROR, [])):
        session = Session(RELAY, SECURE)
        session.receive(MESSAGE)
        while not isinstance(event := session.next_event(), ContentEnded):
            if isinstance(event, MailAsked | RecipientAsked):
                session.answer(reply.OK)
        session.close()
        pump_quietly(session)
        session.answer(said)
        assert told == heard(pump_quietly(session))
        session.answer(reply.OK)
        assert [] == pump_quietly(session)


def pump_quietly(session: Session) -> list[Event]:
    return list(iter(session.next_event, None))


def test_of_a_refused_message_nothing_is_heard() -> None:
    """There is nothing that its sender might not know."""
    session = Session(RELAY, SECURE)
    fed(session, MESSAGE.replace(b"\r\n.\r\n", b"\r\nbare \n lf\r\n.\r\n"))
    assert b"550" in session.outgoing().splitlines()[-1]
    assert [] == heard(fed(session, b"NOOP\r\n"))


def test_an_intake_may_end_the_connection() -> None:
    """Its 421 is the last word."""
    session = Session(RELAY, SECURE)
    session.receive(MESSAGE)
    session.next_event()
    session.answer(reply.STOPPING)
    assert [Closed()] == pump(session)
    assert session.outgoing().endswith(reply.STOPPING.line())


def test_closing_in_mid_content_fails_the_message() -> None:
    """The intake is told; whoever was refused a recipient is not told twice."""
    session = Session(RELAY, SECURE)
    fed(session, MESSAGE[:-5])
    session.close(reply.TOO_SLOW)
    assert [ContentFailed("closed"), Closed()] == [session.next_event(), session.next_event()]
    assert session.outgoing().endswith(reply.TOO_SLOW.line())


def test_closing_in_a_draft_abandons_it() -> None:
    """Its refusals are remembered."""
    session = Session(RELAY, SECURE)
    session.receive(MESSAGE)
    session.next_event()
    session.answer(reply.OK)
    session.next_event()
    session.answer(reply.NO_SUCH_MAILBOX)
    session.next_event()
    session.close()
    told = pump(session)
    assert [Abandoned, Closed] == [type(event) for event in told]


def test_progress_is_commands_and_content() -> None:
    """One octet a minute is none."""
    session = Session(RELAY, SECURE)
    fed(session, b"NO")
    assert 0 == session.progress
    fed(session, b"OP\r\n")
    assert 1024 == session.progress
    fed(session, MESSAGE)
    assert 1024 * 5 < session.progress <= 1024 * 7


def test_a_session_says_its_state_to_an_operator() -> None:
    """One line, no address of anybody."""
    session = Session(RELAY, SECURE)
    listening = repr(session)
    session.receive(MESSAGE)
    session.next_event()
    waiting = repr(session)
    session.close()
    assert [
        "<Session relay 192.0.2.1 listening>",
        "<Session relay 192.0.2.1 waiting>",
        "<Session relay 192.0.2.1 closed>",
    ] == [listening, waiting, repr(session)]


SAYINGS = [
    b"EHLO peer.example\r\n",
    b"HELO peer.example\r\n",
    b"MAIL FROM:<a@x.example>\r\n",
    b"MAIL FROM:<a@x.example> SIZE=999\r\n",
    b"RCPT TO:<b@y.example>\r\n",
    b"RCPT TO:<nonsense>\r\n",
    b"DATA\r\n",
    b"hello\r\n",
    b".\r\n",
    b"..\r\n",
    b"\r\n.\r\n",
    b"a\nb\r\n",
    b"x" * 150 + b"\r\n",
    b"BDAT 5\r\nhello",
    b"BDAT 5 LAST\r\nhello",
    b"BDAT 0 LAST\r\n",
    b"BDAT 300\r\n",
    b"BDAT x\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"VRFY x\r\n",
    b"AUTH PLAIN\r\n",
    b"QUIT\r\n",
    b"\xff\0\r\n",
    b"\n",
    b"\r",
]
CONVERSATION = st.lists(st.sampled_from(SAYINGS) | st.binary(max_size=5), max_size=25)


def outcome(*blocks: bytes) -> tuple[bytes, list[Event]]:
    """What was said, and what happened, the content in one piece."""
    session = Session(RELAY, SECURE)
    events: list[Event] = []
    for block in blocks:
        for event in fed(session, block):
            last = events[-1] if events else None
            if isinstance(event, ContentBlock) and isinstance(last, ContentBlock):
                events[-1] = ContentBlock(last.block + event.block)
            else:
                events.append(event)
    return session.outgoing(), events


@settings(max_examples=300)
@given(CONVERSATION)
def test_any_conversation_is_the_same_byte_by_byte(sayings: list[bytes]) -> None:
    """However bytes are cut, the same is said and the same messages are kept."""
    wire = b"".join(sayings)
    said, events = outcome(wire)
    slowly, seen = outcome(*(wire[n : n + 1] for n in range(len(wire))))
    assert said == slowly
    assert kept(events) == kept(seen)


def kept(events: list[Event]) -> list[bytes]:
    bodies, body = [], b""
    for event in events:
        match event:
            case ContentBegun():
                body = b""
            case ContentBlock(block):
                body += block
            case ContentEnded():
                bodies.append(body)
            case _:
                pass
    return bodies


@settings(max_examples=300)
@given(CONVERSATION)
def test_any_bytes_get_replies_and_no_exception(sayings: list[bytes]) -> None:
    """Every line out is a reply; a message is kept only after MAIL and RCPT said yes."""
    said, events = outcome(*sayings)
    for line in said.decode("ascii").splitlines():
        assert line[:3].isdigit()
        assert line[3:4] in (" ", "-")
    open_mail = recipients = 0
    for event in events:
        match event:
            case MailAsked():
                open_mail, recipients = 1, 0
            case RecipientAsked():
                assert open_mail
                recipients += 1
            case ContentBegun(draft):
                assert open_mail
                assert recipients == len(draft.recipients) > 0
                open_mail = 0
            case _:
                pass
