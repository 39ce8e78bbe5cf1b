"""The client's conversation: whatever the peer answers, one outcome a recipient, nothing lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from smtp.address import parse
from smtp.envelope import Body, Recipient
from smtp.reply import Reply
from smtp.send.dialogue import GARBLED, INJECTED, LOST, NO_TLS, SILENT, Dialogue, Stage
from smtp.send.outgoing import NO_EIGHT_BIT, TOO_MANY_FOR_THEM, Outcome, Outgoing

A, B, C = (Recipient(parse(f"{name}@chu.example")) for name in "abc")
ONE = Outgoing(parse("martin@labo.example"), (A,), size=10)
THREE = replace(ONE, recipients=(A, B, C))
MODERN = "PIPELINING,8BITMIME,DSN"
ENVELOPE = b"MAIL FROM:<martin@labo.example>\r\nRCPT TO:<a@chu.example>\r\nDATA\r\n"


def opened(keywords: str = MODERN, *, chunking: bool = True) -> Dialogue:
    """Return a conversation that is READY, with a peer that offers those extensions."""
    dialogue = Dialogue("mx.labo.example", chunking=chunking)
    dialogue.receive(b"220 hello\r\n250-me\r\n250 STARTTLS\r\n220 go\r\n")
    assert Stage.HANDSHAKE is stage(dialogue)
    dialogue.secured()
    lines = ["mx.chu.example", *keywords.split(",")]
    dialogue.receive("".join(f"250-{line}\r\n" for line in lines).encode() + b"250 HELP\r\n")
    assert Stage.READY is stage(dialogue)
    dialogue.outgoing()
    return dialogue


def stage(dialogue: Dialogue) -> Stage:
    return dialogue.stage


def outcome(dialogue: Dialogue) -> Outcome:
    assert dialogue.outcome is not None
    return dialogue.outcome


def said(dialogue: Dialogue) -> list[str]:
    """Return the outcome in short: one reply a recipient."""
    return [str(reply) for _, reply in outcome(dialogue).replies]


def test_the_opening_is_ehlo_starttls_ehlo() -> None:
    """Nothing but our name is said before TLS, and all is asked again after."""
    dialogue = Dialogue("mx.labo.example")
    assert dialogue.waiting
    dialogue.receive(b"220-welcome\r\n220 hello\r\n")
    assert b"EHLO mx.labo.example\r\n" == dialogue.outgoing()
    dialogue.receive(b"250-me\r\n250-DSN\r\n250 STARTTLS\r\n")
    assert b"STARTTLS\r\n" == dialogue.outgoing()
    dialogue.receive(b"220 go\r\n")
    assert Stage.HANDSHAKE is stage(dialogue)
    dialogue.secured()
    assert b"EHLO mx.labo.example\r\n" == dialogue.outgoing()
    dialogue.receive(b"250 me\r\n")
    assert Stage.READY is stage(dialogue)
    assert "DSN" not in dialogue.offer


@pytest.mark.parametrize(
    ("wire", "failure"),
    [
        (b"554 go away\r\n", "451 4.3.2 The next hop takes no mail now; it said: 554 go away"),
        (b"421 4.3.2 busy\r\n", "421 4.3.2 busy"),
        (
            b"220 hi\r\n502 5.5.1 no EHLO\r\n",
            "451 4.3.2 The next hop takes no mail now; it said: 502",
        ),
        (b"220 hi\r\n250-me\r\n250 DSN\r\n", str(NO_TLS)),
        (b"220 hi\r\n250 STARTTLS\r\n", str(NO_TLS)),
        (b"220 hi\r\n250-me\r\n250 STARTTLS\r\n454 4.7.0 not now\r\n", "454 4.7.0 not now"),
        (b"220 hi\r\n250-me\r\n250 STARTTLS\r\n220 go\r\n250 me\r\n", str(INJECTED)),
        (b"220 hi\r\n250-me\r\n250 STARTTLS\r\n220 go\r\n2", str(INJECTED)),
        (b"354 hi\r\n", str(GARBLED)),
        (b"220 hi\r\n250 me\r\n250 you\r\n", str(NO_TLS)),
        (b"SSH-2.0-OpenSSH\r\n", str(GARBLED)),
        (b"220-" + b"x" * 3000, str(GARBLED)),
    ],
)
def test_an_opening_that_fails_is_put_off(wire: bytes, failure: str) -> None:
    """No greeting, no EHLO, no TLS: 4yz for now, never clear text, never HELO."""
    dialogue = Dialogue("mx.labo.example")
    dialogue.receive(wire)
    assert Stage.CLOSED is stage(dialogue)
    assert str(dialogue.failure).startswith(failure)
    assert b"HELO" not in dialogue.outgoing().replace(b"EHLO", b"")


def test_bytes_that_come_while_tls_starts_are_not_trusted() -> None:
    """What is buffered before TLS must never be taken for what was said under it."""
    dialogue = Dialogue("mx.labo.example")
    dialogue.receive(b"220 hi\r\n250-me\r\n250 STARTTLS\r\n220 go\r\n")
    dialogue.receive(b"250 me\r\n")
    assert INJECTED == dialogue.failure
    dialogue.secured()
    assert Stage.CLOSED is stage(dialogue)


def test_a_pipelined_message_goes_in_two_pieces() -> None:
    """The envelope in one write, the content in one write."""
    dialogue = opened()
    dialogue.begin(ONE)
    assert ENVELOPE == dialogue.outgoing()
    dialogue.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert Stage.CONTENT is stage(dialogue)
    dialogue.content(b".dot\r\nend\r\n", last=True)
    assert b"..dot\r\nend\r\n.\r\n" == dialogue.outgoing()
    assert dialogue.waiting
    dialogue.receive(b"250 2.0.0 queued as ABCD-EFGH\r\n")
    assert Outcome(
        ((A.address, Reply(250, "2.0.0", "queued as ABCD-EFGH")),), dsn=True, reusable=True
    ) == outcome(dialogue)


def test_content_in_blocks_is_stuffed_across_their_edges() -> None:
    """However the body is cut, its dots survive; a missing last line ending is added."""
    dialogue = opened()
    dialogue.begin(ONE)
    dialogue.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    dialogue.outgoing()
    for block in (b"a\r", b"\n", b".b\r\n", b".", b"c"):
        dialogue.content(block, last=block == b"c")
    assert b"a\r\n..b\r\n..c\r\n.\r\n" == dialogue.outgoing()


def test_without_pipelining_each_command_waits() -> None:
    """An old peer is asked one thing at a time."""
    dialogue = opened("8BITMIME")
    dialogue.begin(ONE)
    for expected in ENVELOPE.splitlines(keepends=True):
        assert expected == dialogue.outgoing()
        dialogue.receive(b"354 go\r\n" if expected == b"DATA\r\n" else b"250 ok\r\n")
    assert Stage.CONTENT is stage(dialogue)


@pytest.mark.parametrize("keywords", [MODERN, "8BITMIME"])
def test_one_recipient_of_three_is_put_off(keywords: str) -> None:
    """Each recipient has its own reply; the final one is for those who were accepted."""
    dialogue = opened(keywords)
    dialogue.begin(THREE)
    dialogue.receive(b"250 ok\r\n250 ok\r\n")
    dialogue.receive(b"451 4.2.1 later\r\n550 5.1.1 who\r\n354 go\r\n")
    dialogue.content(b"x\r\n", last=True)
    dialogue.receive(b"250 2.0.0 queued\r\n")
    assert ["250 2.0.0 queued", "451 4.2.1 later", "550 5.1.1 who"] == said(dialogue)
    assert outcome(dialogue).reusable


def test_a_refused_content_is_refused_for_all_who_were_accepted() -> None:
    """The last word is the one after the content; the next message begins with a clean slate."""
    dialogue = opened()
    dialogue.begin(THREE)
    dialogue.receive(b"250 ok\r\n250 ok\r\n550 5.1.1 who\r\n250 ok\r\n354 go\r\n")
    dialogue.content(b"x\r\n", last=True)
    dialogue.receive(b"554 5.7.1 no\r\n")
    assert ["554 5.7.1 no", "550 5.1.1 who", "554 5.7.1 no"] == said(dialogue)
    dialogue.outgoing()
    dialogue.begin(ONE)
    assert b"RSET\r\n" + ENVELOPE == dialogue.outgoing()
    dialogue.receive(b"500 what\r\n250 ok\r\n250 ok\r\n354 go\r\n")
    assert Stage.CONTENT is stage(dialogue)


@pytest.mark.parametrize("go", [b"554 no valid recipients\r\n", b"503 no\r\n"])
def test_all_refused_and_data_too(go: bytes) -> None:
    """Nothing is sent; the replies are the recipients' own."""
    dialogue = opened()
    dialogue.begin(replace(ONE, recipients=(A, B)))
    dialogue.outgoing()
    dialogue.receive(b"250 ok\r\n550 5.1.1 who\r\n452 4.2.2 full\r\n" + go)
    assert ["550 5.1.1 who", "452 4.2.2 full"] == said(dialogue)
    assert b"" == dialogue.outgoing()
    assert Stage.READY is stage(dialogue)


def test_all_refused_and_yet_354() -> None:
    """RFC 2920 §3.1: a server that says 354 all the same gets a lone dot, and no content."""
    dialogue = opened()
    dialogue.begin(ONE)
    dialogue.outgoing()
    dialogue.receive(b"250 ok\r\n550 5.1.1 who\r\n354 go\r\n")
    assert b".\r\n" == dialogue.outgoing()
    assert dialogue.waiting
    dialogue.receive(b"250 fine\r\n")
    assert ["550 5.1.1 who"] == said(dialogue)
    assert Stage.READY is stage(dialogue)


def test_a_refused_mail_refuses_all() -> None:
    """Replies to the RCPTs behind it are heard and mean nothing."""
    dialogue = opened()
    dialogue.begin(THREE)
    dialogue.receive(b"550 5.7.1 not you\r\n503 x\r\n503 x\r\n250 odd\r\n354 go\r\n")
    dialogue.receive(b"250 odd\r\n")
    assert ["503 x", "503 x", "550 5.7.1 not you"] == said(dialogue)


def test_a_refused_mail_stops_an_old_peer_at_once() -> None:
    """Without pipelining nothing more is asked."""
    dialogue = opened("8BITMIME")
    dialogue.begin(THREE)
    dialogue.receive(b"451 4.7.1 not yet\r\n")
    assert ["451 4.7.1 not yet"] * 3 == said(dialogue)


def test_all_refused_stops_an_old_peer_before_data() -> None:
    """Without pipelining DATA is not even asked."""
    dialogue = opened("8BITMIME")
    dialogue.begin(ONE)
    dialogue.receive(b"250 ok\r\n")
    dialogue.outgoing()
    dialogue.receive(b"550 5.1.1 who\r\n")
    assert b"RCPT" not in dialogue.outgoing()
    assert ["550 5.1.1 who"] == said(dialogue)


def test_data_refused() -> None:
    """A recipient accepted at RCPT and refused at DATA is refused."""
    dialogue = opened()
    dialogue.begin(ONE)
    dialogue.receive(b"250 ok\r\n250 ok\r\n452 4.3.1 disk full\r\n")
    assert ["452 4.3.1 disk full"] == said(dialogue)


def test_bdat_goes_in_one_piece_with_the_envelope() -> None:
    """A small message for a modern peer costs one write and one round trip."""
    dialogue = opened(MODERN + ",CHUNKING")
    eager = [dialogue.eager]
    dialogue.begin(ONE)
    eager.append(dialogue.eager)
    dialogue.content(b".x\r\n", last=True)
    assert [False, True, False] == [*eager, dialogue.eager]
    assert ENVELOPE.replace(b"DATA\r\n", b"BDAT 4 LAST\r\n.x\r\n") == dialogue.outgoing()
    dialogue.receive(b"250 ok\r\n250 ok\r\n")
    assert dialogue.waiting
    dialogue.receive(b"250 2.6.0 got it\r\n")
    assert ["250 2.6.0 got it"] == said(dialogue)


def test_bdat_in_blocks() -> None:
    """Each chunk has its reply; the last one is the verdict."""
    dialogue = opened(MODERN + ",CHUNKING")
    dialogue.begin(ONE)
    dialogue.outgoing()
    dialogue.receive(b"250 ok\r\n250 ok\r\n")
    assert Stage.CONTENT is stage(dialogue)
    dialogue.content(b"abc", last=False)
    dialogue.receive(b"250 3 octets\r\n")
    assert Stage.CONTENT is stage(dialogue)
    dialogue.content(b"de", last=False)
    dialogue.content(b"", last=True)
    assert b"BDAT 3\r\nabcBDAT 2\r\ndeBDAT 0 LAST\r\n" == dialogue.outgoing()
    dialogue.receive(b"250 2 octets\r\n")
    assert dialogue.waiting
    dialogue.receive(b"250 2.0.0 queued\r\n")
    assert ["250 2.0.0 queued"] == said(dialogue)


def test_a_refused_chunk_ends_the_content() -> None:
    """The rest is not sent, and what is on its way is refused with it."""
    dialogue = opened(MODERN + ",CHUNKING")
    dialogue.begin(ONE)
    dialogue.receive(b"250 ok\r\n250 ok\r\n")
    dialogue.content(b"abc", last=False)
    dialogue.content(b"abc", last=False)
    dialogue.receive(b"552 5.3.4 too big\r\n")
    assert Stage.FINAL is stage(dialogue)
    dialogue.receive(b"503 5.5.1 what\r\n")
    assert ["552 5.3.4 too big"] == said(dialogue)
    assert Stage.READY is stage(dialogue)


def test_all_refused_before_an_eager_chunk() -> None:
    """The chunk's own reply means nothing then, not even a good one."""
    dialogue = opened(MODERN + ",CHUNKING")
    dialogue.begin(ONE)
    dialogue.content(b"x\r\n", last=True)
    dialogue.receive(b"250 ok\r\n550 5.1.1 who\r\n250 odd\r\n")
    assert ["550 5.1.1 who"] == said(dialogue)


def test_all_refused_before_chunks() -> None:
    """No chunk is sent when nobody wants it."""
    dialogue = opened(MODERN + ",CHUNKING")
    dialogue.begin(ONE)
    dialogue.receive(b"250 ok\r\n450 4.2.1 busy\r\n")
    assert ["450 4.2.1 busy"] == said(dialogue)


def test_bdat_is_used_only_where_allowed() -> None:
    """The operator may prefer DATA."""
    dialogue = opened(MODERN + ",CHUNKING", chunking=False)
    dialogue.begin(ONE)
    assert ENVELOPE == dialogue.outgoing()


def test_what_they_cannot_take_is_not_even_asked() -> None:
    """No 8BITMIME, no message: the connection is as good as before."""
    dialogue = opened("PIPELINING")
    dialogue.begin(replace(ONE, body=Body.EIGHT_BIT))
    assert b"" == dialogue.outgoing()
    assert [str(NO_EIGHT_BIT)] == said(dialogue)
    assert outcome(dialogue).reusable
    assert not outcome(dialogue).dsn
    dialogue.begin(ONE)
    assert ENVELOPE == dialogue.outgoing()


def test_recipients_beyond_their_limit_wait() -> None:
    """RFC 9422: those beyond RCPTMAX are put off, the others go."""
    dialogue = opened(MODERN + ",LIMITS RCPTMAX=2 MAILMAX=1")
    dialogue.begin(THREE)
    assert b"c@chu.example" not in dialogue.outgoing()
    dialogue.receive(b"250 ok\r\n250 ok\r\n550 5.1.1 who\r\n354 go\r\n")
    dialogue.content(b"x\r\n", last=True)
    dialogue.receive(b"250 ok\r\n")
    assert ["250 ok", "550 5.1.1 who", str(TOO_MANY_FOR_THEM)] == said(dialogue)
    assert not outcome(dialogue).reusable


@pytest.mark.parametrize(
    ("heard", "content", "then", "expected"),
    [
        (b"", False, b"421 4.3.2 restarting\r\n", "421 4.3.2 restarting"),
        (b"250 ok\r\n", False, b"garbage\r\n", str(GARBLED)),
        (b"", False, b"354 go\r\n", str(GARBLED)),
        (b"", False, b"334 go\r\n", str(GARBLED)),
        (b"250 ok\r\n250 ok\r\n", False, b"250 ok\r\n", str(GARBLED)),
        (b"250 ok\r\n250 ok\r\n354 go\r\n", False, b"250 early\r\n", str(GARBLED)),
        (b"250 ok\r\n250 ok\r\n354 go\r\n", False, b"552 5.3.4 too big\r\n", "552 5.3.4 too big"),
        (b"250 ok\r\n250 ok\r\n354 go\r\n", True, b"354 again\r\n", str(GARBLED)),
        (b"250 ok\r\n250 ok\r\n354 go\r\n", True, b"421 4.4.2 bye\r\n", "421 4.4.2 bye"),
        (b"250 ok\r\n250 ok\r\n354 go\r\n", True, b"x" * 4000, str(GARBLED)),
    ],
)
def test_a_peer_that_misbehaves(heard: bytes, content: bool, then: bytes, expected: str) -> None:  # noqa: FBT001
    """Garbage, early answers, 421: the outcome is put off, or what they said, and never 250."""
    dialogue = opened()
    dialogue.begin(ONE)
    dialogue.receive(heard)
    if content:
        dialogue.content(b"x\r\n", last=True)
    dialogue.receive(then)
    assert [expected] == said(dialogue)
    assert not outcome(dialogue).reusable
    assert dialogue.failure is not None
    assert dialogue.failure.transient


def test_a_connection_lost_before_the_verdict_is_no_verdict() -> None:
    """Lost or silent at any point: put off; it is never said to have arrived."""
    for end, reply in ((LOST, LOST), (SILENT, SILENT)):
        dialogue = opened()
        dialogue.begin(ONE)
        dialogue.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
        dialogue.content(b"x\r\n", last=True)
        dialogue.close(end)
        assert [str(reply)] == said(dialogue)
        assert not outcome(dialogue).stale


def test_250_and_then_gone() -> None:
    """What was promised stays promised; the connection takes no more."""
    dialogue = opened()
    dialogue.begin(ONE)
    dialogue.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    dialogue.content(b"x\r\n", last=True)
    dialogue.receive(b"250 2.0.0 queued\r\n")
    dialogue.close(LOST)
    assert ["250 2.0.0 queued"] == said(dialogue)
    dialogue.begin(ONE)
    assert [str(LOST)] == said(dialogue)
    assert outcome(dialogue).stale
    assert not outcome(dialogue).reusable


def test_a_connection_found_dead_is_stale() -> None:
    """A reused connection that says nothing to a new message may be replaced at once."""
    dialogue = opened()
    dialogue.begin(replace(ONE, body=Body.SEVEN_BIT))
    dialogue.receive(b"550 no\r\n503 no\r\n503 no\r\n")
    assert not outcome(dialogue).stale
    dialogue.begin(ONE)
    dialogue.close(LOST)
    assert outcome(dialogue).stale


def test_an_unasked_goodbye_between_messages() -> None:
    """A server that times out says 421; anything unasked ends the conversation."""
    for wire, failure in (
        (b"421 4.4.2 idle\r\n", "421 4.4.2 idle"),
        (b"554 5.0.0 no\r\n", "451 4.3.2 The next hop takes no mail now; it said: 554 5.0.0 no"),
        (b"250 ok\r\n", str(GARBLED)),
    ):
        dialogue = opened()
        dialogue.receive(wire)
        assert failure == str(dialogue.failure)
        dialogue.receive(b"250 more\r\n")
        assert failure == str(dialogue.failure)


def test_quit_is_said_when_it_is_our_turn() -> None:
    """Between messages we say goodbye, in the middle of one we just go."""
    dialogue = opened()
    dialogue.quit()
    assert b"QUIT\r\n" == dialogue.outgoing()
    busy = opened()
    busy.begin(ONE)
    busy.outgoing()
    busy.quit()
    assert b"" == busy.outgoing()
    assert [str(LOST)] == said(busy)


SPOKEN = st.sampled_from(
    [
        b"220 hi\r\n",
        b"250-me\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 STARTTLS\r\n",
        b"250-me\r\n250 STARTTLS\r\n",
        b"250 ok\r\n",
        b"354 go\r\n",
        b"451 later\r\n",
        b"550 no\r\n",
        b"421 bye\r\n",
        b"25",
        b"0 ok\r\n",
        b"junk\r\n",
    ]
)


@given(st.lists(SPOKEN | st.binary(max_size=20), max_size=30), st.booleans())
def test_any_peer_gets_an_end(spoken: list[bytes], ready: bool) -> None:  # noqa: FBT001
    """Whatever is said, each message has one reply a recipient, and none is 3yz or lost."""
    dialogue = opened("PIPELINING,CHUNKING") if ready else Dialogue("mx.labo.example")
    for wire in spoken:
        if dialogue.stage is Stage.HANDSHAKE:
            dialogue.secured()
        if dialogue.stage is Stage.READY:
            dialogue.begin(THREE)
        elif dialogue.stage is Stage.CONTENT:
            dialogue.content(b"x\r\n", last=len(wire) % 2 == 0)
        dialogue.receive(wire)
        dialogue.outgoing()
    dialogue.close(LOST)
    if dialogue.outcome is None:
        dialogue.begin(THREE)
    replies = [reply.code for _, reply in outcome(dialogue).replies]
    assert 3 == len(replies)
    assert not [code for code in replies if 300 <= code < 400]


@given(st.lists(st.integers(0, 90), max_size=8))
def test_any_split_gives_the_same_outcome(places: list[int]) -> None:
    """How the network cut the replies does not change what became of the message."""
    wire = b"250 ok\r\n250 ok\r\n550 5.1.1 who\r\n250 ok\r\n354 go\r\n"
    dialogue = opened()
    dialogue.begin(THREE)
    at = 0
    for place in [*sorted(places), len(wire)]:
        dialogue.receive(wire[at:place])
        at = max(at, min(place, len(wire)))
    dialogue.content(b"x\r\n", last=True)
    dialogue.receive(b"250 done\r\n")
    assert ["250 done", "550 5.1.1 who", "250 done"] == said(dialogue)


def delivering(*answers: bytes) -> Dialogue:
    """Return a conversation in LMTP with a server that nobody else hears, three recipients on."""
    dialogue = Dialogue("mx.chu.example", lmtp=True, private=True)
    dialogue.receive(b"220 hello\r\n")
    assert b"LHLO mx.chu.example\r\n" == dialogue.outgoing()
    dialogue.receive(b"250-me\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n250 PIPELINING\r\n")
    assert Stage.READY is stage(dialogue)
    dialogue.begin(THREE)
    for answer in answers:
        dialogue.receive(answer)
    return dialogue


ENTERED = b"250 2.1.0 ok\r\n250 2.1.5 a\r\n550 5.1.1 no b\r\n250 2.1.5 c\r\n354 go\r\n"


def test_a_mailbox_server_answers_for_each_recipient() -> None:
    """LMTP: the content is answered once a recipient that was accepted (RFC 2033 §4.2)."""
    dialogue = delivering(ENTERED)
    assert b"BDAT" not in dialogue.outgoing()
    dialogue.content(b"hello\r\n", last=True)
    assert b"hello\r\n.\r\n" == dialogue.outgoing()
    dialogue.receive(b"250 2.0.0 a saved\r\n")
    assert dialogue.waiting
    dialogue.receive(b"452 4.2.2 c is full\r\n")

    assert Stage.READY is stage(dialogue)
    assert ["250 2.0.0 a saved", "550 5.1.1 no b", "452 4.2.2 c is full"] == said(dialogue)
    assert outcome(dialogue).reusable


def test_a_mailbox_server_that_goes_half_way_has_kept_what_it_said() -> None:
    """Each recipient's 250 counts by itself: only the others are tried again."""
    dialogue = delivering(ENTERED)
    dialogue.content(b"hello\r\n", last=True)
    dialogue.receive(b"250 2.0.0 a saved\r\n")
    dialogue.close(LOST)

    assert ["250 2.0.0 a saved", "550 5.1.1 no b", str(LOST)] == said(dialogue)


def test_a_mailbox_server_that_takes_content_for_nobody_is_left() -> None:
    """After a 354 that nobody accepted, no reply would say where we are (RFC 2033 §4.2)."""
    no = b"550 5.1.1 no\r\n"
    dialogue = delivering(b"250 2.1.0 ok\r\n" + 3 * no + b"354 go\r\n")

    assert Stage.CLOSED is stage(dialogue)
    assert 3 * ["550 5.1.1 no"] == said(dialogue)


def test_a_mailbox_server_refuses_the_content_before_it_came() -> None:
    """What is said to DATA is said to all who were accepted."""
    dialogue = delivering(ENTERED.replace(b"354 go", b"451 4.3.0 later"))

    assert ["451 4.3.0 later", "550 5.1.1 no b", "451 4.3.0 later"] == said(dialogue)


def test_a_private_way_needs_no_tls() -> None:
    """A server that only we can hear is not asked for TLS; any other is."""
    dialogue = Dialogue("mx.chu.example", lmtp=True)
    dialogue.receive(b"220 hello\r\n250 me\r\n")
    assert NO_TLS == dialogue.failure


def concluded(keywords: str, outgoing: Outgoing, verdict: bytes) -> Outcome:
    """Send one message whole and have it answered so."""
    dialogue = opened(keywords, chunking=False)
    dialogue.begin(outgoing)
    dialogue.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    dialogue.content(b"x\r\n", last=True)
    dialogue.receive(verdict)
    return outcome(dialogue)


@pytest.mark.parametrize(
    ("keywords", "changed", "verdict", "expected"),
    [
        ("XTRANSFER", {}, b"250 2.0.0 Delivered, reference 1\r\n", True),
        ("XTRANSFER", {}, b"250 2.0.0 Delivered\r\n", True),
        ("XTRANSFER", {}, b"250 2.0.0 Accepted, reference 1\r\n", False),
        ("XTRANSFER", {}, b"250 2.0.0 Delivered tomorrow, perhaps\r\n", False),
        ("XTRANSFER", {}, b"550 5.0.0 Delivered, never\r\n", False),
        ("DSN", {}, b"250 2.0.0 Delivered, reference 1\r\n", False),
        ("XTRANSFER", {"transfer": None}, b"250 2.0.0 Delivered, reference 1\r\n", False),
        ("XTRANSFER,XRECALL", {"recall": True}, b"250 2.0.0 Delivered, reference 1\r\n", False),
        ("XTRANSFER,XLARGE 9", {"large": 9}, b"250 2.0.0 Delivered, reference 1\r\n", False),
    ],
)
def test_another_sceau_may_say_that_it_arrived(
    keywords: str,
    changed: dict[str, object],
    verdict: bytes,
    expected: bool,  # noqa: FBT001
) -> None:
    """Only of a message that bore a mark, to a peer that knows what the mark asks for."""
    outgoing = replace(replace(ONE, transfer="01ABC"), **changed)
    assert expected is concluded(keywords, outgoing, verdict).delivered
