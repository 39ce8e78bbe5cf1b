"""Letters of the demonstration's day, and those with something in them that should be looked at."""

import io
import zipfile
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from smtp.address import Address, domain_of

_POLICY = SMTP.clone(cte_type="7bit")
_WORDS = (
    "Bonjour,\n\nMerci de votre retour. Le patient est revu en consultation la semaine prochaine ;"
    " je vous tiens au courant.\n\nBien cordialement\n"
)
# Harmless, and known for what they are by their first octets or their names inside.
_PROGRAM = b"MZ" + bytes(62) + b"PE\0\0"
_MACRO = {
    "[Content_Types].xml": b"<Types>application/vnd.ms-word.document.macroEnabled.main+xml</Types>",
    "word/document.xml": b"<document/>",
    "word/vbaProject.bin": b"",
}
_KINDS = 5


def letter(sender: Address, to: str, subject: str, at: datetime) -> bytes:
    """Return a short plain letter."""
    built = _begun(sender, to, subject, at)
    built.set_content(_WORDS)
    return bytes(built)


def risky(sender: Address, to: str, number: int, at: datetime) -> bytes:
    """Return a letter with an attachment of one of several risky kinds."""
    built = _begun(sender, to, "Document à ouvrir", at)
    built.set_content("Bonjour,\n\nVoir la pièce jointe.\n")
    kind = number % _KINDS
    content, name = (
        (_PROGRAM, "compte-rendu.pdf.exe"),
        (_archive(_MACRO), "planning.docm"),
        (_archive({"dossier/lecteur.exe": _PROGRAM}), "images.zip"),
        (b"WScript.Echo 1\r\n", "facture.vbs"),
        (_locked(_archive({"resultats.pdf": b"%PDF-1.4"})), "resultats.zip"),
    )[kind]
    built.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return bytes(built)


def _begun(sender: Address, to: str, subject: str, at: datetime) -> EmailMessage:
    built = EmailMessage(policy=_POLICY)
    built["Date"] = format_datetime(at)
    built["From"], built["To"], built["Subject"] = sender, to, subject
    built["Message-ID"] = f"<{at:%Y%m%d%H%M%S%f}@{domain_of(sender)}>"
    return built


def _archive(files: dict[str, bytes]) -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return octets.getvalue()


def _locked(archive: bytes) -> bytes:
    """Return an archive that says its one file is encrypted, in both places where that is said."""
    octets = bytearray(archive)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        octets[octets.index(mark) + flags] |= 1
    return bytes(octets)
