"""Reading, beside Dovecot with mail_crypt: the same messages, the same client, the same run.

``python -m tests.bench.reading LOAD`` is the other process of the measurement of stalls: it appends
or fetches a large message while this one watches its loop.
"""

import asyncio
import gc
import socket
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Self

import msgspec
import uvloop

from imap.rules import Rules
from imap.store import Limits, Mailboxes
from tests.bench import dovecot, processes
from tests.bench.report import Figure
from tests.imap.stage import USER, Scene, opened
from tests.interop.postfix import free_port
from tests.interop.site import Federation, Site
from tests.smtp.stage import Pki
from tests.world.rest import Rest
from vault.blobs import Folder
from vault.database import Database
from vault.keys import KeyRing
from vault.store import Vault

_MANY, _LARGE, _FOLDER = 1000, 10 << 20, 100_000
_STALLING = 50 << 20
_IDLE = 200
_STALLS = 4
_MIB = 1 << 20


class Where(msgspec.Struct, frozen=True):
    """A server to log in to."""

    name: str
    port: int
    user: str
    password: str


class Wire:
    """One connection: a command, and the octets it is answered with."""

    def __init__(self, where: Where) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", where.port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = context.wrap_socket(plain)
        self._number = 0
        self._until(b"\r\n")
        self.ask(f"LOGIN {where.user} {where.password}".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def ask(self, command: bytes) -> int:
        """Give a command and wait for its end; return how many octets it was answered with."""
        self._number += 1
        tag = b"t%d" % self._number
        self._socket.sendall(tag + b" " + command + b"\r\n")
        found, size = self._until(b"\r\n", tag + b" ")
        if not found.startswith(tag + b" OK"):
            raise RuntimeError(f"{command[:60]!r}: {found[:200]!r}")
        return size

    def append(self, message: bytes) -> None:
        """File a message, without waiting to be asked for it (RFC 7888)."""
        self.ask(b"APPEND INBOX {%d+}\r\n" % len(message) + message)

    def idle(self) -> None:
        """Wait for news, and do not ask again."""
        self._socket.sendall(b"i IDLE\r\n")
        self._until(b"\r\n", b"+")

    def _until(self, end: bytes, begun: bytes = b"") -> tuple[bytes, int]:
        """Read up to a line that begins so; return it, and how much was read."""
        tail, size = b"\r\n", 0
        while True:
            block = self._socket.recv(1 << 20)
            if not block:
                raise RuntimeError("the server hung up")
            size += len(block)
            tail = (tail + block)[-4096:]
            at = tail.rfind(b"\r\n" + begun, 0, len(tail) - 1)
            if at >= 0 and tail.endswith(end) and (begun or size):
                return tail[at + 2 :], size


def letter(number: int, size: int) -> bytes:
    """Write a letter with a text and an attachment, so many octets in all."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Dr Martin <martin@labo.example>"
    message["To"] = "dr.durand@chu-nord.example"
    message["Subject"] = f"Compte rendu {number}"
    message["Date"] = "Mon, 02 Mar 2026 09:30:00 +0100"
    message["Message-ID"] = f"<{number}@labo.example>"
    message.set_content("Bonjour,\n\nvoici le compte rendu.\n")
    room = max(0, size - 900) * 54 // 74
    message.add_attachment(b"%PDF" + b"\x07" * room, "application", "pdf", filename="bilan.pdf")
    return message.as_bytes()


@contextmanager
def sceau(folder: Path) -> Iterator[tuple[Where, Site]]:
    """Run a gateway with one mailbox, whose Archive holds 100,000 rows."""
    federation, port = Federation(folder / "federation"), free_port()
    site = Site(
        federation,
        "hopital",
        "chu-nord.example",
        {"listen.imap": {"port": port, "max_connections_per_address": 1000}},
    )
    site.found(federation.publish())
    user = site.user("dr.durand")
    _fill(site.folder)
    with site:
        yield Where("sceau", port, user.address, user.password), site


def _fill(folder: Path) -> None:
    """Give the mailbox a folder of 100,000 entries: rows alone, whose cards nobody opens."""
    ring = KeyRing.load(folder / "keys" / "ring.json")
    database = Database.open(folder / "data" / "sceau.db")
    vault = Vault(database, ring, Folder(folder / "data" / "blobs"))
    found = Mailboxes(database, vault, ring, _no_clock, Limits()).find(1, "Archive")
    assert found is not None
    connection = database._writer.connection
    connection.execute("BEGIN")
    numbers = range(1, _FOLDER + 1)
    connection.executemany(
        "INSERT INTO card VALUES (?, ?, x'00', zeroblob(900))", ((n, found.id) for n in numbers)
    )
    connection.executemany(
        "INSERT INTO entry (folder, uid, id, modseq, flags, arrived, size)"
        " VALUES (?, ?, ?, ?, 1, 0, 5000)",
        ((found.id, n, n, n) for n in numbers if n % 10 != 3),
    )
    connection.execute(
        "UPDATE folder SET uid_next = ?, modseq = ? WHERE id = ?", (_FOLDER + 1, _FOLDER, found.id)
    )
    connection.execute("COMMIT")
    connection.close()


def _no_clock() -> datetime:
    raise AssertionError("nothing is dated here")


def timed(act: Callable[[], object]) -> float:
    """Return how many seconds something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def measure(folder: Path, seconds: float, rounds: int) -> list[Figure]:
    """Measure all of it."""
    with ExitStack() as stack:
        where, site = stack.enter_context(sceau(folder / "ours"))
        rival = stack.enter_context(
            dovecot.running(folder / "theirs", site.credential.crt, site.credential.key)
        )
        theirs = Where("dovecot", rival, "bench", dovecot.PASSWORD)
        figures = beside(where, theirs, seconds, rounds)
        return [*figures, *alone(where, site, folder)]


def beside(ours: Where, theirs: Where, seconds: float, rounds: int) -> list[Figure]:
    """Measure both, in turns."""
    fetch = b"FETCH 1:%d (ENVELOPE FLAGS BODYSTRUCTURE)" % _MANY
    found: dict[str, dict[str, list[float]]] = {}

    def note(what: str, where: Where, value: float) -> None:
        found.setdefault(what, {}).setdefault(where.name, []).append(value)

    small, large = letter(1, 5 << 10), letter(2, _LARGE)
    for where in (ours, theirs):
        with Wire(where) as wire:
            for number in range(_MANY):
                wire.append(letter(number, 5 << 10))
        with Wire(where) as wire:
            wire.ask(b"SELECT INBOX")
            note("first", where, timed(lambda wire=wire: wire.ask(fetch)))  # type: ignore[misc]
    for number in range(rounds):
        for where in (ours, theirs) if number % 2 else (theirs, ours):
            with Wire(where) as wire:
                wire.ask(b"SELECT INBOX")
                note("steady", where, timed(lambda wire=wire: wire.ask(fetch)))  # type: ignore[misc]
                note("append", where, _rate(lambda wire=wire: wire.append(small), seconds))  # type: ignore[misc]
    for where in (ours, theirs):
        with Wire(where) as wire:
            wire.append(large)
    for number in range(rounds):
        for where in (ours, theirs) if number % 2 else (theirs, ours):
            with Wire(where) as wire:
                wire.ask(b"SELECT INBOX")
                taken = timed(lambda wire=wire: wire.ask(b"FETCH * BODY.PEEK[]"))  # type: ignore[misc]
                note("body", where, len(large) / _MIB / taken)
    middle = {
        what: [statistics.median(values[where.name]) for where in (ours, theirs)]
        for what, values in found.items()
    }
    first, steady, append, body = (middle[w] for w in ("first", "steady", "append", "body"))
    return [
        _figure("FETCH of 1,000, the first time", "ms", first, "20 times faster", 0.05, 1e3),
        _figure("FETCH of 1,000, after that", "ms", steady, "at most twice as long", 2.0, 1e3),
        _figure("APPEND of 5 KB, one client", "/s", append, "as many", 1.0),
        _figure("BODY[] of 10 MB", "MB/s", body, "0.7 of theirs", 0.7),
    ]


def _figure(
    what: str, unit: str, both: list[float], target: str, bound: float, scale: float = 1.0
) -> Figure:
    """Return a comparison; of what is timed, less is better."""
    ours, theirs = (value * scale for value in both)
    met = ours <= bound * theirs if unit == "ms" else ours >= bound * theirs
    return Figure(what=what, unit=unit, ours=ours, theirs=theirs, target=target, met=met)


def _rate(act: Callable[[], object], seconds: float) -> float:
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        act()
        count += 1
    return count / (time.perf_counter() - began)


def alone(where: Where, site: Site, folder: Path) -> list[Figure]:
    """Measure what has a bound of its own."""
    with Wire(where) as wire:
        select = timed(lambda: wire.ask(b"SELECT Archive"))  # the first time: nothing is at hand
        before = _memory(site.pid)
        with ExitStack() as stack:
            for _ in range(_IDLE):
                client = stack.enter_context(Wire(where))
                client.ask(b"SELECT INBOX")
                client.idle()
            growth = (_memory(site.pid) - before) / _MIB
    (folder / "door").mkdir()
    sys.setswitchinterval(0.0005)  # as the gateway has it
    stalls = uvloop.run(_stalls(folder / "door"))
    return [
        Figure(
            what=f"SELECT of {_FOLDER:,}",
            unit="ms",
            ours=select * 1e3,
            target="under 100",
            met=select < 0.1,
        ),
        Figure(
            what=f"{_IDLE} idle connections",
            unit="MiB",
            ours=growth,
            target="under 60",
            met=growth < 60,
        ),
        *(
            Figure(
                what=f"longest stall of the loop, 50 MB {load}",
                unit="ms",
                ours=stall * 1e3,
                target="under 20",
                met=stall < 0.02,
            )
            for load, stall in stalls.items()
        ),
    ]


def _memory(root: int) -> int:
    return sum(processes.resident(pid) for pid in processes.tree(root))


async def _stalls(folder: Path) -> dict[str, float]:
    """Return the longest time for which the loop stood still under each load, in seconds.

    The reading door runs in this process, where the loop can be asked; the load is another.
    """
    rest = Rest.open(folder)
    scene = await Scene.make(rest, max_size=2 * _STALLING)
    rules = Rules.of("imap", "mx.chu-nord.example", max_size=2 * _STALLING)
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # as the gateway has it
    found: dict[str, float] = {}
    async with opened(rules, Pki(folder), scene) as door:
        where = Where("door", door.port, USER, "right")
        for load in ("append", "fetch"):
            # The least of several: what is ours comes each time, what others on the machine do not.
            found[load] = min([await _stall(where, load) for _ in range(_STALLS)])
    await rest.vault.close()
    await rest.database.close()
    return found


async def _stall(where: Where, load: str) -> float:
    command = [sys.executable, "-m", "tests.bench.reading", load]
    other = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE)
    assert other.stdin is not None
    other.stdin.write(msgspec.json.encode(where))
    other.stdin.close()
    longest, pause = 0.0, 0.001
    while other.returncode is None:
        began = time.perf_counter()
        await asyncio.sleep(pause)
        longest = max(longest, time.perf_counter() - began - pause)
    if other.returncode:
        raise RuntimeError(f"the {load} failed")
    return longest


def _load(where: Where, load: str) -> None:
    with Wire(where) as wire:
        wire.ask(b"SELECT INBOX")
        if load == "append":
            wire.append(letter(3, _STALLING))
        else:
            wire.ask(b"FETCH * BODY.PEEK[]")


if __name__ == "__main__":
    _load(msgspec.json.decode(sys.stdin.buffer.read(), type=Where), sys.argv[1])
