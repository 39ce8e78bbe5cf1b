"""A real clamd, with the project's own signature: found, held, waited for, asked again after a crash."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.interop.conftest import QUICK
from tests.interop.mail import arrived, eventually, states, submission
from tests.interop.site import Federation, Site, User
from tests.quarantine.files import EXE, zipped

MARK = b"le programme malveillant des essais de Sceau"
SIGNATURE = f"Sceau.Test:0:*:{MARK.hex()}\n"
RULES = """
[[quarantine.rule]]
reasons = ["executable"]
action = "refuse"
"""


class Clamd:
    """clamd with one signature."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "clamd.ctl"
        self.log = folder / "clamd.log"
        self.config = folder / "clamd.conf"
        signatures = folder / "signatures"
        signatures.mkdir(parents=True)
        (signatures / "sceau.ndb").write_text(SIGNATURE)
        self.config.write_text(
            f"LocalSocket {self.socket}\nDatabaseDirectory {signatures}\nForeground yes\n"
            f"LogFile {self.log}\nTemporaryDirectory {folder}\nFixStaleSocket yes\n"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = shutil.which("clamd") or "/usr/sbin/clamd"
        words = [binary, "--config-file", str(self.config)]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet)
        deadline = monotonic() + 30
        while not self.socket.exists() and monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(15)
            self.process = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let it stand still, as a machine does that swaps."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def clamd(folder: Path) -> Iterator[Clamd]:
    made = Clamd(folder / "clamd")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def site(federation: Federation, clamd: Clamd) -> Iterator[Site]:
    """A hospital that shows its mail to clamd."""
    how = {"scanner": str(clamd.socket), "scanner_patience": 4}
    made = Site(federation, "hopital", "chu.example", {**QUICK, "quarantine": how})
    made.found(federation.publish())
    made.config.write_text(made.config.read_text() + RULES)
    with made:
        yield made


@pytest.fixture(scope="module")
def people(site: Site) -> tuple[User, User]:
    return site.user("dr"), site.user("accueil")


def send(site: Site, people: tuple[User, User], subject: str, name: str, content: bytes) -> None:
    sender, reader = people
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = sender.address, reader.address, subject
    made.set_content("Bonjour.\n")
    made.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    with submission(site, sender) as line:
        assert {} == line.sendmail(sender.address, [reader.address], made.as_bytes())


def cases(site: Site) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = site.sceau("quarantine", "list")
    return rows


def test_what_it_finds_waits_for_a_person(site: Site, people: tuple[User, User]) -> None:
    """In an attachment, and in an archive in an attachment; what is clean goes on."""
    send(site, people, "Propre", "a.pdf", b"%PDF-1.4 bonjour")
    send(site, people, "Joint", "b.pdf", b"%PDF-1.4 " + MARK)
    send(site, people, "Archive", "c.zip", zipped({"d.txt": MARK * 20}))
    send(site, people, "Programme", "d.pdf", EXE)
    eventually(lambda: cases(site), lambda seen: len(seen) == 2)
    assert [["malware"], ["malware"]] == [case["reasons"] for case in cases(site)]
    (letter,) = eventually(lambda: arrived(site, people[1].address), lambda seen: len(seen) >= 1)
    assert b"Propre" in letter
    eventually(lambda: states(site), lambda seen: "refused" in seen)
    assert 1 == states(site).count("refused")


def test_one_that_stands_still_is_waited_for(
    site: Site, people: tuple[User, User], clamd: Clamd
) -> None:
    """The sender has the 250 at once; a gateway that dies meanwhile asks again at its next start."""
    before = len(arrived(site, people[1].address))
    with clamd.stopped():
        send(site, people, "Attente", "a.pdf", b"%PDF-1.4 bonjour")
        send(site, people, "Attente", "b.pdf", b"%PDF-1.4 " + MARK)
        assert 2 == states(site).count("inspecting")
        site.kill()
    site.start()
    eventually(lambda: cases(site), lambda seen: len(seen) == 3)
    after = eventually(
        lambda: arrived(site, people[1].address), lambda seen: len(seen) == before + 1
    )
    assert before + 1 == len(after)
    assert 3 == len(cases(site))


def test_one_that_is_gone(site: Site, people: tuple[User, User], clamd: Clamd) -> None:
    """Messages wait, then a person decides; it is told, and it is told that it is back."""
    clamd.stop()
    send(site, people, "Sans avis", "a.pdf", b"%PDF-1.4 bonjour")
    eventually(lambda: cases(site), lambda seen: len(seen) == 4)
    assert ["not-scanned"] in [case["reasons"] for case in cases(site)]
    clamd.start()
    before = len(arrived(site, people[1].address))
    send(site, people, "Revenu", "a.pdf", b"%PDF-1.4 bonjour")
    after = eventually(
        lambda: arrived(site, people[1].address), lambda seen: len(seen) == before + 1
    )
    assert before + 1 == len(after)
    found = site.sceau("journal", "search", "--event", "scanner.silent")
    assert found
