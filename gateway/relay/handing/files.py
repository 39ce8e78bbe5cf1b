"""A mail as software wants it: itself, the documents in it, and what a program asks of it first.

Names are ours and always the same, for a stranger's file name is no name in our folder. Pure.
R-E1, R-E7.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from gateway.documents import coherence
from gateway.documents.coherence import Enclosed
from quarantine.letter import Indexed, Letter
from smtp.address import Address
from smtp.message.fields import words

MAIL, ABOUT = "message.eml", "message.json"
_PDF = b"%PDF-"
_MOST = 50  # PDF files of one mail that are taken out of it, as of documents


@dataclass(frozen=True, slots=True)
class Read:
    """What a program finds in a mail."""

    content: bytes = field(repr=False)
    letter: Letter = field(repr=False)
    documents: tuple[Enclosed, ...]
    unreadable: tuple[str, ...]  # why a part that says it is a document is none

    @classmethod
    def of(cls, content: bytes) -> "Read":
        """Look into a mail."""
        indexed = Indexed()
        indexed.feed(content)
        letter = indexed.letter(lambda start, end: content[start:end], len(content))
        found = coherence.contents(letter)
        unreadable = tuple(each.detail for each in found.unreadable)
        return cls(content, letter, tuple(found.documents), unreadable)

    def said(self, name: str) -> str:
        """Return a field of its header, decoded."""
        return words((self.letter.header.first(name) or b"").decode("utf-8", "replace"))


def files(read: Read, id_: str, sender: Address | None, recipient: Address) -> Mapping[str, bytes]:
    """Return the files that a mail becomes, by their names."""
    made: dict[str, bytes] = {MAIL: read.content}
    told = []
    for number, each in enumerate(read.documents, 1):
        name = f"document-{number}"
        made[f"{name}.xml"] = each.content
        if each.document.pdf is not None:
            made[f"{name}.pdf"] = each.document.pdf
        told.append(_told(each, name))
    attached = list(islice(_pdfs(read.letter), _MOST))
    for number, pdf in enumerate(attached, 1):
        made[f"attached-{number}.pdf"] = pdf
    about = {
        "message": id_,
        "message_id": read.said("message-id").strip(),
        "from": sender or "",
        "to": recipient,
        "subject": read.said("subject").strip(),
        "documents": told,
        "attached": [f"attached-{number}.pdf" for number in range(1, len(attached) + 1)],
        "unreadable": list(read.unreadable),
    }
    made[ABOUT] = msgspec.json.format(msgspec.json.encode(about), indent=2) + b"\n"
    return made


def _told(one: Enclosed, name: str) -> dict[str, object]:
    document = one.document
    return {
        "file": f"{name}.xml",
        "pdf": f"{name}.pdf" if document.pdf is not None else None,
        "id": document.id.whole,
        "version": document.version,
        "replaces": [each.whole for each in document.replaces],
        "code": document.code.code,
        "at": document.at,
    }


def _pdfs(letter: Letter) -> Iterator[bytes]:
    """Yield the PDF files beside the documents, as they are."""
    for part in letter.parts:
        if not part.type.startswith(("multipart/", "text/", "message/")):
            content = letter.content(part)
            if content[:1024].lstrip().startswith(_PDF):
                yield content
