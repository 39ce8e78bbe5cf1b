"""Real mail clients read what the gateway delivered, over the network, from a gateway of its own."""

import asyncio
import imaplib
import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aioimaplib
import pytest
from imapclient import IMAPClient

from tests.interop.conftest import Pair
from tests.interop.mail import arrived, compose, context, eventually, submission

SUBJECT = "Un résultat à lire"


@pytest.fixture(scope="module")
def letter(pair: Pair) -> bytes:
    """A message that the laboratory sent and the hospital's doctor has."""
    sent = compose(pair.robot.address, pair.doctor.address, SUBJECT, "Potassium 4,1 mmol/l\r\n")
    submit(pair, sent)
    eventually(lambda: arrived(pair.hopital, pair.doctor.address), bool)
    return sent


def submit(pair: Pair, content: bytes) -> None:
    """Send from the laboratory to the doctor."""
    with submission(pair.labo, pair.robot) as line:
        line.sendmail(pair.robot.address, [pair.doctor.address], content)


def anonymous(pair: Pair) -> ssl.SSLContext:
    """A client's TLS: it believes the federation's authority and shows nothing."""
    made = ssl.create_default_context(cafile=str(pair.federation.anchors))
    made.check_hostname = False
    return made


@pytest.fixture
def open_box(pair: Pair, letter: bytes) -> Iterator[imaplib.IMAP4_SSL]:
    """The doctor's mailbox, through Python's own client."""
    port = pair.hopital.ports["imap"]
    with imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=anonymous(pair)) as box:
        box.login(pair.doctor.address, pair.doctor.password)
        yield box


def test_imaplib_reads_what_was_delivered(open_box: imaplib.IMAP4_SSL, letter: bytes) -> None:
    """The octets are those that were sent, behind our own trace."""
    open_box.select("INBOX", readonly=True)
    _, found = open_box.search("UTF-8", "BODY", "Potassium")
    _, fetched = open_box.fetch(found[0].split()[-1].decode(), "(FLAGS BODY.PEEK[])")
    assert isinstance(fetched[0], tuple)
    assert letter.rstrip() in fetched[0][1]


def test_imaplib_over_starttls(pair: Pair, letter: bytes) -> None:
    """Nothing but STARTTLS is done in clear."""
    with imaplib.IMAP4("127.0.0.1", pair.hopital.ports["imap_starttls"]) as box:
        with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
            box.login(pair.doctor.address, pair.doctor.password)
        box.starttls(anonymous(pair))
        box.login(pair.doctor.address, pair.doctor.password)
        assert "OK" == box.select("INBOX")[0]


def test_a_certificate_alone_reads(pair: Pair, letter: bytes) -> None:
    """Software without a password has EXTERNAL."""
    shown = context(pair.hopital, pair.doctor.credential)
    port = pair.hopital.ports["imap_certificate"]
    with imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=shown) as box:
        box.authenticate("EXTERNAL", lambda _: b"")
        assert "OK" == box.select("INBOX")[0]


def test_imapclient(pair: Pair, letter: bytes) -> None:
    """Folders, flags, moves, searches, a gmail-like client's habits."""
    with IMAPClient("127.0.0.1", pair.hopital.ports["imap"], ssl_context=anonymous(pair)) as client:
        client.login(pair.doctor.address, pair.doctor.password)
        client.create_folder("Résultats/2026")
        assert "Résultats/2026" in [name for _, _, name in client.list_folders()]
        client.select_folder("INBOX")
        kept = client.append("INBOX", b"Subject: copie\r\n\r\ncorps\r\n", flags=[b"\\Seen"])
        assert b"APPENDUID" in kept
        (uid,) = client.search(["SUBJECT", "copie"])
        client.add_flags(uid, [b"\\Flagged", b"$Fait"])
        told = (b"\\Seen", b"\\Flagged", b"$Fait", b"\\Recent")
        assert told == client.get_flags(uid)[uid]
        client.move([uid], "Résultats/2026")
        assert [] == client.search(["SUBJECT", "copie"])
        assert 1 == client.folder_status("Résultats/2026", ["MESSAGES"])[b"MESSAGES"]
        client.delete_folder("Résultats/2026")
        client.delete_folder("Résultats")


def test_imapclient_hears_while_it_idles(pair: Pair, letter: bytes) -> None:
    """A delivery is told at once."""
    with IMAPClient("127.0.0.1", pair.hopital.ports["imap"], ssl_context=anonymous(pair)) as client:
        client.login(pair.doctor.address, pair.doctor.password)
        before = client.select_folder("INBOX")[b"EXISTS"]
        client.idle()
        submit(pair, compose(pair.robot.address, pair.doctor.address, "IDLE", "x"))
        assert (before + 1, b"EXISTS") in client.idle_check(timeout=30)
        client.idle_done()


async def test_aioimaplib(pair: Pair, letter: bytes) -> None:
    """The client that the gateway itself uses with other servers."""
    client = aioimaplib.IMAP4_SSL(
        "127.0.0.1", pair.hopital.ports["imap"], ssl_context=anonymous(pair)
    )
    async with asyncio.timeout(30):
        await client.wait_hello_from_server()
        await client.login(pair.doctor.address, pair.doctor.password)
        selected = await client.select("INBOX")
        fetched = await client.uid("fetch", "1", "(FLAGS BODY.PEEK[])")
        await client.logout()
        client.protocol.transport.abort()
    assert ("OK", "OK") == (selected.result, fetched.result)
    assert any(letter.rstrip() in bytes(line) for line in fetched.lines)


def curl(pair: Pair, path: str, *words: str) -> bytes:
    """Ask curl for something of the doctor's mailbox."""
    port, user = pair.hopital.ports["imap"], pair.doctor
    return subprocess.run(
        [
            *("curl", "--silent", "--show-error", "--cacert", str(pair.federation.anchors)),
            *("--resolve", f"mx.chu-nord.example:{port}:127.0.0.1"),
            *("--user", f"{user.address}:{user.password}", *words),
            f"imaps://mx.chu-nord.example:{port}/{path}",
        ],
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout


def test_curl(pair: Pair, letter: bytes) -> None:
    """A message by its URL, the folders by none; the certificate is checked against the name."""
    assert letter.rstrip() in curl(pair, "INBOX;UID=1")
    assert b'"/" "INBOX"' in curl(pair, "")


MBSYNC = """\
IMAPAccount chu
Host 127.0.0.1
Port {port}
User {user.address}
Pass {user.password}
SSLType IMAPS
CertificateFile {certificate}

IMAPStore there
Account chu

MaildirStore here
Path {folder}/
Inbox {folder}/INBOX
SubFolders Verbatim

Channel both
Far :there:
Near :here:
Patterns INBOX
Create Near
Expunge Both
SyncState *
"""


def test_mbsync_keeps_both_sides_alike(pair: Pair, letter: bytes, tmp_path: Path) -> None:
    """What is delivered comes down, what is filed and read below goes up."""
    here = tmp_path / "mail"
    here.mkdir()
    config = tmp_path / "mbsyncrc"
    config.write_text(
        MBSYNC.format(
            port=pair.hopital.ports["imap"],
            user=pair.doctor,
            certificate=pair.hopital.credential.crt,
            folder=here,
        )
    )
    sync(config)
    box = here / "INBOX"
    came = [path for part in ("new", "cur") for path in (box / part).iterdir()]
    assert any(b"Potassium 4,1" in path.read_bytes() for path in came)
    for path in (box / "new").iterdir():
        path.rename(box / "cur" / f"{path.name.partition(':')[0]}:2,S")
    (box / "cur" / "ours:2,F").write_bytes(b"Subject: d'en bas\n\ncorps\n")
    sync(config)
    with IMAPClient("127.0.0.1", pair.hopital.ports["imap"], ssl_context=anonymous(pair)) as client:
        client.login(pair.doctor.address, pair.doctor.password)
        client.select_folder("INBOX", readonly=True)
        assert 1 == len(client.search(["SUBJECT", "d'en bas", "FLAGGED"]))
        assert 1 in client.search(["SEEN"])


def sync(config: Path) -> None:
    """Run mbsync once."""
    done = subprocess.run(
        ["mbsync", "--config", str(config), "--all"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env=os.environ | {"HOME": str(config.parent)},
    )
    assert 0 == done.returncode, done.stderr


def test_mutt(pair: Pair, letter: bytes, tmp_path: Path) -> None:
    """The doctor's terminal opens the mailbox and copies its first message out of it."""
    settings = tmp_path / "muttrc"
    settings.write_text(
        f'set folder="imaps://127.0.0.1:{pair.hopital.ports["imap"]}/"\n'
        f'set imap_user="{pair.doctor.address}"\n'
        f'set imap_pass="{pair.doctor.password}"\n'
        f'set ssl_ca_certificates_file="{pair.federation.anchors}"\n'
        "set ssl_verify_host=no\nset ssl_force_tls=yes\nset confirmappend=no\nset confirmcreate=no\nset copy=no\n"
        f"set header_cache=\nset tmpdir={tmp_path}\nset delete=no\nset quit=yes\nset wait_key=no\n"
        f'push "<first-entry><copy-message>{tmp_path}/out<enter><exit>"\n'
    )
    inbox = f"imaps://127.0.0.1:{pair.hopital.ports['imap']}/INBOX"
    screen = subprocess.run(
        ["script", "-qec", f"mutt -n -F {settings} -f {inbox}", "/dev/null"],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
        env=os.environ | {"TERM": "vt100", "HOME": str(tmp_path)},
    )
    assert (tmp_path / "out").exists(), screen.stdout[-2000:]
    assert b"Potassium" in (tmp_path / "out").read_bytes()


def test_a_closed_mailbox_ends_its_sessions(pair: Pair) -> None:
    """Within a second the client hears goodbye."""
    user = pair.hopital.user("partant")
    port = pair.hopital.ports["imap"]
    with IMAPClient("127.0.0.1", port, ssl_context=anonymous(pair)) as client:
        client.login(user.address, user.password)
        client.select_folder("INBOX")
        client.idle()
        pair.hopital.sceau("mailbox", "close", user.address)
        assert b"BYE" in [said[0] for said in client.idle_check(timeout=5)]
