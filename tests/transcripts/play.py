r"""Plays a conversation written down in a file, against anything that speaks SMTP's server side.

A file has one step a line:

    # a comment: the rule that the conversation protects comes first
    @ relay max_size=1000        the listener; its client is past STARTTLS, or logged in, unless "raw"
    C: EHLO mx.labo.example      the client says this line
    C| a\n.\r\n                    the client sends these bytes: \r \n \0 \t \xNN, no CRLF added
    S: 250 2.1.0                 the server's next reply begins so
    S: 250* SIZE 1000            a reply of several lines, one of which is "SIZE 1000"
    ~ tls                        TLS begins
    ~ gone                       the client is gone
    = closed                     the server has closed the connection
    = messages: 1                what the desk has recorded, word for word

Steps of the client that follow each other are sent in one piece.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from smtp import reply
from smtp.address import Address, parse
from smtp.envelope import Draft, Peer, Recipient
from smtp.receive.body import BodyError
from smtp.receive.rules import Rules
from smtp.reply import Reply

FOLDER = Path(__file__).parent
HOST = "gw.chu-nord.example"
USER = parse("dr@labo.example")
TOKEN = "abc.def.ghi"  # what the issuer's tokens look like, to whom cannot read them


@dataclass(frozen=True)
class Step:
    """One line of a transcript."""

    kind: str  # "C", "S", "~", "="
    text: str
    sent: bytes = b""


@dataclass(frozen=True)
class Transcript:
    """One conversation."""

    name: str
    rules: Rules
    raw: bool  # begins with the greeting in clear, or before the log-in
    steps: tuple[Step, ...]


def transcripts() -> Iterator[Transcript]:
    """Read them all."""
    for path in sorted(FOLDER.glob("*.smtp")):
        yield read(path)


def read(path: Path) -> Transcript:
    """Read one file."""
    rules, raw, steps = Rules.of("relay", HOST), False, list[Step]()
    for line in path.read_text("utf-8").splitlines():
        kind, text = line[:1], line[3:] if line[1:2] in (":", "|") else line[2:]
        if kind in ("", "#"):
            continue
        if kind == "@":
            rules, raw = _rules(text)
        elif kind == "C":
            sent = _unescaped(text) if line[1] == "|" else text.encode() + b"\r\n"
            steps = _joined(steps, Step("C", text, sent))
        else:
            steps.append(Step(kind, text.strip()))
    return Transcript(path.stem, rules, raw, tuple(steps))


def _rules(text: str) -> tuple[Rules, bool]:
    listener, *options = text.split()
    raw = "raw" in options
    numbers = {k: int(v) for k, eq, v in (o.partition("=") for o in options) if eq}
    rules = Rules.of(
        listener,
        HOST,
        large=numbers.get("large", 0),
        postmaster="admin@chu-nord.example",
        tokens="tokens" in options,
        max_size=numbers.get("max_size", 35 << 20),
        max_recipients=numbers.get("max_recipients", 100),
    )
    return rules, raw


def _joined(steps: list[Step], step: Step) -> list[Step]:
    if steps and steps[-1].kind == "C":
        return [*steps[:-1], Step("C", steps[-1].text, steps[-1].sent + step.sent)]
    return [*steps, step]


_ESCAPES = {"r": b"\r", "n": b"\n", "0": b"\0", "t": b"\t", "\\": b"\\"}
_REPEAT = re.compile(rb"\{([^{}*]*)\*(\d+)\}")


def _unescaped(text: str) -> bytes:
    r"""Undo ``\r`` and the like; ``{ab*3}`` is ``ababab``."""
    parts = re.split(r"\\(x[0-9a-f]{2}|.)", text)
    out = b""
    for n, part in enumerate(parts):
        if n % 2 == 0:
            out += part.encode()
        else:
            out += bytes.fromhex(part[1:]) if len(part) == 3 else _ESCAPES[part]
    return _REPEAT.sub(lambda match: match[1] * int(match[2]), out)


@dataclass
class Desk:
    """An intake and an authenticator that do what addresses and bodies tell them, and take notes."""

    bodies: list[bytes] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    left: list[Draft] = field(default_factory=list)
    known: list[bool] = field(default_factory=list)  # of messages taken: the reply was surely read
    failed: list[str] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)  # that showed a certificate

    async def met(self, peer: Peer) -> None:
        self.peers.append(peer)

    def mail(self, draft: Draft) -> Reply:
        if (draft.mail.mail_from or "").startswith("stranger"):
            return reply.SENDER_NOT_LISTED
        return reply.SENDER_OK

    def rcpt(self, draft: Draft, recipient: Recipient) -> Reply:
        if recipient.address.startswith("broken"):
            raise RuntimeError("a secret of ours")
        answers = {"nobody": reply.NO_SUCH_MAILBOX, "later": reply.LIST_STALE}
        return answers.get(recipient.address.partition("@")[0], reply.RECIPIENT_OK)

    async def accept(self, draft: Draft, body: AsyncIterator[bytes]) -> Reply:
        content = b""
        try:
            async for block in body:
                content += block
                if (refusal := self.early(content)) is not None:
                    return refusal
        except BodyError as error:
            self.failed.append(error.reason)
            raise
        return self.taken(draft, content)

    def early(self, content: bytes) -> Reply | None:
        """Refuse before the message has come whole, as its header may demand."""
        return reply.HEADER_TOO_BIG if content.startswith(b"Refuse: early") else None

    def taken(self, draft: Draft, content: bytes) -> Reply:
        """Decide at the end."""
        if content.startswith(b"Refuse: late"):
            return reply.RECIPIENT_NOT_LISTED
        if content.startswith(b"Refuse: broken"):
            raise RuntimeError("a secret of ours")
        self.drafts.append(draft)
        self.bodies.append(content)
        return reply.OK

    def heard(self, draft: Draft, *, certain: bool) -> None:
        assert draft in self.drafts
        self.known.append(certain)

    async def abandoned(self, draft: Draft) -> None:
        self.left.append(draft)

    async def password(self, login: str, password: str, peer: Peer) -> Address | Reply:
        return USER if (login, password) == (USER, "right") else reply.BAD_CREDENTIALS

    async def certificate(self, authzid: str, peer: Peer) -> Address | Reply:
        return USER if peer.certificate and authzid in ("", USER) else reply.BAD_CREDENTIALS

    async def token(self, login: str, token: str, peer: Peer) -> Address | Reply:
        return USER if (login, token) == (USER, TOKEN) else reply.BAD_CREDENTIALS

    def note(self, name: str) -> str:
        """What was recorded under this name, as a transcript writes it."""
        draft = self.drafts[-1] if self.drafts else None
        notes: dict[str, object] = {
            "messages": len(self.bodies),
            "bodies": "".join(f"[{repr(body)[2:-1]}]" for body in self.bodies),
            "size": len(self.bodies[-1]) if self.bodies else None,
            "abandoned": len(self.left),
            "failed": " ".join(self.failed),
            "heard": " ".join("surely" if certain else "perhaps" for certain in self.known),
        }
        if draft is not None:
            notes |= {
                "sender": draft.mail.mail_from or "<>",
                "recipients": " ".join(to.address for to in draft.recipients),
                "refused": " ".join(no.recipient.address for no in draft.refused),
                "orcpt": " ".join(to.orcpt or "-" for to in draft.recipients),
                "notify": " ".join(
                    ",".join(sorted(to.notify or ())) or "-" for to in draft.recipients
                ),
                "login": draft.peer.login,
                **{name: getattr(draft.mail, name) for name in ("envid", "ret", "transfer")},
                "declared": draft.mail.size,
                "body": draft.mail.body,
                "smtputf8": draft.mail.smtputf8,
            }
        return str(notes[name])


def matches(expected: str, said: str) -> bool:
    """Whether a whole reply, its lines joined by LF, is what the transcript expects."""
    lines = said.splitlines()
    code, star, rest = expected.partition("*")
    if not star:
        return len(lines) == 1 and lines[0].startswith(expected)
    return all(line.startswith(code) for line in lines) and (
        not rest.strip() or rest.strip() in [line[4:] for line in lines]
    )
