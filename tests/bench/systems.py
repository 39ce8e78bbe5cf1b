"""The systems under the load, each in the same role, and the processes of the harness around them.

In: implicit TLS with a client certificate. Onward: mutual TLS to the sink, whose certificate is
verified. The queue is durable, all of it on one disk.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import msgspec

from tests.bench import generator, sink
from tests.interop.postfix import Postfix
from tests.interop.site import Credential, Federation, Site

POSTFIX = Path(__file__).parent / "postfix"
SENDER = "resultats@labo.example"
RECIPIENT = "accueil@sink.example"
CHUNKING = "accueil@chunking.example"  # the same, where CHUNKING is offered
DOWN = "accueil@down.example"  # where nobody listens


class System(Protocol):
    """A mail system that takes messages on a port."""

    @property
    def name(self) -> str:
        """What the tables call it."""

    @property
    def pid(self) -> int:
        """The root of its process tree."""

    def load(self, size: int) -> generator.Spec:
        """What the generator must be told to load it with messages of this size."""


class Next:
    """The sink, as a process that answers."""

    def __init__(self, spec: sink.Spec) -> None:
        words = [sys.executable, "-m", "tests.bench.sink", msgspec.json.encode(spec).decode()]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port: int = msgspec.json.decode(_pipe(self._process.stdout).readline())

    @property
    def pid(self) -> int:
        """The sink's process."""
        return self._process.pid

    def wait(self, messages: int, seconds: float) -> sink.Tally:
        """Return the tally once so many messages have come, or the time is over."""
        return self._ask(f"wait {messages} {seconds}")

    def reset(self) -> sink.Tally:
        """Return the tally and start again from nothing."""
        return self._ask("reset")

    def close(self) -> None:
        """End the process."""
        _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()
        self._process.wait(10)

    def _ask(self, line: str) -> sink.Tally:
        pipe = _pipe(self._process.stdin)
        pipe.write(line.encode() + b"\n")
        pipe.flush()
        answer = _pipe(self._process.stdout).readline()
        return msgspec.json.decode(answer, type=sink.Tally)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all systems stand on: the folder, the authority, the sinks and who sends."""

    federation: Federation
    sink: Next  # plain DATA
    chunking: Next  # offers CHUNKING
    client: Credential

    @property
    def folder(self) -> Path:
        """Where everything lies, on one disk."""
        return self.federation.folder

    def spec(self, port: int, size: int, **how: object) -> generator.Spec:
        """Return the generator's instructions."""
        plain = {
            "port": port,
            "size": size,
            "mail_from": SENDER,
            "rcpt_to": RECIPIENT,
            "anchors": str(self.federation.anchors),
            "certificate": str(self.client.crt),
            "key": str(self.client.key),
        }
        return msgspec.convert(plain | how, generator.Spec)


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """Make the authority and start the sinks."""
    federation = Federation(folder)
    theirs = federation.credential("sink.example", "sink.example")
    plain = sink.Spec(
        certificate=str(theirs.crt), key=str(theirs.key), anchors=str(federation.anchors)
    )
    sinks = [Next(plain), Next(msgspec.structs.replace(plain, chunking=True))]
    federation.add("sink.example", theirs, sinks[0].port)
    federation.add("chunking.example", theirs, sinks[1].port)
    federation.add("down.example", theirs, 1)  # nobody listens on tcpmux
    client = federation.credential("resultats.labo.example", email=SENDER)
    try:
        yield Ground(federation, sinks[0], sinks[1], client)
    finally:
        for each in sinks:
            each.close()


class PostfixRelay:
    """Postfix with one of the two committed configurations."""

    def __init__(self, ground: Ground, kind: str, postfix: Postfix) -> None:
        self.name = f"postfix {kind}"
        self._ground = ground
        self._postfix = postfix

    @property
    def pid(self) -> int:
        return self._postfix.pid

    def load(self, size: int) -> generator.Spec:
        return self._ground.spec(self._postfix.port, size)

    @classmethod
    @contextmanager
    def running(cls, ground: Ground, kind: str) -> Iterator["PostfixRelay"]:
        """Run it, with an empty queue."""
        own = ground.federation.credential(f"mx.{kind}.postfix.example")
        parts = [(POSTFIX / name).read_text("utf-8") for name in ("role.cf", f"{kind}.cf")]
        with Postfix(
            ground.folder / f"postfix-{kind}",
            f"sink_port = {ground.sink.port}\n" + "".join(parts),
            files={
                "tls.crt": own.crt.read_bytes(),
                "tls.key": own.key.read_bytes(),
                "ca.pem": ground.federation.anchors.read_bytes(),
            },
            log=False,
        ) as postfix:
            yield cls(ground, kind, postfix)


class SceauRelay:
    """``sceau serve``; who sends is a mailbox that logs in by its certificate."""

    def __init__(self, ground: Ground, site: Site) -> None:
        self.name = "sceau"
        self.ground = ground
        self.site = site
        self._rcpt_to = RECIPIENT

    @property
    def pid(self) -> int:
        return self.site.pid

    def load(self, size: int) -> generator.Spec:
        port = self.site.ports["submission_certificate"]
        return self.ground.spec(port, size, external=True, rcpt_to=self._rcpt_to)

    def to(self, rcpt_to: str, name: str) -> "SceauRelay":
        """Return the same system, sent mail for somebody else."""
        other = SceauRelay(self.ground, self.site)
        other.name, other._rcpt_to = name, rcpt_to
        return other

    @classmethod
    @contextmanager
    def running(cls, ground: Ground, part: str) -> Iterator["SceauRelay"]:
        """Run it, with an empty spool, for one part of the bench."""
        site = Site(ground.federation, f"labo-{part}", SENDER.rpartition("@")[2])
        site.found(ground.federation.publish())
        site.sceau("mailbox", "add", SENDER, "--kind", "APP")
        site.sceau("mailbox", "certificate", SENDER, str(ground.client.crt))
        with site:
            yield cls(ground, site)


class Stock:
    """aiosmtpd as it comes, accepting over TLS and keeping nothing."""

    name = "aiosmtpd"

    def __init__(self, ground: Ground, pid: int, port: int) -> None:
        self._ground = ground
        self._port = port
        self.pid = pid

    def load(self, size: int) -> generator.Spec:
        return self._ground.spec(self._port, size)

    @classmethod
    @contextmanager
    def running(cls, ground: Ground) -> Iterator["Stock"]:
        """Run it."""
        own = ground.federation.credential("mx.stock.example")
        words = [sys.executable, "-m", "tests.bench.stock", str(own.crt), str(own.key)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            port = int(_pipe(process.stdout).readline())
            yield cls(ground, process.pid, port)
            _pipe(process.stdin).close()


class Null:
    """The sink itself, loaded directly: what the harness can do with nothing to measure."""

    name = "(nothing)"

    def __init__(self, ground: Ground, sink: Next) -> None:
        self.sink = sink
        self._ground = ground

    @property
    def pid(self) -> int:
        return self.sink.pid

    def load(self, size: int) -> generator.Spec:
        return self._ground.spec(self.sink.port, size)

    @classmethod
    @contextmanager
    def running(cls, ground: Ground) -> Iterator["Null"]:
        """Run a sink that speaks TLS from the first octet, as the systems' own doors do."""
        own = ground.federation.credential("null.example")
        spec = sink.Spec(
            certificate=str(own.crt),
            key=str(own.key),
            anchors=str(ground.federation.anchors),
            implicit=True,
        )
        null = cls(ground, Next(spec))
        try:
            yield null
        finally:
            null.sink.close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
