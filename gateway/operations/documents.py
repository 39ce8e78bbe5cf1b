"""What can be done with a health document anywhere, without a gateway: read, check, pack it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import make_msgid
from pathlib import Path

from gateway.documents import cda, cda_writer, coherence, order, packing, xdm
from gateway.documents.coherence import Citizens
from gateway.documents.document import Document, Patient
from gateway.documents.errors import DocumentError
from gateway.documents.packing import Parcel
from gateway.operations.error import OperationError
from quarantine.letter import Indexed, Letter
from quarantine.reasons import sentence
from smtp.address import Address, AddressError, domain_of, parse

_HINT = "docs/documents.md says what is read, and why some documents are refused"
_XML = b"<"


def _letter(message: bytes, recipients: Sequence[Address] = ()) -> Letter:
    """Return a mail as the quarantine looks into it."""
    indexed = Indexed()
    indexed.feed(message)
    return indexed.letter(lambda start, end: message[start:end], len(message), recipients)


def show(file: Path, *, patient: bool) -> dict[str, object]:
    """Return what a document's header says, or those of all documents in an archive or a mail.

    Whom it is about is told only where that was asked for (R-G6).
    """
    content = _content(file)
    try:
        found = [_facts(each, told, patient=patient) for each, told in _documents(content)]
    except DocumentError as error:
        raise OperationError(f"{file.name} cannot be read: {error}", _HINT) from None
    return {"file": file.name, "documents": found}


def check(
    file: Path, recipients: Iterable[str], citizens: Citizens | None = None
) -> dict[str, object]:
    """Return every contradiction in a mail, an archive or a document; none: it is coherent."""
    content, who = _content(file), tuple(map(_address, recipients))
    if _is_mail(content):
        findings = coherence.findings(_letter(content, who), citizens)
    else:
        head = b"Content-Type: application/zip; name=IHE_XDM.zip\r\n\r\n"
        if _start(content).startswith(_XML):
            head = b"Content-Type: text/xml\r\n\r\n"
        named = coherence.findings(_letter(head + content, who), citizens)
        # A file alone has no mail around it that could announce anything, or carry a PDF.
        findings = tuple(each for each in named if each.reason not in _OF_MAILS)
    return {
        "file": file.name,
        "ok": not findings,
        "findings": [
            {
                "reason": each.reason,
                "detail": each.detail,
                "sentence": sentence(each.reason, "en"),
                "phrase": sentence(each.reason, "fr"),
            }
            for each in findings
        ],
    }


_OF_MAILS = frozenset({"document-code-differs", "ins-not-declared", "pdf-missing"})


def pack(  # noqa: PLR0917 - what a mail is made of
    file: Path,
    companion: Path | None,
    out: Path,
    sender: str,
    recipients: Iterable[str],
    now: datetime,
) -> dict[str, object]:
    """Write a mail that carries a CDA document, or a PDF of which the companion tells what it is."""
    try:
        told = order.read(companion.read_bytes()) if companion else order.Order()
        content, document = _document(_content(file), told)
        who = _address(sender)
        parcel = Parcel(
            content=content,
            document=document,
            sender=who,
            recipients=tuple(_address(each) for each in (*recipients, *told.to)),
            at=now,
            message_id=make_msgid(domain=domain_of(who)),
            label=told.label,
            record=told.record,
        )
        if told.text:
            parcel = replace(parcel, words=told.text)
        message = packing.pack(parcel, xdm.Sender(_name(document), who))
    except DocumentError as error:
        raise OperationError(f"{file.name} was not packed: {error}", _HINT) from None
    if not parcel.recipients:
        raise OperationError("nobody gets it", "name recipients with --to, or in the companion")
    out.write_bytes(message)
    return {"mail": str(out), "size": len(message), "recipients": len(parcel.recipients)}


def _document(content: bytes, told: order.Order) -> tuple[bytes, Document]:
    if _start(content).startswith(_XML):
        return content, cda.read(content)
    if told.document is None:
        raise DocumentError("of a PDF the companion must tell what it is")
    document = order.document(told.document, content)
    return cda_writer.write(document), document


def _name(document: Document) -> str:
    return document.custodian.name if document.custodian else ""


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise OperationError(f"cannot read {file}: {error.strerror}") from None


def _address(text: str) -> Address:
    try:
        return parse(text)
    except AddressError:
        raise OperationError("that is no mail address", "write it as name@domain") from None


def _start(content: bytes) -> bytes:
    return content[:64].lstrip(b"\xef\xbb\xbf \r\n\t")


def _is_mail(content: bytes) -> bool:
    return not _start(content).startswith((_XML, b"PK"))


def _documents(content: bytes) -> Iterable[tuple[str, Document]]:
    """Return the documents of a file, whatever it is, each with where it lies."""
    if content.startswith(b"PK"):
        found = xdm.read(content).documents
        return [(each.entry.uri, cda.read(each.content)) for each in found]
    if not _is_mail(content):
        return [("", cda.read(content))]
    inside = coherence.contents(_letter(content))
    if inside.unreadable:
        raise DocumentError(inside.unreadable[0].detail)
    return [(each.part, each.document) for each in inside.documents]


def _facts(place: str, document: Document, *, patient: bool) -> dict[str, object]:
    facts: dict[str, object] = {
        "part": place,
        "id": document.id.whole,
        "version": document.version,
        "code": document.code.code,
        "type": document.code.display,
        "at": document.at,
        "custodian": document.custodian.name if document.custodian else None,
        "structured": document.structured,
        "pdf": len(document.pdf) if document.pdf is not None else None,
        "patients": len(document.patients),
        "ins": _register(document.patient),
        "qualified": document.patient.qualified,
    }
    if patient:
        traits, number = document.patient.traits, document.patient.ins
        facts |= {
            "title": document.title,
            "name": traits.name,
            "given": traits.given,
            "born": traits.born,
            "sex": traits.sex,
            "number": number.number if number else None,
        }
    return facts


def _register(patient: Patient) -> str:
    if (number := patient.ins) is not None:
        return number.register.name.lower()
    return "missing" if patient.claimed is None else "invalid"
