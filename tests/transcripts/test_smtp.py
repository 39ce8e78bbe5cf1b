"""Every conversation, three times: the core in blocks, the core byte by byte, the real server."""

import asyncio
from collections.abc import Iterable

import pytest

from smtp import reply
from smtp.address import Address
from smtp.envelope import Draft, Peer
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
from smtp.receive.login import PasswordClaim, TokenClaim
from smtp.receive.session import Session
from smtp.reply import Reply
from tests.smtp.stage import LOOPS, Pki, Wire, opened, run
from tests.transcripts.play import TOKEN, USER, Desk, Step, Transcript, matches, transcripts

ALL = list(transcripts())
LOG_IN = "AUTH PLAIN AGRyQGxhYm8uZXhhbXBsZQByaWdodA=="


def prelude(transcript: Transcript) -> list[Step]:
    """What a client does before the conversation begins, unless it is a raw one."""
    rules = transcript.rules
    if transcript.raw:
        return []
    lines = ["S: 220"]
    if not rules.implicit_tls:
        lines += ["C: EHLO mx.example", "S: 250*", "C: STARTTLS", "S: 220", "~: tls"]
    if "PLAIN" in rules.mechanisms:
        lines += ["C: EHLO mx.example", "S: 250*", f"C: {LOG_IN}", "S: 235"]
    if "EXTERNAL" in rules.mechanisms:
        lines += ["C: EHLO mx.example", "S: 250*", "C: AUTH EXTERNAL =", "S: 235"]
    return [Step(line[0], line[3:], line[3:].encode() + b"\r\n") for line in lines]


class Core:
    """The state machine with the desk behind it, and no event loop."""

    def __init__(self, transcript: Transcript, desk: Desk, *, whole: bool) -> None:
        rules = transcript.rules
        self.secure = Peer(
            "192.0.2.1",
            tls="TLSv1.3",
            certificate=b"der" if rules.certificate else None,
            listener=rules.listener,
        )
        clear = Peer("192.0.2.1", listener=rules.listener)
        self.session = Session(rules, self.secure if rules.implicit_tls else clear)
        self.desk, self.whole = desk, whole
        self.out, self.content, self.closed = b"", b"", False
        self.draft: Draft | None = None
        self.pump()

    def say(self, sent: bytes) -> None:
        blocks: Iterable[bytes] = [sent] if self.whole else (bytes([byte]) for byte in sent)
        for block in blocks:
            self.session.receive(block)
            self.pump()

    def pump(self) -> None:
        while (event := self.session.next_event()) is not None:
            answer = self.react(event)
            if answer is not None:
                self.session.answer(answer)
        self.out += self.session.outgoing()

    def react(self, event: Event) -> Reply | Address | None:  # noqa: C901 - one arm an event
        desk = self.desk
        match event:
            case MailAsked(draft):
                return desk.mail(draft)
            case RecipientAsked(draft, recipient):
                try:
                    return desk.rcpt(draft, recipient)
                except RuntimeError:
                    return reply.LOCAL_ERROR
            case LoginAsked(PasswordClaim(login, password)):
                right = (login, password) == (USER, "right")
                return USER if right else reply.BAD_CREDENTIALS
            case LoginAsked(TokenClaim(login, token)):
                return USER if (login, token) == (USER, TOKEN) else reply.BAD_CREDENTIALS
            case LoginAsked():
                return USER
            case ContentBegun(draft):
                self.draft, self.content = draft, b""
            case ContentBlock(block):
                self.content += block
                early = desk.early(self.content) if self.draft is not None else None
                if early is not None:
                    self.draft = None
                return early
            case ContentEnded() if self.draft is not None:
                try:
                    return desk.taken(self.draft, self.content)
                except RuntimeError:
                    return reply.LOCAL_ERROR
            case ContentFailed(reason) if self.draft is not None:
                desk.failed.append(reason)
                return reply.LOCAL_ERROR
            case Heard(_, certain):
                desk.known.append(certain)
            case Abandoned(draft):
                desk.left.append(draft)
            case Closed():
                self.closed = True
            case TlsAsked() | ContentEnded() | ContentFailed():
                pass
        return None

    def reply(self) -> str:
        lines = []
        while self.out:
            line, _, self.out = self.out.partition(b"\r\n")
            lines.append(line.decode("ascii"))
            if line[3:4] != b"-":
                break
        return "\n".join(lines)

    def play(self, step: Step) -> None:
        match step.kind, step.text:
            case "C", _:
                self.say(step.sent)
            case "S", expected:
                said = self.reply()
                assert matches(expected, said), f"expected {expected!r}, heard {said!r}"
            case "~", "tls":
                self.session.secured(self.secure)
            case "~", "gone":
                self.session.close()
                self.pump()
            case "=", "closed":
                assert self.closed
            case _:
                name, _, expected = step.text.partition(":")
                assert expected.strip() == self.desk.note(name)


@pytest.mark.parametrize("whole", [True, False], ids=["blocks", "bytes"])
@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_the_core_says_what_is_written(transcript: Transcript, *, whole: bool) -> None:
    """However the bytes are cut, the state machine gives the replies of the file."""
    core = Core(transcript, Desk(), whole=whole)
    for step in [*prelude(transcript), *transcript.steps]:
        core.play(step)
    assert b"" == core.out


async def converse(transcript: Transcript, pki: Pki) -> None:
    """Hold the conversation over real TLS."""
    desk, rules = Desk(), transcript.rules
    context = pki.client() if rules.certificate else pki.anonymous()
    async with opened(rules, pki, desk, desk) as at, asyncio.timeout(20):
        wire = await Wire.dial(at.port, context if rules.implicit_tls else None)
        over = False
        for step in [*prelude(transcript), *transcript.steps]:
            match step.kind, step.text:
                case "C", _:
                    await wire.say(step.sent)
                case "S", expected:
                    said = await wire.reply()
                    assert matches(expected, said), f"expected {expected!r}, heard {said!r}"
                case "~", "tls":
                    await wire.writer.start_tls(context)
                case "~", "gone":
                    await wire.close()
                    await at.emptied()
                    over = True
                case "=", "closed":
                    assert "" == await wire.reply()
                    over = True
                case _:
                    await at.settled()
                    name, _, expected = step.text.partition(":")
                    assert expected.strip() == desk.note(name)
        if not over:
            assert "221" == (await wire.ask("QUIT"))[:3]
        await wire.close()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("transcript", ALL, ids=lambda transcript: transcript.name)
def test_the_server_says_what_is_written(transcript: Transcript, loop: str, pki: Pki) -> None:
    """The real server, under TLS, on each event loop, gives the same replies."""
    run(loop, converse(transcript, pki))
