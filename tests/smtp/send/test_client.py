"""The way out over real sockets: TLS first and always, the body as it was, one outcome each."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from msgspec.structs import replace

from smtp import reply
from smtp.address import parse
from smtp.envelope import Body, Draft, Mail, Notify, Peer, Recipient, Ret
from smtp.receive.rules import Rules
from smtp.reply import Reply
from smtp.send import client
from smtp.send.client import Connection, Entitled, Outcome, Outgoing
from smtp.send.dialogue import GARBLED, INJECTED, LOST, NO_TLS, SILENT
from smtp.send.outgoing import NO_EIGHT_BIT, NO_UTF8_ADDRESSES, TOO_BIG_FOR_THEM
from tests.smtp.stage import NOW, Pki, opened, run
from tests.smtp.talk import MODERN, Talk, hop

A, B, C = (Recipient(parse(f"{name}@chu.example")) for name in "abc")
ONE = Outgoing(parse("martin@labo.example"), (A,), size=7)
THREE = Outgoing(parse("martin@labo.example"), (A, B, C), size=7)
BODY = b"hello\r\n"
BIG = b"".join(b".%d line\r\n" % n for n in range(200_000))
SMALL = BIG[: BIG.index(b"\r\n", 5000) + 2]
NOT_LISTED = Reply(451, "4.7.1", "not on the list")
both_loops = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


async def body(*blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


def judged(said: Reply | None) -> Entitled:
    async def entitled(der: bytes, issuers: tuple[bytes, ...]) -> Reply | None:
        return said

    return entitled


async def dial(port: int, pki: Pki, **wishes: Any) -> Connection | Reply:
    chosen: dict[str, Any] = {
        "helo": "mx.labo.example",
        "context": pki.client(),
        "entitled": judged(None),
        "connect_timeout": 5,
        "reply_timeout": 5,
    } | wishes
    return await Connection.open("127.0.0.1", port, **chosen)


async def connected(port: int, pki: Pki, **wishes: Any) -> Connection:
    connection = await dial(port, pki, **wishes)
    assert isinstance(connection, Connection), connection
    return connection


def said(outcome: Outcome) -> list[str]:
    return [str(reply) for _, reply in outcome.replies]


@both_loops
def test_messages_go_over_one_connection(loop: str, pki: Pki) -> None:
    """The certificate is judged first; then the envelope in one piece, and the content."""
    order: list[str] = []
    taken: list[tuple[list[str], bytes]] = []

    async def script(talk: Talk) -> None:
        await talk.ready()
        order.append("hop ready")
        taken.extend([await talk.take(), await talk.take()])
        assert b"QUIT\r\n" == await talk.end()

    async def main() -> None:
        async with hop(pki.server(client_certificates=True), script) as listening:
            certificates: list[bytes] = []

            async def entitled(der: bytes, issuers: tuple[bytes, ...]) -> None:
                order.append("judged")
                certificates.append(der)
                assert (pki.authority.issuing.der, pki.authority.root.der) == issuers

            connection = await connected(listening.port, pki, entitled=entitled)
            assert [connection.certificate] == certificates
            first = await connection.send(ONE, body(BODY))
            second = await connection.send(ONE, body(b".", b"dot"))
            assert [
                Outcome(((A.address, Reply(250, "2.0.0", "queued")),), dsn=True, reusable=True)
            ] * 2 == [
                first,
                second,
            ]
            assert "<Connection ready>" == repr(connection)
            usable = [connection.usable]
            await connection.close()
            assert [True, False] == [*usable, connection.usable]
            assert 1 == listening.connections

    run(loop, main())
    assert ["judged", "hop ready"] == order
    commands = ["MAIL FROM:<martin@labo.example>", "RCPT TO:<a@chu.example>", "DATA"]
    assert [(commands, b"hello\r\n.\r\n"), (commands, b"..dot\r\n.\r\n")] == taken


@both_loops
@pytest.mark.parametrize("chunking", [True, False])
def test_a_large_body_arrives_as_it_was(loop: str, chunking: bool, pki: Pki) -> None:  # noqa: FBT001
    """Every octet, however the blocks fall, by BDAT and by DATA."""
    arrived: list[bytes] = []

    async def script(talk: Talk) -> None:
        await talk.ready(MODERN + (",CHUNKING" if chunking else ""))
        if not chunking:
            _, content = await talk.take()
            arrived.append(content[:-3].replace(b"\r\n..", b"\r\n.")[1:])
            return
        await talk.hear(2)
        await talk.say("250 ok", "250 ok")
        content = b""
        last = False
        while not last:
            words = (await talk.hear())[0].split()
            content += await talk.reader.readexactly(int(words[1]))
            last = words[2:] == ["LAST"]
            await talk.say("250 2.0.0 queued")
        arrived.append(content)

    async def main() -> None:
        async with hop(pki.server(client_certificates=True), script) as listening:
            connection = await connected(listening.port, pki)
            blocks = (BIG[at : at + 65_536] for at in range(0, len(BIG), 65_536))
            outcome = await connection.send(ONE, body(*blocks))
            assert ["250 2.0.0 queued"] == said(outcome)
            await connection.close()

    talk_limit = 2**25
    original = asyncio.start_server
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "start_server", lambda *a, **k: original(*a, limit=talk_limit, **k))
        run(loop, main())
    assert [hashlib.sha256(BIG).hexdigest()] == [hashlib.sha256(b).hexdigest() for b in arrived]


async def test_a_small_message_costs_one_piece_with_bdat(pki: Pki) -> None:
    """Envelope and content arrive before any reply was given."""

    async def script(talk: Talk) -> None:
        await talk.ready(MODERN + ",CHUNKING")
        assert "BDAT 7 LAST" == (await talk.hear(3))[2]
        assert BODY == await talk.reader.readexactly(7)
        await talk.say("250 ok", "250 ok", "250 2.0.0 queued")

    async with hop(pki.server(client_certificates=True), script) as listening:
        connection = await connected(listening.port, pki)
        assert ["250 2.0.0 queued"] == said(await connection.send(ONE, body(BODY)))
        await connection.close()


async def test_one_recipient_of_three_is_put_off(pki: Pki) -> None:
    """Each recipient gets its own reply."""

    async def script(talk: Talk) -> None:
        await talk.ready("PIPELINING")
        await talk.hear(5)
        await talk.say("250 ok", "250 ok", "451 4.2.1 later", "250 ok", "354 go")
        await talk.body()
        await talk.say("250 2.0.0 queued")

    async with hop(pki.server(client_certificates=True), script) as listening:
        connection = await connected(listening.port, pki)
        outcome = await connection.send(THREE, body(BODY))
        assert ["250 2.0.0 queued", "451 4.2.1 later", "250 2.0.0 queued"] == said(outcome)
        assert not outcome.dsn
        await connection.close()


@pytest.mark.parametrize(
    ("outgoing", "keywords", "refusal"),
    [
        (Outgoing(None, (A,), 7, Body.EIGHT_BIT), "PIPELINING", NO_EIGHT_BIT),
        (Outgoing(None, (A,), 7, smtputf8=True), "PIPELINING", NO_UTF8_ADDRESSES),
        (Outgoing(None, (A,), 7), "PIPELINING,SIZE 6", TOO_BIG_FOR_THEM),
    ],
)
async def test_no_conversion(outgoing: Outgoing, keywords: str, refusal: Reply, pki: Pki) -> None:
    """What the hop cannot take is refused here, without a word to the hop."""

    async def script(talk: Talk) -> None:
        await talk.ready(keywords)
        assert b"QUIT\r\n" == await talk.end()

    async with hop(pki.server(client_certificates=True), script) as listening:
        connection = await connected(listening.port, pki)
        outcome = await connection.send(outgoing, body(BODY))
        assert Outcome(((A.address, refusal),), dsn=False, reusable=True) == outcome
        await connection.close()


async def test_a_limit_on_recipients_is_known(pki: Pki) -> None:
    """Whoever groups recipients can ask how many go at once."""

    async def script(talk: Talk) -> None:
        await talk.ready("LIMITS RCPTMAX=7")
        await talk.end()

    async with hop(pki.server(client_certificates=True), script) as listening:
        connection = await connected(listening.port, pki)
        assert 7 == connection.recipients_max
        await connection.close()


@both_loops
def test_a_wrong_certificate_hears_nothing_of_us(loop: str, pki: Pki) -> None:
    """A peer that the list does not name gets no EHLO under TLS, and no MAIL."""
    heard: list[bytes] = []

    async def script(talk: Talk) -> None:
        await talk.tls()
        heard.append(await talk.end())

    async def main() -> None:
        async with hop(pki.server(client_certificates=True), script) as listening:
            assert NOT_LISTED == await dial(listening.port, pki, entitled=judged(NOT_LISTED))

    run(loop, main())
    assert not any(heard)


@both_loops
def test_a_certificate_of_an_unknown_authority(loop: str, pki: Pki) -> None:
    """TLS fails, the operator learns why, the message waits."""

    async def script(talk: Talk) -> None:
        await talk.tls()

    async def main() -> Connection | Reply:
        context = pki.server(client_certificates=False)
        context.load_cert_chain(*pki.stranger)
        async with hop(context, script) as listening:
            return await dial(listening.port, pki)

    failure = run(loop, main())
    assert isinstance(failure, Reply)
    assert "451 4.7.0" == str(failure)[:9]
    assert "unable to get local issuer certificate" in failure.text


@pytest.mark.parametrize(
    ("starts", "words"),
    [(timedelta(days=-30), "certificate has expired"), (timedelta(days=30), "not yet valid")],
)
async def test_a_certificate_out_of_its_time(
    starts: timedelta, words: str, pki: Pki, tmp_path: Path
) -> None:
    """Expired or not yet valid: the message waits, and the operator reads why."""
    context = pki.server(client_certificates=False)
    issued = pki.authority.issue("late", starts=NOW + starts, days=1)
    context.load_cert_chain(*issued.write(tmp_path, "late"))

    async def script(talk: Talk) -> None:
        await talk.tls()

    async with hop(context, script) as listening:
        failure = await dial(listening.port, pki)
    assert isinstance(failure, Reply)
    assert words in failure.text
    assert failure.transient


@both_loops
def test_a_peer_that_does_not_know_our_certificate(loop: str, pki: Pki) -> None:
    """With TLS 1.3 the refusal comes after the handshake: still no message goes out."""

    async def script(talk: Talk) -> None:
        await talk.ready()
        await talk.end()

    async def main() -> Connection | Reply:
        async with hop(pki.server(client_certificates=True), script) as listening:
            return await dial(listening.port, pki, context=pki.client(certificate=pki.stranger))

    failure = run(loop, main())
    assert isinstance(failure, Reply)
    assert failure.transient
    assert "our certificate" in failure.text or "TLS with the next hop failed" in failure.text


@pytest.mark.parametrize(
    ("lines", "failure"),
    [
        (["220 hi", "250 DSN"], NO_TLS),
        (["220 hi", "250 STARTTLS", "454 4.7.0 not now"], Reply(454, "4.7.0", "not now")),
        (["220 hi", "250 STARTTLS", "220 go\r\n250 PIPELINING"], INJECTED),
        (["421 4.3.2 busy"], Reply(421, "4.3.2", "busy")),
        (["220 " + "x" * 5000], GARBLED),
        (["HTTP/1.1 400 Bad Request"], GARBLED),
        (["220 hi", "500 5.5.1 what"], None),
    ],
)
async def test_without_tls_nothing_is_said(
    lines: list[str], failure: Reply | None, pki: Pki
) -> None:
    """No TLS, bytes before TLS, garbage, EHLO refused: put off, and no MAIL in clear."""
    heard: list[str] = []

    async def script(talk: Talk) -> None:
        for line in lines:
            await talk.say(line if line[3:] != " STARTTLS" else "250-me\r\n250 STARTTLS")
            heard.extend(await talk.hear())
        heard.append((await talk.end()).decode())

    async with hop(pki.server(client_certificates=True), script) as listening:
        told = await dial(listening.port, pki)
        assert isinstance(told, Reply)
        assert told.transient
        assert failure in {None, told}
    assert not [line for line in heard if line.startswith(("MAIL", "HELO"))]


async def test_a_peer_that_drops_after_the_greeting(pki: Pki) -> None:
    """A connection lost while it opens is put off."""

    async def script(talk: Talk) -> None:
        await talk.say("220 hi")

    async with hop(pki.server(client_certificates=True), script) as listening:
        assert LOST == await dial(listening.port, pki)


async def test_a_peer_that_drops_instead_of_tls(pki: Pki) -> None:
    """A connection lost in the handshake is put off."""

    async def script(talk: Talk) -> None:
        await talk.say("220 hi")
        await talk.hear()
        await talk.say("250-me", "250 STARTTLS")
        await talk.hear()
        await talk.say("220 go")

    async with hop(pki.server(client_certificates=True), script) as listening:
        failure = await dial(listening.port, pki)
        assert isinstance(failure, Reply)
        assert failure.transient


async def test_nobody_listens(pki: Pki) -> None:
    """A host that is down is put off."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert client.UNREACHABLE == await dial(port, pki)


async def test_a_silent_peer_is_not_waited_for_for_ever(pki: Pki) -> None:
    """No greeting in time: put off."""

    async def script(talk: Talk) -> None:
        await talk.end()

    async with hop(pki.server(client_certificates=True), script) as listening:
        assert SILENT == await dial(listening.port, pki, reply_timeout=0.05)


async def test_a_peer_that_drips_is_silent(pki: Pki) -> None:
    """Half a reply, octet by octet, is no sign of life."""

    async def script(talk: Talk) -> None:
        await talk.say("220-hi")
        await talk.end()

    async with hop(pki.server(client_certificates=True), script) as listening:
        assert SILENT == await dial(listening.port, pki, reply_timeout=0.05)


async def test_no_answer_to_the_final_dot(pki: Pki) -> None:
    """Perhaps they have it, perhaps not: it is not said to have arrived."""

    async def script(talk: Talk) -> None:
        await talk.ready()
        await talk.hear(3)
        await talk.say("250 ok", "250 ok", "354 go")
        await talk.body()
        await talk.end()

    async with hop(pki.server(client_certificates=True), script) as listening:
        connection = await connected(listening.port, pki, reply_timeout=0.1)
        outcome = await connection.send(ONE, body(BODY))
        assert Outcome(((A.address, SILENT),), dsn=True, reusable=False) == outcome
        assert not connection.usable


async def test_a_slow_peer_that_answers_is_alive(pki: Pki) -> None:
    """The time allowed is for each reply, not for all of them."""

    async def script(talk: Talk) -> None:
        await talk.ready()
        await talk.end()

    async with hop(pki.server(client_certificates=True), script) as listening:
        connection = await connected(listening.port, pki)
        wire = connection._wire
        wire._overdue(60, wire.dialogue.answered - 1)
        assert connection.usable
        wire._timer.cancel()
        await connection.close()


async def test_a_peer_that_reads_nothing_holds_the_body_back(pki: Pki) -> None:
    """Only so much of a body leaves its store as the peer takes; then the peer is dropped."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 65_534 + b"\r\n"

    async def script(talk: Talk) -> None:
        await talk.ready()
        await talk.hear(3)
        await talk.say("250 ok", "250 ok", "354 go")
        talk.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with hop(pki.server(client_certificates=True), script) as listening:
        connection = await connected(listening.port, pki, reply_timeout=0.2)
        outcome = await asyncio.wait_for(connection.send(ONE, endless()), 30)
        assert [str(SILENT)] == said(outcome)
        assert read * 65_536 < 64 << 20


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], LOST),
        (["garbage"], GARBLED),
        (["250 ok", "250 ok", "354 go", "552 5.3.4 too big"], Reply(552, "5.3.4", "too big")),
        (["421 4.3.2 restarting"], Reply(421, "4.3.2", "restarting")),
    ],
)
async def test_a_peer_that_breaks_off(answers: list[str], expected: Reply, pki: Pki) -> None:
    """Lost, garbled, ended early: their word if they gave one, else put off."""

    async def script(talk: Talk) -> None:
        await talk.ready()
        await talk.hear(3)
        await talk.say(*answers)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_534 + b"\r\n"

    async with hop(pki.server(client_certificates=True), script) as listening:
        connection = await connected(listening.port, pki)
        outcome = await asyncio.wait_for(connection.send(ONE, endless()), 30)
        assert [str(expected)] == said(outcome)
        assert not outcome.reusable
        await connection.close()


@both_loops
def test_250_and_then_gone(loop: str, pki: Pki) -> None:
    """The first message is theirs; the second finds the connection dead, and may try anew."""

    async def script(talk: Talk) -> None:
        await talk.ready()
        await talk.take()

    async def main() -> None:
        async with hop(pki.server(client_certificates=True), script) as listening:
            connection = await connected(listening.port, pki)
            assert ["250 2.0.0 queued"] == said(await connection.send(ONE, body(BODY)))
            await connection._wire.ended()
            assert not connection.usable
            assert Outcome(((A.address, LOST),), dsn=True, reusable=False, stale=True) == (
                await connection.send(ONE, body(BODY))
            )

    run(loop, main())


@both_loops
def test_a_body_that_breaks_is_never_ended(loop: str, pki: Pki) -> None:
    """If our own store fails half-way, the peer sees a lost connection and no final dot."""
    content: list[bytes] = []

    async def script(talk: Talk) -> None:
        await talk.ready()
        await talk.hear(3)
        await talk.say("250 ok", "250 ok", "354 go")
        content.append(await talk.end())

    async def broken() -> AsyncIterator[bytes]:
        yield BODY
        yield BODY
        raise RuntimeError("the disk is gone")

    async def main() -> None:
        async with hop(pki.server(client_certificates=True), script) as listening:
            connection = await connected(listening.port, pki)
            with pytest.raises(RuntimeError, match="the disk is gone"):
                await connection.send(ONE, broken())
            assert not connection.usable

    run(loop, main())
    assert b".\r\n" not in content[0]


async def test_a_cancelled_message_is_never_ended(pki: Pki) -> None:
    """When the gateway stops in the middle, the peer has nothing."""
    content: list[bytes] = []
    waiting = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.ready()
        await talk.hear(3)
        await talk.say("250 ok", "250 ok", "354 go")
        content.append(await talk.end())

    async def stuck() -> AsyncIterator[bytes]:
        yield BODY
        yield BODY
        waiting.set()
        await asyncio.Event().wait()

    async with hop(pki.server(client_certificates=True), script) as listening:
        connection = await connected(listening.port, pki)
        sending = asyncio.ensure_future(connection.send(ONE, stuck()))
        await waiting.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert not connection.usable
    assert b".\r\n" not in content[0]


async def test_a_peer_that_lingers_is_cut_off(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    """QUIT is polite, and not for ever."""
    monkeypatch.setattr(client, "_GOODBYE", 0.05)

    async def script(talk: Talk) -> None:
        await talk.ready()
        talk.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.wait_for(closed.wait(), 5)

    closed = asyncio.Event()
    async with hop(pki.server(client_certificates=True), script) as listening:
        connection = await connected(listening.port, pki)
        await connection.close()
        closed.set()


class Taker:
    """What aiosmtpd calls with a message."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_DATA(self, _: object, __: object, envelope: Envelope) -> str:  # noqa: N802
        self.taken.append(envelope)
        return "250 2.0.0 taken"


async def test_an_independent_server_takes_our_mail(pki: Pki) -> None:
    """An aiosmtpd neither pipelines nor knows DSN; dots, 8-bit and SMTPUTF8 arrive."""
    taker = Taker()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            taker,
            hostname="hop.example",
            tls_context=pki.server(client_certificates=True),
            require_starttls=True,
            enable_SMTPUTF8=True,
            loop=loop,
        ),
        "127.0.0.1",
        0,
    )
    connection = await connected(server.sockets[0].getsockname()[1], pki)
    outgoing = Outgoing(
        parse("martin@labo.example"),
        (A, Recipient(parse("é@chu.example"), frozenset({Notify.FAILURE}), "rfc822;x@y.example")),
        size=20,
        body=Body.EIGHT_BIT,
        envid="x",
        ret=Ret.FULL,
        transfer="t",
    )
    first = await connection.send(outgoing, body("Subject: é\r\n\r\n.dot\r\n".encode()))
    second = await connection.send(ONE, body(BODY))
    assert ["250 2.0.0 taken"] * 2 == said(first)
    assert ["250 2.0.0 taken"] == said(second)
    assert not first.dsn
    assert ["a@chu.example", "é@chu.example"] == taker.taken[0].rcpt_tos
    assert "Subject: é\r\n\r\n.dot\r\n".encode() == taker.taken[0].content
    await connection.close()
    server.close()
    await server.wait_closed()


class Keeping:
    """An intake that keeps what it gets, and refuses one name."""

    def __init__(self) -> None:
        self.kept: list[tuple[Draft, bytes]] = []

    async def met(self, peer: Peer) -> None:
        assert peer.certificate is not None

    def mail(self, draft: Draft) -> Reply:
        return reply.SENDER_OK

    def rcpt(self, draft: Draft, recipient: Recipient) -> Reply:
        return reply.NO_SUCH_MAILBOX if recipient == B else reply.RECIPIENT_OK

    async def accept(self, draft: Draft, body: AsyncIterator[bytes]) -> Reply:
        self.kept.append((draft, b"".join([block async for block in body])))
        return reply.OK

    def heard(self, draft: Draft, *, certain: bool) -> None:
        assert certain

    async def abandoned(self, draft: Draft) -> None:
        return None


@both_loops
@pytest.mark.parametrize("chunking", [True, False])
def test_our_own_door_understands_our_client(loop: str, chunking: bool, pki: Pki) -> None:  # noqa: FBT001
    """Every parameter and every octet arrives as it was given, in small and in large."""
    asked = Recipient(
        parse("hélène@chu.example"),
        frozenset({Notify.SUCCESS, Notify.FAILURE}),
        "utf-8;hélène+x@chu.example",
    )
    outgoing = Outgoing(
        parse("martin@labo.example"),
        (A, B, asked),
        size=len(BIG),
        body=Body.EIGHT_BIT,
        smtputf8=True,
        envid="id +=1",
        ret=Ret.FULL,
        transfer="01K0TRANSFER",
    )

    async def main() -> Keeping:
        intake = Keeping()
        async with opened(Rules.of("relay", "mx.chu.example"), pki, intake) as door:
            connection = await connected(door.port, pki, chunking=chunking)
            blocks = [BIG[at : at + 65_536] for at in range(0, len(BIG), 65_536)]
            for sent in ([SMALL], blocks, [SMALL]):
                outcome = await connection.send(outgoing, body(*sent))
                assert [reply.OK, reply.NO_SUCH_MAILBOX, reply.OK] == [
                    r for _, r in outcome.replies
                ]
                assert outcome.dsn
                assert outcome.reusable
            refused = replace(outgoing, recipients=(B,))
            assert [str(reply.NO_SUCH_MAILBOX)] == said(await connection.send(refused, body(BODY)))
            assert [str(reply.OK)] == said(await connection.send(ONE, body(BODY)))
            await connection.close()
        return intake

    kept = run(loop, main()).kept
    assert [SMALL, BIG, SMALL, BODY] == [content for _, content in kept]
    draft = kept[0][0]
    assert (
        Mail(
            outgoing.mail_from,
            len(BIG),
            Body.EIGHT_BIT,
            True,
            Ret.FULL,
            "id +=1",
            "01K0TRANSFER",
        )
        == draft.mail
    )
    assert (A, asked) == draft.recipients
