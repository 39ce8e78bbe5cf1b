"""Files as attackers and hospitals make them, small."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP

from quarantine.budget import Budget, Limits
from quarantine.contents import look
from quarantine.letter import Indexed, Letter
from quarantine.policy import Finding

EXE = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\x00\x00" + bytes(200)
PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(200)


def ole(*streams: str) -> bytes:
    """A compound file with streams of these names."""
    return OLE + b"".join(name.encode("utf-16-le") + bytes(20) for name in streams)


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def docx(**more: bytes) -> bytes:
    """A Word document; ``docx(vba=...)`` has macros in it."""
    files = {
        "[Content_Types].xml": b'<?xml version="1.0"?><Types></Types>',
        "word/document.xml": b'<?xml version="1.0"?><w:document/>',
    }
    if "vba" in more:
        files["word/vbaProject.bin"] = more["vba"]
    return zipped({**files, **{k: v for k, v in more.items() if k != "vba"}})


def tarred(files: Mapping[str, bytes], how: str = "w") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=how) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def encrypted(name: str = "secret.txt") -> bytes:
    """A zip archive whose one file needs a password."""
    made = bytearray(zipped({name: b"x" * 40}, zipfile.ZIP_STORED))
    made[6] |= 1
    made[made.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def bomb(levels: int = 5, fan: int = 16, size: int = 1 << 20) -> bytes:
    """Archives in archives, as the famous one has them."""
    made = zipped({f"{n}.bin": bytes(size) for n in range(fan)})
    for _ in range(levels):
        made = zipped({f"{n}.zip": made for n in range(fan)})
    return made


def nested(levels: int) -> bytes:
    made = zipped({"at-the-bottom.exe": EXE})
    for _ in range(levels):
        made = zipped({"inner.zip": made})
    return made


def mail(*attached: tuple[str, bytes], kind: str = "octet-stream") -> bytes:
    """A message with these files."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = "dr@labo.example", "a@chu.example", "Essai"
    made.set_content("Bonjour.\n")
    for name, content in attached:
        made.add_attachment(content, maintype="application", subtype=kind, filename=name)
    return made.as_bytes()


def letter(raw: bytes, limits: Limits | None = None) -> Letter:
    indexed = Indexed()
    indexed.feed(raw)
    return indexed.letter(lambda start, end: raw[start:end], (limits or Limits()).largest)


def found(raw: bytes, **limits: int) -> tuple[Finding, ...]:
    """Look into a message."""
    how = Limits(**limits)
    return look(letter(raw, how), Budget(how))


def reasons(raw: bytes, **limits: int) -> set[str]:
    return {finding.reason for finding in found(raw, **limits)}


def of_file(name: str, content: bytes, **limits: int) -> set[str]:
    """Look into a message that has this file attached."""
    return reasons(mail((name, content)), **limits)
