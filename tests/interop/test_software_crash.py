"""kill -9 of a gateway that hands documents to software: each arrives, and at most once too often."""

import json
import re
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from operator import le
from pathlib import Path

from gateway.documents import packing, xdm
from smtp.address import parse
from tests.gateway.documents.made import parcel
from tests.interop.conftest import QUICK
from tests.interop.mail import eventually, receipts, submission
from tests.interop.site import Federation, Site, User

DOMAIN = "chu-nord.example"
FILES, PROGRAM = f"dossiers@{DOMAIN}", f"logiciel@{DOMAIN}"
PERSON, COPIES = f"medecin@{DOMAIN}", f"copies@{DOMAIN}"
RESULTS, KILLS = 6, (1, 3)

_SECTION = """
[[mailboxes.server]]
name = "dossiers"
kind = "folder"
path = "{path}"
mailboxes = ["{files}"]
[[mailboxes.server]]
name = "dpi"
kind = "mllp"
host = "127.0.0.1"
port = {port}
mailboxes = ["{program}"]
[[mailboxes.server]]
name = "copies"
kind = "folder"
path = "{copied}"
mailboxes = ["{copies}"]
[[mailboxes.forward]]
mailboxes = ["{person}"]
to = "{copies}"
"""


@dataclass(slots=True)
class Program:
    """Software that files what it reads, and answers only while it may."""

    port: int = 0
    filed: list[str] = field(default_factory=list)  # by control id
    may_answer: threading.Event = field(default_factory=threading.Event)

    def take(self, message: bytes) -> bytes:
        """File a message, and return the acknowledgement."""
        control = message.split(b"|")[9].decode()
        self.filed.append(control)
        self.may_answer.wait(60)
        return f"\x0bMSH|^~\\&|DPI||SCEAU||2026||ACK|1|P|2.5\rMSA|AA|{control}\r\x1c\r".encode()


@contextmanager
def listening(program: Program) -> Iterator[None]:
    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            held = b""
            try:
                while block := self.request.recv(1 << 16):
                    held += block
                    while b"\x1c\r" in held:
                        message, _, held = held.partition(b"\x1c\r")
                        self.request.sendall(program.take(message))
            except OSError:  # it was killed
                pass

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Talk) as server:
        program.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            program.may_answer.set()
            server.shutdown()
            thread.join()


def _send(site: Site, who: User, number: int) -> None:
    made = parcel(
        sender=parse(who.address),
        recipients=(parse(FILES), parse(PROGRAM), parse(PERSON)),
        message_id=f"<{number}@{DOMAIN}>",
        answers=parse(who.address),
    )
    mail = packing.pack(made, xdm.Sender("CHU", who.address))
    with submission(site, who) as line:
        line.sendmail(who.address, [FILES, PROGRAM, PERSON], mail)


def test_killed_while_software_files_it(federation: Federation, folder: Path) -> None:
    """A folder has each message once, and each copy; a program that was asked twice sees that it was.

    What the program said of each reaches its sender once.
    """
    path, copied, program = folder / "recu", folder / "copies", Program()
    path.mkdir()
    copied.mkdir()
    site = Site(federation, "hopital", DOMAIN, QUICK)
    site.found(federation.publish())
    with listening(program):
        section = _SECTION.format(
            path=path,
            files=FILES,
            port=program.port,
            program=PROGRAM,
            copied=copied,
            copies=COPIES,
            person=PERSON,
        )
        site.config.write_text(site.config.read_text("utf-8") + section, "utf-8")
        with site:
            nurse = site.user("ide")
            for address in (FILES, PROGRAM, COPIES):
                site.sceau("mailbox", "add", address, "--kind", "APP")
            site.sceau("mailbox", "add", PERSON)
            for number in range(RESULTS):
                _send(site, nurse, number)
            for kill in KILLS:
                eventually(lambda: len(program.filed), partial(le, kill))
                site.kill()
                program.may_answer.set()
                site.start()

            def told() -> Counter[str]:
                return Counter(row["type"] for row in receipts(site, nurse))

            def copies() -> int:
                return len([each for each in copied.iterdir() if each.name[0] != "."])

            eventually(lambda: told()["delivered"], lambda seen: seen == 3 * RESULTS)
            assert RESULTS == eventually(copies, lambda seen: seen == RESULTS)
            eventually(lambda: told()["application.filed"], lambda seen: seen >= RESULTS)
            assert (3 * RESULTS, RESULTS) == (told()["delivered"], told()["application.filed"])
            assert site.sceau("journal", "verify")

    there = [json.loads((each / "message.json").read_bytes()) for each in path.iterdir()]
    assert {f"<{number}@{DOMAIN}>" for number in range(RESULTS)} == {
        each["message_id"] for each in there
    }
    assert RESULTS == len(there)
    assert all(re.fullmatch(r"[0-9A-Z]{26}-[0-9a-f]{8}", each.name) for each in path.iterdir())
    times = Counter(program.filed)
    assert RESULTS == len(times)
    assert max(times.values()) <= 1 + len(KILLS)
    assert len(program.filed) > RESULTS
