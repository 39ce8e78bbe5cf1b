"""Mail to and from Postfix, each showing its certificate and verifying the other's."""

import email
import os
import re
import shutil
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path

import httpx
import pytest

from gateway.demo.connect import Connect
from smtp.address import parse
from tests.interop.conftest import QUICK, Pair, running_pair
from tests.interop.mail import (
    arrived,
    compose,
    eventually,
    message_id,
    receipts,
    states,
    submission,
    untraced,
)
from tests.interop.postfix import Postfix, free_port
from tests.interop.site import Federation
from trust.addresses import Addresses, Kind, Listed

DOMAIN = "postfix.example"
CLINICIAN = f"dr.leroy@{DOMAIN}"
ORIGIN = "https://courrier.labo.example"
CONNECT = Connect("sceau", "", {"leroy": {"SubjectNameID": "810001234565"}})

SETTINGS = """\
myhostname = mx.postfix.example
mydestination =
virtual_mailbox_domains = postfix.example
virtual_mailbox_base = {folder}/mailboxes
virtual_mailbox_maps = inline:{{dr.leroy@postfix.example=leroy/}}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
virtual_minimum_uid = 1
message_size_limit = 1000000
virtual_mailbox_limit = 0
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s

smtpd_tls_security_level = encrypt
smtpd_tls_req_ccert = yes
smtpd_tls_chain_files = ${{config_directory}}/tls.key, ${{config_directory}}/tls.crt
smtpd_tls_CAfile = ${{config_directory}}/ca.pem
smtpd_tls_received_header = yes
smtpd_relay_restrictions = permit_tls_all_clientcerts, reject

smtp_tls_security_level = secure
smtp_tls_secure_cert_match = mx.labo.example
smtp_tls_CAfile = ${{config_directory}}/ca.pem
smtp_tls_chain_files = ${{config_directory}}/tls.key, ${{config_directory}}/tls.crt
relayhost = [127.0.0.1]:{relay}
"""


@pytest.fixture(scope="module")
def pair(federation: Federation) -> Iterator[Pair]:
    """Two gateways, whose list names Postfix's domain, certificate and port as well."""
    federation.add(DOMAIN, federation.credential(f"mx.{DOMAIN}", f"mx.{DOMAIN}"), free_port())
    federation.addresses = Addresses.of([Listed(parse(CLINICIAN), Kind.PER, "rpps:10001234565")])
    web = federation.credential("connect", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(web.crt, web.key)
    with CONNECT.serving(context):
        reader = {
            "url": CONNECT.url,
            "audience": CONNECT.client,
            "anchors": str(federation.anchors),
            "origin": ORIGIN,
        }
        with running_pair(federation, {**QUICK, "large.reader": reader}) as made:
            yield made


@pytest.fixture(scope="module")
def postfix(pair: Pair, folder: Path) -> Iterator[Postfix]:
    """A member that runs Postfix and hands its mail to the laboratory's relay."""
    pki = pair.federation.pki
    host = pair.federation.members[DOMAIN].hosts[0]
    mailboxes = folder / "postfix" / "mailboxes"
    mailboxes.mkdir(parents=True, mode=0o755)
    shutil.chown(mailboxes, "postfix")
    settings = SETTINGS.format(
        folder=folder / "postfix", uid=mailboxes.stat().st_uid, relay=pair.labo.ports["relay"]
    )
    files = {
        "tls.crt": (pki / f"mx.{DOMAIN}.crt").read_bytes(),
        "tls.key": (pki / f"mx.{DOMAIN}.key").read_bytes(),
        "ca.pem": pair.federation.anchors.read_bytes(),
    }
    with Postfix(folder / "postfix", settings, files=files, port=host.port or 0) as running:
        yield running


def _mailbox(postfix: Postfix) -> list[bytes]:
    """Return what lies in the clinician's maildir, with the CRLFs that the wire had."""
    files = sorted((postfix.folder / "mailboxes" / "leroy" / "new").glob("*"))
    return [path.read_bytes().replace(b"\n", b"\r\n") for path in files]


def _find(messages: list[bytes], sent: bytes) -> list[bytes]:
    return [found for found in messages if message_id(sent) == message_id(found)]


def test_postfix_hands_mail_to_our_relay(pair: Pair, postfix: Postfix) -> None:
    """A member's Postfix, showing its certificate, reaches a mailbox, and nothing is changed."""
    user = pair.robot.address
    sent = compose(CLINICIAN, user, "De Postfix", "Ligne longue \xe9.\r\n.\r\n..point\r\n")
    postfix.sendmail(CLINICIAN, user, sent)
    found = eventually(lambda: _find(arrived(pair.labo, user), sent), bool)

    assert [sent] == [untraced(each) for each in found]
    assert f"relay=127.0.0.1[127.0.0.1]:{pair.labo.ports['relay']}" in postfix.log.read_text()


def test_postfix_is_told_that_it_arrived(pair: Pair, postfix: Postfix) -> None:
    """NOTIFY=SUCCESS from a peer is answered by a report that Postfix delivers to the sender."""
    user = pair.robot.address
    sent = compose(CLINICIAN, user, "Avec accuse")
    postfix.sendmail(CLINICIAN, user, sent, "-N", "success", "-V", "QQ314159")
    reports = eventually(lambda: [m for m in _mailbox(postfix) if b"multipart/report" in m], bool)

    assert 1 == len(reports)
    assert b"Original-Envelope-Id: QQ314159" in reports[0]
    assert re.search(rb"\r\nAction: delivered\r\n", reports[0])


def test_we_hand_mail_to_a_postfix_that_asks_for_our_certificate(
    pair: Pair, postfix: Postfix
) -> None:
    """As a next hop, Postfix verifies our certificate and gets exactly what was submitted."""
    sent = compose(pair.robot.address, CLINICIAN, "Vers Postfix", "é\r\n..\r\n.point\r\n")
    with submission(pair.labo, pair.robot) as line:
        line.sendmail(pair.robot.address, [CLINICIAN], sent)
    found = eventually(lambda: _find(_mailbox(postfix), sent), bool)

    assert 1 == len(found)
    assert sent == untraced(found[0].partition(b"Delivered-To: " + CLINICIAN.encode())[2][2:])
    assert re.search(rb'Client CN "mx\.labo\.example".*\(verified OK\)', found[0], re.DOTALL)


def test_a_report_of_postfix_makes_it_delivered(pair: Pair, postfix: Postfix) -> None:
    """The peer's 250 is "relayed"; "delivered" is said only when its report has come back."""
    sent = compose(pair.robot.address, CLINICIAN, "Vers Postfix avec accuse")
    with submission(pair.labo, pair.robot) as line:
        line.sendmail(pair.robot.address, [CLINICIAN], sent, rcpt_options=["NOTIFY=SUCCESS"])
    kinds = eventually(lambda: _kinds(pair, sent), lambda seen: "delivered" in seen)

    assert ["accepted", "relayed", "delivered"] == kinds


def test_a_mailbox_that_postfix_does_not_know_is_reported_to_the_sender(
    pair: Pair, postfix: Postfix
) -> None:
    """A 550 at the next hop becomes a report in the sender's own mailbox."""
    unknown = f"dr.inconnu@{DOMAIN}"
    sent = compose(pair.robot.address, unknown, "Vers personne")
    with submission(pair.labo, pair.robot) as line:
        line.sendmail(pair.robot.address, [unknown], sent)
    reports = eventually(
        lambda: [m for m in arrived(pair.labo, pair.robot.address) if unknown.encode() in m],
        bool,
    )

    assert 1 == len(reports)
    assert re.search(rb"\r\nAction: failed\r\n", reports[0])
    assert re.search(rb"\r\nStatus: 5\.1\.1\r\n", reports[0])
    assert "failed" == states(pair.labo)[-1] or "failed" in _kinds(pair, sent)


def test_what_is_too_large_for_postfix_is_read_by_a_link(pair: Pair, postfix: Postfix) -> None:
    """It takes the words; its user logs in, and has the very octets; only then it is delivered."""
    images = os.urandom(2 << 20)
    sent = _images(pair, images)
    with submission(pair.labo, pair.robot) as line:
        line.sendmail(pair.robot.address, [CLINICIAN], sent)
        stub = eventually(lambda: _find(_mailbox(postfix), sent), bool)[0]
        line.mail(pair.robot.address, [f"SIZE={len(sent)}"])
        code, said = line.rcpt(f"secretariat@{DOMAIN}")
    words = [
        str(part.get_content())
        for part in email.message_from_bytes(stub, policy=SMTP).walk()
        if part.get_content_type() == "text/plain"
    ]
    link = re.search(rf"{ORIGIN}(/document/\S+)", words[-1])
    assert link is not None
    before = _kinds(pair, sent)
    file = _read(pair, link[1])

    assert (552, True) == (code, said.startswith(b"5.3.4 "))
    assert 10_000 > len(stub)
    assert ["accepted", "relayed"] == before
    assert images == file
    assert "delivered" in eventually(lambda: _kinds(pair, sent), lambda seen: len(seen) > 2)


def _images(pair: Pair, images: bytes) -> bytes:
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = pair.robot.address, CLINICIAN, "IRM"
    made["Date"], made["Message-ID"] = formatdate(), make_msgid(domain="labo.example")
    made.set_content("Voici l'IRM.")
    made.add_attachment(images, maintype="application", subtype="zip", filename="irm.zip")
    return made.as_bytes()


def _read(pair: Pair, path: str) -> bytes:
    """Follow the link as a browser would to which the house's name leads here."""
    context = ssl.create_default_context(cafile=str(pair.federation.anchors))
    context.check_hostname = False
    base = f"https://127.0.0.1:{pair.labo.ports['web']}"
    with httpx.Client(base_url=base, verify=context, timeout=20) as browser:
        buttons = browser.get(f"{path}/login").headers["location"]
        back = browser.post(buttons, data={"who": "leroy"}).headers["location"]
        assert 303 == browser.get(back.removeprefix(ORIGIN)).status_code
        return browser.get(f"{path}/part/1").content


def _kinds(pair: Pair, sent: bytes) -> list[str]:
    rows = receipts(pair.labo, pair.robot)
    return [row["type"] for row in rows if row["subject"] == message_id(sent)]
