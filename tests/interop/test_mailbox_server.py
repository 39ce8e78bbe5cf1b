"""Mailboxes that lie on the house's own Dovecot, handed over by LMTP, IMAP and SMTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app import settings_of
from gateway.doctor import software
from gateway.doctor.finding import Level
from tests.interop.conftest import QUICK
from tests.interop.mail import compose, eventually, message_id, receipts, submission, untraced
from tests.interop.mailbox_server import PASSWORD, MailboxServer
from tests.interop.site import Federation, Site, User

DOMAIN = "chu-nord.example"
NURSE, FULL, ALONE = f"ide@{DOMAIN}", f"plein@{DOMAIN}", f"imap@{DOMAIN}"
CANARY = "Bilan-hepatique-de-Martin"

QUOTA = """\
mail_plugins = $mail_plugins quota
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=100k
}
"""


@pytest.fixture(scope="module")
def dovecot(federation: Federation, folder: Path) -> Iterator[MailboxServer]:
    """The example configuration, and an IMAP account besides."""
    credential = federation.credential("imap.dovecot", "127.0.0.1")
    server = MailboxServer(folder / "dovecot", credential, [NURSE, ALONE], QUOTA)
    with server:
        yield server


@pytest.fixture(scope="module")
def hopital(federation: Federation, dovecot: MailboxServer) -> Iterator[Site]:
    """A hospital whose mail lies there: by LMTP, except for one mailbox."""
    credentials = federation.pki / "imap.credentials"
    credentials.write_text(f"# who, as whom, with what\n{ALONE} {ALONE} {PASSWORD}\n")
    credentials.chmod(0o600)
    site = Site(federation, "hopital", DOMAIN, QUICK)
    listed = federation.publish()
    site.found(listed)
    with site.config.open("a", encoding="utf-8") as config:
        config.write(
            f'[[mailboxes.server]]\nname = "dovecot"\nkind = "lmtp"\nsocket = "{dovecot.socket}"\n'
            f'domains = ["{DOMAIN}"]\n'
            f'[[mailboxes.server]]\nname = "append"\nkind = "imap"\nhost = "127.0.0.1"\n'
            f'port = {dovecot.imaps}\ncertificate = "{dovecot.credential.crt}"\n'
            f'credentials_file = "{credentials}"\nmailboxes = ["{ALONE}"]\npoll = 1\n'
        )
    with site:
        yield site


@pytest.fixture(scope="module")
def nurse(hopital: Site) -> User:
    for local in ("imap", "plein"):
        hopital.sceau("mailbox", "add", f"{local}@{DOMAIN}")
    return hopital.user("ide")


def test_the_doctor_meets_both(hopital: Site, nurse: User, dovecot: MailboxServer) -> None:
    """By LMTP, and by a log-in to the account elsewhere; a folder that is not there is missed."""
    settings = settings_of(hopital.config)
    assert [Level.OK] * 2 == [each.level for each in software.servers(settings)]
    there, account = settings.mailboxes.server
    away = account.model_copy(update={"folder": "Nulle part"})
    boxes = settings.mailboxes.model_copy(update={"server": (there, away)})
    found = list(software.servers(settings.model_copy(update={"mailboxes": boxes})))
    assert [Level.OK, Level.FAIL] == [each.level for each in found]


def _kinds(site: Site, user: User, sent: bytes) -> list[str]:
    rows = receipts(site, user)
    return [row["type"] for row in rows if row["subject"] == message_id(sent)]


def test_dovecot_keeps_it_and_nobody_can_read_the_disk(
    hopital: Site, nurse: User, dovecot: MailboxServer
) -> None:
    """Delivered is what Dovecot said it kept; with the example nothing of it lies in clear."""
    sent = compose(nurse.address, NURSE, CANARY, f"{CANARY}\r\n" * 3)
    with submission(hopital, nurse) as line:
        line.sendmail(nurse.address, [NURSE], sent)
    kinds = eventually(lambda: _kinds(hopital, nurse, sent), lambda seen: "delivered" in seen)
    found = [each for each in dovecot.inbox(NURSE) if CANARY.encode() in each]

    assert ["accepted", "delivered", "delivered"] == kinds, dovecot.log
    assert 1 == len(found)
    assert found[0].endswith(sent.partition(b"\r\n\r\n")[2])
    disk = dovecot.on_disk()
    assert b"CRYPTED" in disk
    assert CANARY.encode() not in disk
    assert message_id(sent).encode() not in disk


def test_what_dovecot_refuses_is_told_to_the_sender(
    hopital: Site, nurse: User, dovecot: MailboxServer
) -> None:
    """A message that its server will not have fails, in that server's words."""
    sent = compose(nurse.address, NURSE, "Trop grand", 3000 * f"{'y' * 70}\r\n")
    with submission(hopital, nurse) as line:
        line.sendmail(nurse.address, [NURSE], sent)
    kinds = eventually(lambda: _kinds(hopital, nurse, sent), lambda seen: len(seen) > 1)

    assert ["accepted", "failed"] == kinds, hopital.sceau("spool", "list")
    reports = eventually(
        lambda: [each for each in dovecot.inbox(NURSE) if b"Action: failed" in each], bool
    )
    assert b"Status: 5.2.2" in reports[0]


def test_an_account_elsewhere_gets_it_by_append(
    hopital: Site, nurse: User, dovecot: MailboxServer
) -> None:
    """IMAP APPEND with the account's own credentials, to a server proven by its certificate."""
    sent = compose(nurse.address, ALONE, "Par IMAP", "Ligne une.\r\n.\r\nEt \xe9.\r\n")
    with submission(hopital, nurse) as line:
        line.sendmail(nurse.address, [ALONE], sent)
    kinds = eventually(lambda: _kinds(hopital, nurse, sent), lambda seen: "delivered" in seen)

    assert "delivered" in kinds, dovecot.log
    assert [sent] == [untraced(each) for each in dovecot.inbox(ALONE)]


def test_opened_there_its_sender_is_told(
    hopital: Site, nurse: User, dovecot: MailboxServer
) -> None:
    """A reader who allows it opens a message in the account elsewhere: the sender learns of it."""
    hopital.sceau("mailbox", "receipts", ALONE, "--read", "always")
    wish = f"Disposition-Notification-To: <{nurse.address}>\r\n".encode()
    sent = wish + compose(nurse.address, ALONE, "A lire")
    with submission(hopital, nurse) as line:
        line.sendmail(nurse.address, [ALONE], sent)
    eventually(lambda: _kinds(hopital, nurse, sent), lambda seen: "delivered" in seen)
    account = dovecot.account(ALONE)
    account.select("INBOX")
    _, found = account.search(None, "HEADER", "Message-ID", message_id(sent))
    account.fetch(found[0].decode(), "(BODY[])")
    account.logout()

    kinds = eventually(lambda: _kinds(hopital, nurse, sent), lambda seen: "read" in seen)
    assert "read" in kinds, dovecot.log
