"""An Outbox on a real Dovecot: sent once whatever crashes, and where it lies says what became of it."""

import imaplib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from operator import le
from pathlib import Path

import pytest

from gateway.doctor.finding import Level
from gateway.doctor.neighbours import outboxes
from gateway.settings import load
from tests.interop.conftest import QUICK, Pair, running_pair
from tests.interop.mail import arrived, compose, eventually, message_id
from tests.interop.mailbox_server import PASSWORD, MailboxServer
from tests.interop.site import Federation

MAILS, KILLS = 40, (2, 15)
ROBOT = "resultats@labo.example"


@pytest.fixture(scope="module")
def dovecot(federation: Federation, folder: Path) -> Iterator[MailboxServer]:
    credential = federation.credential("imap.dovecot", "127.0.0.1")
    with MailboxServer(folder / "dovecot", credential, [ROBOT]) as server:
        yield server


@pytest.fixture(scope="module")
def pair(federation: Federation, dovecot: MailboxServer) -> Iterator[Pair]:
    """Both gateways; the laboratory's watches the Outbox."""
    secret = federation.pki / "outbox.credentials"
    secret.write_text(f"{ROBOT} {ROBOT} {PASSWORD}\n")
    secret.chmod(0o600)
    with running_pair(federation, QUICK) as made:
        made.labo.stop()
        with made.labo.config.open("a", encoding="utf-8") as config:
            config.write(
                f'\n[[labs.outbox]]\nname = "sortie"\nmailbox = "{ROBOT}"\nhost = "127.0.0.1"\n'
                f'port = {dovecot.imaps}\ncertificate = "{dovecot.credential.crt}"\n'
                f'credentials_file = "{secret}"\nfolder = "A envoyer"\n'
            )
        made.labo.start()
        yield made


def _put(dovecot: MailboxServer, mails: list[bytes]) -> None:
    """As a program does that only knows how to file mail."""
    line = dovecot.account(ROBOT)
    line.create('"A envoyer"')
    for each in mails:
        assert "OK" == line.append('"A envoyer"', "", "", each)[0]
    line.logout()


def _lying(dovecot: MailboxServer, folder: str) -> list[bytes]:
    line = dovecot.account(ROBOT)
    try:
        if line.select(f'"{folder}"', readonly=True)[0] != "OK":
            return []
        _, rows = line.fetch("1:*", "(BODY.PEEK[])")
        return [row[1] for row in rows if isinstance(row, tuple)]
    except imaplib.IMAP4.error:
        return []  # it is empty
    finally:
        line.logout()


def test_killed_again_and_again_a_gateway_sends_each_mail_once(
    pair: Pair, dovecot: MailboxServer
) -> None:
    """Wherever it is hit: read, half handed in, handed in and not yet moved."""
    lab, to = pair.labo, pair.doctor.address
    mails = [compose(ROBOT, to, f"r{n}", "x" * 70 * (n % 3) + "\r\n") for n in range(MAILS)]
    _put(dovecot, mails)
    for kill in KILLS:
        eventually(lambda: len(_lying(dovecot, "Sent")), partial(le, kill), 30.0)
        lab.kill()
        lab.start()
    eventually(lambda: len(_lying(dovecot, "Sent")), partial(le, MAILS), 60.0)
    eventually(lambda: len(arrived(pair.hopital, to)), partial(le, MAILS), 60.0)
    there = Counter(message_id(each) for each in arrived(pair.hopital, to))

    assert {message_id(each): 1 for each in mails} == there
    assert sorted(mails) == sorted(_lying(dovecot, "Sent"))
    assert [] == _lying(dovecot, "A envoyer")
    assert [] == _lying(dovecot, "Error")


def test_dovecot_tells_by_itself_and_the_error_lies_beside(
    pair: Pair, dovecot: MailboxServer
) -> None:
    """While the gateway waits (IDLE), what comes is taken at once; what nobody gets is explained."""
    large = compose(ROBOT, pair.doctor.address, "grand", f"{'y' * 76}\r\n" * 10_000)
    lost = compose(ROBOT, "x@nulle-part.example", "perdu")
    _put(dovecot, [lost, large])
    error = eventually(lambda: _lying(dovecot, "Error"), lambda found: len(found) == 2)
    sent = eventually(lambda: _lying(dovecot, "Sent"), lambda found: large in found)

    assert lost in error
    assert b"x@nulle-part.example: 550" in next(each for each in error if each != lost)
    assert large in sent
    body = large.partition(b"\r\n\r\n")[2]
    eventually(
        lambda: arrived(pair.hopital, pair.doctor.address),
        lambda found: any(each.endswith(body) for each in found),
    )


def test_the_doctor_looks_for_the_folder(pair: Pair, dovecot: MailboxServer) -> None:
    """It logs in as the gateway does, and says what is missing."""
    _put(dovecot, [])
    settings = load(pair.labo.config)
    wrong = settings.labs.outbox[0].model_copy(update={"folder": "Ailleurs"})
    closed = wrong.model_copy(update={"port": dovecot.lmtp})
    labs = settings.labs.model_copy(update={"outbox": (settings.labs.outbox[0], wrong, closed)})
    found = list(outboxes(settings.model_copy(update={"labs": labs})))

    assert [Level.OK, Level.FAIL, Level.FAIL] == [each.level for each in found]
    assert f"sortie: A envoyer of {ROBOT} is there" == found[0].sentence
    assert "sortie: there is no folder Ailleurs" == found[1].sentence
