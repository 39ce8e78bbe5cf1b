"""250 is a promise: what the kernel was asked, in which order, and what happens when it refuses."""

import re
import smtplib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop import strace
from tests.interop.conftest import QUICK
from tests.interop.mail import arrived, compose, context, eventually, message_id, submission
from tests.interop.site import Federation, Site, User
from tests.interop.strace import Call

SMALL, LARGE = 5_000, 2_000_000


@dataclass(frozen=True, slots=True)
class Promise:
    """When a message's final dot was sent, and when its 250 was read."""

    size: int
    asked: float
    given: float


@pytest.fixture(scope="module")
def site(federation: Federation) -> Site:
    """One gateway on its own: its mail goes to a colleague in the same house."""
    made = Site(federation, "labo", "labo.example", QUICK)
    made.found(federation.publish())
    return made


@pytest.fixture(scope="module")
def robot(site: Site) -> User:
    return site.user("resultats", "APP")


@pytest.fixture(scope="module")
def colleague(site: Site) -> User:
    return site.user("dr.martin")


@pytest.fixture
def traced(site: Site, robot: User, colleague: User, tmp_path: Path) -> Iterator[Path]:
    """The gateway, running under strace."""
    output = tmp_path / "trace"
    site.wrapper = strace.command(output)
    with site:
        yield output
    site.wrapper = ()


def _promise(site: Site, robot: User, to: User, size: int) -> Promise:
    text = "0123456789abcdef\r\n" * (size // 18)
    content = compose(robot.address, to.address, f"Tracee {size} {time.monotonic_ns()}", text)
    with submission(site, robot) as line:
        line.mail(robot.address)
        line.rcpt(to.address)
        line.docmd("DATA")
        line.send(content)
        asked = time.time()
        line.send(b".\r\n")
        code, said = line.getreply()
        given = time.time()
    assert 250 == code, said
    return Promise(size, asked, given)


def _replies(calls: list[Call], site: Site, promise: Promise) -> list[Call]:
    """Return what was said on the submission port between the dot and the 250."""
    door = f"127.0.0.1:{site.ports['submission']}->"
    return [
        call
        for call in calls
        if call.writes and door in call.target and promise.asked <= call.at <= promise.given
    ]


def _proof(calls: list[Call], data: Path, promise: Promise, reply: Call) -> list[str]:
    """Return what was synced below the data folder between the dot and the reply, in order.

    A sync counts only if it began after the last write to the same file that preceded the reply.
    """
    proof = []
    for call in calls:
        if call.syncs and call.done < reply.begun and call.target.startswith(str(data)):
            unsynced = [
                other
                for other in calls
                if other.writes and other.target == call.target and other.done > call.begun
            ]
            late = call.at < promise.asked
            if not late and not any(other.done < reply.begun for other in unsynced):
                proof.append(call.target)
    return proof


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_data_and_name_are_synced_before_every_250(
    site: Site, traced: Path, robot: User, colleague: User, size: int
) -> None:
    """The log of the database is synced, and of a large body the file, then its folder."""
    promises = [_promise(site, robot, colleague, size) for _ in range(3)]
    site.stop()
    calls = strace.parse(traced.read_text("utf-8", "replace"))

    for promise in promises:
        (reply,) = _replies(calls, site, promise)
        log = _proof(calls, site.data, promise, reply)
        assert any(path.endswith("-wal") for path in log), log
        if size == LARGE:
            _check_blob(calls, site.data, promise, reply)


def _check_blob(calls: list[Call], data: Path, promise: Promise, reply: Call) -> None:
    """Written, synced, given its name, its folder synced, the rows synced: then the reply."""
    named = [
        call
        for call in calls
        if call.name.startswith(("rename", "link"))
        and call.done < reply.begun
        and call.at > promise.asked - 5
        and call.names[-1].startswith(str(data))
    ]
    blob = named[-1]
    before, after = blob.names[0], str(Path(blob.names[-1]).parent)
    written = [c for c in calls if c.writes and c.target == before]
    synced = [c for c in calls if c.syncs and c.target == before and c.done < blob.begun]
    folder = [c for c in calls if c.syncs and c.target == after and c.begun > blob.done]
    log = [c for c in calls if c.syncs and c.target.endswith("-wal") and c.done < reply.begun]

    assert written
    assert written[-1].done < synced[-1].begun
    assert folder[0].done < log[-1].begun


FAULTS = {
    "the log cannot be synced": ("fdatasync:error=EIO:when=12+", SMALL),
    "a body cannot be synced": ("fsync:error=EIO:when=4+", LARGE),
    "a body's name cannot be given": ("rename:error=ENOSPC:when=6+", LARGE),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_synced_is_not_promised(
    site: Site, robot: User, colleague: User, tmp_path: Path, fault: str
) -> None:
    """4yz, nothing kept, the gateway up; and once the disk is well, mail flows again."""
    what, size = FAULTS[fault]
    content = compose(
        robot.address, colleague.address, f"{fault} {time.monotonic_ns()}", "x" * 70 + "\r\n"
    ) + b"0123456789abcdef\r\n" * (size // 18)
    site.wrapper = strace.inject(what, tmp_path / "trace")
    codes = []
    with site:
        with submission(site, robot) as line:
            for _ in range(12):
                try:
                    line.sendmail(robot.address, [colleague.address], content)
                    codes.append(250)
                except smtplib.SMTPResponseException as refused:
                    codes.append(refused.smtp_code)
        assert re.match(r"2[05]0", str(_noop(site)))
    site.wrapper = ()
    with site:
        kept = eventually(
            lambda: [m for m in arrived(site, colleague.address) if m == content],
            lambda found: len(found) >= codes.count(250),
        )

    assert 400 <= codes[-1] < 500
    assert codes.count(250) == len(kept)


def _noop(site: Site) -> int:
    """Say something harmless over a new connection."""
    port = site.ports["submission"]
    with smtplib.SMTP_SSL("127.0.0.1", port, timeout=30, context=context(site)) as line:
        return line.noop()[0]


@pytest.mark.parametrize("when", [2, 5, 9, 14, 20, 27])
def test_killed_at_any_sync_it_loses_nothing_it_promised(
    site: Site, robot: User, colleague: User, tmp_path: Path, when: int
) -> None:
    """A power cut at the Nth sync: what had its 250 is there after the restart, once."""
    site.wrapper = strace.inject(f"fdatasync:signal=KILL:when={when}", tmp_path / "trace")
    promised = []
    try:
        with site:
            for number in range(60):
                content = compose(robot.address, colleague.address, f"Coupure {when} {number}")
                with submission(site, robot) as line:
                    line.sendmail(robot.address, [colleague.address], content)
                promised.append(message_id(content))
    except (OSError, smtplib.SMTPException):
        pass
    site.wrapper = ()
    with site:
        found = eventually(
            lambda: [message_id(m) for m in arrived(site, colleague.address)],
            lambda ids: set(promised) <= set(ids),
        )

    assert 60 > len(promised)
    assert [1] * len(promised) == [found.count(each) for each in promised]
