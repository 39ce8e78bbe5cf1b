"""Thunderbird as a clinician uses it: address and password once, then mail, attachments, answers."""

from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from tests.interop.conftest import Pair
from tests.interop.mail import arrived, eventually, submission
from tests.interop.thunderbird import Thunderbird, thunderbird

ANSWER = "Bien recu, merci."
PDF = b"""%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 300 100]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>> endobj
4 0 obj <</Length 48>> stream
BT /F 18 Tf 20 40 Td (Potassium 4,1 mmol) Tj ET
endstream endobj
5 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj
trailer <</Root 1 0 R>>
%%EOF
"""


@pytest.fixture(scope="module")
def result(pair: Pair) -> str:
    """A laboratory's result with a document, in the doctor's mailbox; return its subject."""
    message = EmailMessage(SMTP)
    message["From"], message["To"] = pair.robot.address, pair.doctor.address
    message["Subject"] = "Resultat du 22"
    message["Message-ID"] = "<resultat-22@labo.example>"
    message.set_content("Le document est joint.\n")
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="resultat.pdf")
    with submission(pair.labo, pair.robot) as line:
        line.send_message(message)
    eventually(lambda: arrived(pair.hopital, pair.doctor.address), bool)
    return str(message["Subject"])


def test_set_up_read_and_answer(pair: Pair, result: str, folder: Path) -> None:
    """The account finds its servers itself, the message opens with its document, the answer arrives."""
    web = {"autoconfig.chu-nord.example": pair.hopital.ports["web"]}
    with thunderbird(folder / "thunderbird", web, "mx.chu-nord.example") as program:
        program.believe(pair.federation.anchors)
        servers = set_up(program, pair)
        read(program, result)
        answer(program)
        eventually(lambda: arrived(pair.labo, pair.robot.address), bool)

    assert {
        "imap": [pair.hopital.ports["imap"], True],
        "smtp": [pair.hopital.ports["submission"], True],
    } == servers
    (got,) = arrived(pair.labo, pair.robot.address)
    assert ANSWER.encode() in got
    assert b"In-Reply-To: <resultat-22@labo.example>" in got


def set_up(program: Thunderbird, pair: Pair) -> dict[str, list[object]]:
    """Go through its set-up: a name, an address, what it found, a password. Return the servers."""
    line = program.line
    line.until("typeof openAccountHub === 'function' && document.readyState === 'complete'")
    line.ask("void openAccountHub('MAIL')")
    program.fill('hub("realName")', "Dr Durand")
    program.fill('hub("email")', pair.doctor.address)
    program.click('hub("forward")')
    line.until('hub("editConfiguration")?.checkVisibility()')
    program.click('hub("forward")')
    program.fill('hub("password")', pair.doctor.password)
    program.click('hub("forward")')
    done, sync = (f'hub("{name}")?.checkVisibility()' for name in (_DONE, _SYNC))
    line.until(f"{done} || {sync}")
    if line.ask(sync):  # the releases that say so when they found no calendars of ours
        program.click('hub("forward")')
        line.until(done)
    program.click('hub("forward")')
    found: dict[str, list[object]] = line.ask(_SERVERS)
    return found


_DONE, _SYNC = "accountHubSignatureLink", "syncAccountsForm"
_SERVERS = """(mail => {
  const tls = each => each.socketType === Ci.nsMsgSocketType.SSL;
  const reading = mail.accounts.accounts.map(each => each.incomingServer)
      .find(each => each.type === "imap");
  const sending = mail.outgoingServer.defaultServer.QueryInterface(Ci.nsISmtpServer);
  return {imap: [reading.port, tls(reading)], smtp: [sending.port, tls(sending)]};
})(ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs").MailServices)"""


def read(program: Thunderbird, subject: str) -> None:
    """Open the inbox, the message, and the document in it."""
    line = program.line
    program.click('document.querySelector(".tabmail-tab")')  # some releases open another one first
    program.click('folder("Inbox")')
    program.click_until(
        f'row("{subject}")',
        'letter("messagepane").contentDocument.body.innerText.includes("Le document est joint.")',
    )
    program.click('letter("attachmentName")')
    line.until(
        "tabs().currentTabInfo.browser.contentDocument.querySelector('.textLayer')"
        ".textContent.includes('Potassium 4,1 mmol')"
    )
    program.click('document.querySelector(".tabmail-tab[selected] .tab-close-button")')


def answer(program: Thunderbird) -> None:
    """Reply to the message that is open, and send."""
    program.click('letter("hdrReplyButton")')
    with program.window():
        editor = 'document.getElementById("messageEditor")'
        program.line.until(f"{editor}.contentDocument.body.innerText.includes('joint')")
        program.click(editor)
        program.line.type(ANSWER)
        program.line.until(f"{editor}.contentDocument.body.innerText.includes('{ANSWER}')")
        program.click('document.getElementById("button-send")')
