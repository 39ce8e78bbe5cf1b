"""A file and what is said of it become a mail: one patient, one document, its recipients. Pure.

A ready mail goes as it is; a CDA document and a PDF are packed. The Message-ID comes from the key
under which the result is offered, so that the same result is the same mail.
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.documents import cda, cda_writer, hprim, order, oru_reader, packing, xdm
from gateway.documents.document import Document
from gateway.documents.errors import DocumentError
from gateway.documents.order import Order
from gateway.documents.packing import Parcel
from gateway.labs.lines import Lines
from gateway.labs.names import Form
from gateway.labs.recipients import Resolve, address
from gateway.relay import ambiguous
from gateway.relay.critical import FIELD
from smtp.address import Address, domain_of, key
from smtp.message.header import Header, HeaderError, HeaderScanner, mailboxes

_NUMBER = 13  # characters of an INS without its key
_SEEN = b"Importance: high\r\n"


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail ready for the intake."""

    message: bytes = field(repr=False)
    recipients: tuple[Address, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Offer:
    """A file as it was found."""

    form: Form
    content: bytes = field(repr=False)
    companion: bytes | None = field(default=None, repr=False)
    digest: str = field(init=False)  # what these bytes are, together with what is said of them

    def __post_init__(self) -> None:
        whole = hashlib.sha256(self.content).digest()
        digest = hashlib.sha256(whole + (self.companion or b"")).hexdigest()
        object.__setattr__(self, "digest", digest)  # known once: a file may be large


def told(offer: Offer) -> Order:
    """Return what is said of a file; nothing, where nothing is."""
    return order.read(offer.companion) if offer.companion is not None else Order()


def compose(  # noqa: PLR0917 - what a mail is made of
    offer: Offer,
    said: Order,
    mailbox: Address,
    at: datetime,
    product: str,
    resolve: Resolve = address,
) -> Composed:
    """Return the mail; raise ``DocumentError`` in words for the laboratory."""
    given = tuple(dict.fromkeys(map(resolve, said.to)))
    if offer.form is Form.MAIL:
        composed = _mail(offer.content, given)
        return replace(composed, message=FIELD + composed.message) if said.critical else composed
    mark = hashlib.sha256(f"{key(mailbox)}\0{said.key or offer.digest}".encode()).hexdigest()[:32]
    message_id = f"<{mark}@{domain_of(mailbox)}>"
    if offer.form is Form.HPRIM:
        result = hprim.read(offer.content)
        recipients = _named(given or tuple(map(resolve, result.recipients)))
        cover = hprim.Cover(mailbox, _shown(recipients), at, message_id, said.text, said.label)
        message = hprim.pack(offer.content, result, cover)
        return Composed(FIELD + _SEEN + message if said.critical else message, recipients)
    document, content, meant = _document(offer, said)
    recipients = _named(given or tuple(dict.fromkeys(map(resolve, meant))))
    parcel = Parcel(
        content=content,
        document=document,
        sender=mailbox,
        recipients=_shown(recipients),
        at=at,
        message_id=message_id,
        label=said.label,
        record=said.record,
        product=product,
        answers=mailbox if said.answer else None,
    )
    if said.text:
        parcel = replace(parcel, words=said.text)
    keeper = document.custodian.name if document.custodian else mailbox
    message = packing.pack(parcel, xdm.Sender(keeper, mailbox))
    # Whoever reads it sees the mark that their mail program knows, too.
    return Composed(FIELD + _SEEN + message if said.critical else message, recipients)


def _shown(recipients: tuple[Address, ...]) -> tuple[Address, ...]:
    """Return those that a mail's header may name: who is not known yet is not among them."""
    return tuple(each for each in recipients if ambiguous.number(each) is None)


def _named(recipients: tuple[Address, ...]) -> tuple[Address, ...]:
    if not recipients:
        raise DocumentError("nobody gets it: neither the file nor its companion names a recipient")
    return recipients


def _document(offer: Offer, said: Order) -> tuple[Document, bytes, tuple[str, ...]]:
    """Return the document, as it goes, and whom it names itself."""
    pdf, about = offer.content, said.document
    meant: tuple[str, ...] = ()
    if offer.form is Form.HL7:
        found = oru_reader.read(offer.content)
        if found.cda is not None:
            document = cda.read(found.cda)
            if not _same_patient(found.ins, document):
                raise DocumentError("the CDA document in the HL7 message is about another patient")
            return document, found.cda, found.recipients or document.recipients
        assert found.pdf is not None
        pdf, about, meant = found.pdf, about or found.about, found.recipients
    elif offer.form is Form.CDA:
        document = cda.read(pdf)
        return document, pdf, document.recipients
    if about is None:
        raise DocumentError("of a PDF the companion must tell what it is")
    document = order.document(about, pdf)
    return document, cda_writer.write(document), meant


def _same_patient(ins: str, document: Document) -> bool:
    """Whether a document names that patient; who is known by no INS on one side may be the same."""
    claimed = document.patient.claimed
    return not ins or claimed is None or ins[:_NUMBER] == claimed.extension[:_NUMBER]


def addressees(header: Header) -> tuple[Address, ...]:
    """Return whom a mail's own header names, each once; ``HeaderError`` if it cannot be read."""
    return tuple(
        dict.fromkeys(
            each.address
            for name in ("to", "cc", "bcc")
            for value in header.all(name)
            for each in mailboxes(value)
        )
    )


def _mail(content: bytes, given: tuple[Address, ...]) -> Composed:
    """Return a ready mail; its lines end as mail's do, and its header may name who gets it."""
    message = Lines().feed(content)
    try:
        scanner = HeaderScanner()
        scanner.feed(message)
        named = addressees(Header.parse(scanner.finish()))
    except HeaderError as error:
        raise DocumentError(f"the mail cannot be sent: {error}") from None
    recipients = given or named
    if not recipients:
        raise DocumentError("nobody gets it: neither the companion nor the mail names recipients")
    return Composed(message, recipients)
