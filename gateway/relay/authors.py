"""Who a message says it is from, what each door demands of that, and what a submission lacks.

The header is where a clinician looks, so it is held to the same standard as MAIL FROM: at
submission it names the mailbox that logged in, on relay only domains that the peer's certificate
speaks for. Every other byte is left alone. RFC 5322 §3.6.2, RFC 6409 §6.1, §8; R-J1.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from smtp.address import Address, AddressError, domain_of, key, local_of, parse
from smtp.envelope import MessageId
from smtp.message.fields import words
from smtp.message.header import Header, HeaderError, Named, mailboxes
from smtp.message.trace import date
from smtp.reply import Reply, printable

ONE_FROM = Reply(
    550, "5.6.0", "The message must have exactly one From field; it was refused, nothing was kept"
)
ONE_SENDER = Reply(
    550,
    "5.6.0",
    "The message must have at most one Sender field with one address; it was refused",
)
FROM_IS_NOT_YOU = Reply(
    550,
    "5.7.1",
    "The From (or Sender) of the message must be the mailbox you logged in with; it was not sent",
)
FROM_IS_FOREIGN = Reply(
    550,
    "5.7.1",
    "The From and Sender of the message must be addresses of your own domain; it was not sent",
)
FROM_NOT_ENTITLED = Reply(
    550,
    "5.7.1",
    "Your certificate does not speak for the domain in From or Sender; it was refused",
)
NAME_IS_NOT_YOURS = Reply(
    550,
    "5.7.1",
    "The name in From or Sender shows another mail address than its own; it was refused,"
    " change the name and send again",
)


@dataclass(frozen=True, slots=True)
class Authors:
    """The addresses of From, and that of Sender if there is one."""

    authors: tuple[Address, ...]
    sender: Address | None

    @property
    def all(self) -> frozenset[Address]:
        """Everybody in whose name the message speaks."""
        return frozenset(one for one in (*self.authors, self.sender) if one)

    @property
    def domains(self) -> frozenset[str]:
        """Every domain in whose name the message speaks."""
        return frozenset(domain_of(one) for one in self.all)


def authors(header: Header) -> Authors | Reply:
    """Read From and Sender; two of either, or none of From, is a refusal.

    Two From fields are how one reader is shown another sender than the one that was checked.
    """
    try:
        froms = [mailboxes(value) for value in header.all("from")]
        senders = [mailboxes(value) for value in header.all("sender")]
    except HeaderError as error:
        return unreadable(error)
    if len(froms) != 1 or not froms[0]:
        return ONE_FROM
    if len(senders) > 1 or any(len(found) != 1 for found in senders):
        return ONE_SENDER
    if any(misleading(named) for found in (*froms, *senders) for named in found):
        return NAME_IS_NOT_YOURS
    written = tuple(named.address for named in froms[0])
    return Authors(written, senders[0][0].address if senders else None)


_CODED = re.compile(r"=([0-9A-Fa-f]{2})")
_BEFORE = r"[^\s<>()\[\]\\\",;:@]{1,64}"
_ADDRESS = re.compile(_BEFORE + r"\s{0,8}@\s{0,8}[\w-]{1,63}(?:\s{0,2}\.[\w-]{1,63}){1,9}")


def misleading(named: Named) -> bool:
    """Whether a reader is shown, beside the address that was checked, another one.

    Many clients show the name alone: an address in it is taken for the sender's.
    """
    address, shown = named
    if "@" in _plain(local_of(address)):
        return True
    if not shown or (shown.isascii() and "@" not in shown and "=?" not in shown):
        return False
    own = re.escape(_plain(address))
    rest = re.sub(
        rf"(?<![\w.+-]){own}(?!\.?[\w-])", " ", _plain(_decoded(shown)), flags=re.IGNORECASE
    )
    return any(not _is(found[0], address) for found in _ADDRESS.finditer(rest))


def _decoded(shown: str) -> str:
    """Return a name with its encoded words decoded, also those that only some readers take."""
    text = words(shown)
    return _CODED.sub(lambda m: chr(int(m[1], 16)), text) if "=?" in text else text


def _plain(text: str) -> str:
    """Return text as the eye takes it: one form of each character, nothing that is not seen."""
    if text.isascii() and text.isprintable():
        return text
    folded = unicodedata.normalize("NFKC", text).replace("\u3002", ".")
    return "".join(c for c in folded if unicodedata.category(c)[0] != "C")


def _is(text: str, address: Address) -> bool:
    try:
        return key(parse("".join(text.split()))) == key(address)
    except AddressError:
        return False


def unreadable(error: HeaderError) -> Reply:
    """Return the refusal of a header that cannot be relied on."""
    return Reply(550, "5.6.0", printable(f"The message was refused, nothing was kept: {error}"))


def own(said: Authors, login: Address, posting_as: Address | None = None) -> Reply | None:
    """Submission: From is the mailbox that logged in, or Sender is and says who really sent it.

    ``posting_as`` is a mailbox in whose name it may send too, and does. Either way all named
    addresses are of its own domain: a gateway may serve many houses, and the next one, which sees
    one certificate for them all, could not tell them apart.
    """
    me = key(login)
    names = {me} if posting_as is None else {me, key(posting_as)}
    alone = len(said.authors) == 1 and key(said.authors[0]) in names
    if not alone and (said.sender is None or key(said.sender) != me):
        return FROM_IS_NOT_YOU
    return None if said.domains == {domain_of(login)} else FROM_IS_FOREIGN


def message_id(header: Header) -> str:
    """Return the header's Message-ID as it stands, angle brackets included, or an empty text."""
    found = header.first("message-id")
    return found.decode("utf-8", "replace") if found else ""


def completed(
    header: Header,
    host: str,
    id: MessageId,  # noqa: A002 - the word of the house
    now: datetime,
    really: Address | None = None,
) -> tuple[bytes, bytes]:
    """Return (the fields a submission lacked, its header without Bcc).

    ``really`` is who sends in another person's name: if the message does not say so, Sender does
    (RFC 5322 §3.6.2). The added fields are for the top, where no body can be mistaken for them.
    """
    added = b""
    if really is not None and header.first("sender") is None:
        added += b"Sender: <" + really.encode() + b">\r\n"
    if header.first("date") is None:
        added += b"Date: " + date(now).encode("ascii") + b"\r\n"
    if header.first("message-id") is None:
        added += f"Message-ID: {given_message_id(id, host)}\r\n".encode("ascii")
    return added, header.without("bcc", "resent-bcc")


def given_message_id(id: MessageId, host: str) -> str:  # noqa: A002 - the word of the house
    """Return the Message-ID we give a message that came without one."""
    return f"<{id}@{host}>"
