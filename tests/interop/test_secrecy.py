"""At rest means sealed, all of it: the canaries of a whole day's mail are nowhere on the disk."""

import base64
import gzip
import os
import smtplib
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from tests.canary import Canary, Finding, search, search_folder
from tests.interop.conftest import QUICK, Pair, running_pair
from tests.interop.mail import arrived, context, eventually, states, submission
from tests.interop.site import Federation

SUBJECT = "Kanarisujet-tumeur-4417"
TEXT = "Kanaritexte: le patient Kanarinom est séropositif-9921"
NAME = "kanari-compte-rendu-8813.pdf"
ATTACHED = "Kanaripiece-jointe-3302-contenu"
CITIZEN = "jeanne.kanari.7754"
HEADER_ID = "kanari-identifiant-6620@labo.example"
WRONG_PASSWORD = "Kanari-mot-de-passe-faux-1188"
ENVELOPE_ID = "kanari-envid-2275"


@pytest.fixture(scope="module")
def pair(federation: Federation) -> Iterator[Pair]:
    """Two gateways at their most talkative, with a low limit so that blobs are written too."""
    settings = {**QUICK, "log": {"level": "debug"}, "vault": {"inline_limit": 16 * 1024}}
    with running_pair(federation, settings) as made:
        yield made


def _message(sender: str, recipient: str, filling: int) -> bytes:
    message = EmailMessage(policy=SMTP.clone(cte_type="8bit"))
    message["From"], message["To"], message["Subject"] = sender, recipient, SUBJECT
    message["Message-ID"], message["Date"] = f"<{HEADER_ID}>", "Mon, 02 Nov 2026 08:00:00 +0100"
    message.set_content(TEXT)
    message.add_attachment(
        ATTACHED.encode() + os.urandom(filling), "application", "pdf", filename=NAME
    )
    return message.as_bytes()


def _canaries(pair: Pair) -> list[Canary]:
    return [
        Canary("subject", SUBJECT),
        Canary("text", "Kanarinom est séropositif"),
        Canary("file name", NAME),
        Canary("attachment", ATTACHED),
        Canary("citizen", CITIZEN),
        Canary("sender", pair.robot.address),
        Canary("recipient", pair.doctor.address),
        Canary("Message-ID", HEADER_ID),
        Canary("envelope id", ENVELOPE_ID),
        Canary("password", pair.robot.password),
        Canary("wrong password", WRONG_PASSWORD),
    ]


@pytest.fixture(scope="module")
def day(pair: Pair) -> list[Canary]:
    """A day's mail: small, large, refused, with a failed log-in, some of it still on its way."""
    robot, doctor = pair.robot.address, pair.doctor.address
    outsider, absent = f"{CITIZEN}@fournisseur.example", f"{CITIZEN}@{pair.hopital.domain}"
    with submission(pair.labo, pair.robot) as line:
        for filling in (10, 300_000):
            content = _message(robot, doctor, filling)
            line.sendmail(
                robot,
                [doctor],
                content,
                [f"ENVID={ENVELOPE_ID}", "BODY=8BITMIME"],
                ["NOTIFY=SUCCESS"],
            )
        for nobody in (outsider, absent):
            line.sendmail(robot, [doctor, nobody], _message(robot, nobody, 10), ["BODY=8BITMIME"])
    with (
        pytest.raises(smtplib.SMTPAuthenticationError),
        smtplib.SMTP_SSL(
            "127.0.0.1", pair.labo.ports["submission"], timeout=30, context=context(pair.labo)
        ) as line,
    ):
        line.login(robot, WRONG_PASSWORD)
    eventually(lambda: states(pair.labo), lambda seen: not {"queued", "sending"} & set(seen))
    seen = eventually(lambda: arrived(pair.hopital, doctor), lambda seen: len(seen) >= 4)
    assert len(seen) >= 4, states(pair.labo)
    return _canaries(pair)


def test_a_copy_of_the_data_folders_tells_nothing(pair: Pair, day: list[Canary]) -> None:
    """Database, its log, blobs, temporary files, names: no canary, in no encoding."""
    for site in (pair.labo, pair.hopital):
        assert set() == search_folder(site.data, day)
        assert {"sceau.db"} <= {path.name for path in site.data.iterdir()}
    assert any(path.stat().st_size > 300_000 for path in _files(pair.hopital.data / "blobs"))


def test_the_search_finds_its_control(pair: Pair, day: list[Canary], tmp_path: Path) -> None:
    """The same message, left unsealed: a search that misses it here would prove nothing there."""
    content = _message(pair.robot.address, pair.doctor.address, 10)
    (tmp_path / "forgotten.eml").write_bytes(content)
    (tmp_path / "forgotten.eml.gz").write_bytes(gzip.compress(base64.b64encode(content)))
    found = search_folder(tmp_path, day)

    for name in ("subject", "text", "attachment", "recipient", "Message-ID"):
        places = {finding.place.partition(" > ")[0] for finding in found if finding.canary == name}
        assert {"forgotten.eml", "forgotten.eml.gz"} <= places, name


def test_logs_and_keys_hold_no_canary(pair: Pair, day: list[Canary]) -> None:
    """Ids and slugs, never an address, a subject or a password; not even at debug level."""
    for site in (pair.labo, pair.hopital):
        assert b"{" in site.log.read_bytes()
        assert set() == search(site.log.read_bytes(), day, "log")
        assert set() == search_folder(site.folder / "keys", day)


def test_a_running_gateway_shows_no_canary(pair: Pair, day: list[Canary]) -> None:
    """Neither to who lists processes and their environment, nor to who scrapes its metrics."""
    for site in (pair.labo, pair.hopital):
        port = site.ports["status"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            metrics = page.read()
        process = Path("/proc") / str(site.pid)
        seen = [(process / name).read_bytes() for name in ("cmdline", "environ", "comm")]

        assert b"sceau" in metrics
        assert set() == search(b"\n".join([metrics, *seen]), day)


def test_nothing_is_left_in_the_temporary_folder(pair: Pair, day: list[Canary]) -> None:
    """Not one file is open or lies outside the gateway's own folders."""
    for site in (pair.labo, pair.hopital):
        opened = [
            str(link.readlink())
            for link in (Path("/proc") / str(site.pid) / "fd").iterdir()
            if link.exists()
        ]
        files = [name for name in opened if name.startswith("/") and "/dev/" not in name]

        assert [] == [name for name in files if not name.startswith(str(site.folder))]


def test_after_a_crash_it_is_the_same(pair: Pair, day: list[Canary]) -> None:
    """What a killed gateway leaves behind, half-written files and core dumps included."""
    pair.hopital.kill()
    found: set[Finding] = search_folder(pair.hopital.folder, day)
    pair.hopital.start()

    assert set() == found


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
