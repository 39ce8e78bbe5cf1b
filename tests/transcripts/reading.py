r"""Plays IMAP conversations written down in files, by one client or two.

A file has one step a line:

    # a comment: the rule that the conversation protects comes first
    @ imap select            the listener; its client is logged in unless "raw", INBOX open if "select"
    C: a1 NOOP               the client says this line
    C| a\n.\r\n                the client sends these bytes: \r \n \0 \t \xNN, no CRLF added; {ab*3}
    S: * 3 EXISTS            the server's next response, literals within; "…" stands for anything
    S> a1 OK                 responses are passed over until one begins so
    2C: 2S:                  the same of a second client, who joins when it is first named
    ~ tls                    TLS begins
    ~ gone                   the client is gone
    ~ deliver                one more letter arrives in INBOX
    = closed                 the server has closed the connection
    = read: 1 2              the content of so many messages was noted as given out

Steps of the client that follow each other are sent in one piece. INBOX has three letters, the
second with an attachment, the third no message at all; clients were told of them, unless "recent".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imap.rules import Rules
from tests.imap.stage import HOST
from tests.transcripts.play import _unescaped as unescaped

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Step:
    """One line of a transcript."""

    kind: str  # "C", "S", "S>", "~", "="
    text: str
    client: int = 1
    sent: bytes = b""


@dataclass(frozen=True)
class Transcript:
    """One conversation."""

    name: str
    rules: Rules
    options: frozenset[str]
    steps: tuple[Step, ...]


def transcripts() -> Iterator[Transcript]:
    """Read them all."""
    for path in sorted(FOLDER.glob("*.imap")):
        yield read(path)


_LINE = re.compile(r"(2?)(C:|C\||S:|S>|@|~|=) ?(.*)")


def read(path: Path) -> Transcript:
    """Read one file."""
    rules, options, steps = _rules("imap"), frozenset[str](), list[Step]()
    for line in path.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        assert found is not None, line
        client, kind, text = 2 if found[1] else 1, found[2], found[3]
        if kind == "@":
            listener, *words = text.split()
            rules, options = _rules(listener, tokens="tokens" in words), frozenset(words)
        elif kind[0] == "C":
            sent = unescaped(text) if kind == "C|" else text.encode() + b"\r\n"
            steps = _joined(steps, Step("C", text, client, sent))
        else:
            steps.append(Step(kind.rstrip(":"), text, client))
    return Transcript(path.stem, rules, options, tuple(steps))


def _rules(listener: str, *, tokens: bool = False) -> Rules:
    return Rules.of(listener, HOST, max_size=1 << 20, tokens=tokens)


def _joined(steps: list[Step], step: Step) -> list[Step]:
    last = steps[-1] if steps else None
    if last is not None and (last.kind, last.client) == ("C", step.client):
        return [*steps[:-1], Step("C", last.text, step.client, last.sent + step.sent)]
    return [*steps, step]


def shown(response: bytes) -> str:
    """Return a response as a transcript writes it."""
    return repr(response.removesuffix(b"\r\n"))[2:-1].replace("\\'", "'").replace("\\\\", "\\")


def matches(expected: str, said: str) -> bool:
    """Whether a response is what the transcript expects."""
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    return re.fullmatch(pattern, said, re.DOTALL) is not None
