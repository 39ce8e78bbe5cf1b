"""What a server says: a code, an enhanced code, a line of text; and the replies we give by name.

A reply is written for the person who will read it in a mail client: what happened, what became of
the message, what to do. RFC 5321 §4.2, RFC 2034, RFC 3463.
"""

import re
from dataclasses import dataclass

_SPOKEN = re.compile(r"(\d{3}) (?:(\d\.\d{1,3}\.\d{1,3}) )?(.*)")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. It cannot be built so that it would break the protocol."""

    code: int
    enhanced: str  # "5.7.1"; "" where RFC 2034 has none: greeting, EHLO, 354
    text: str
    cure: str = ""  # of a refused recipient: the address that the sender must have meant

    def __post_init__(self) -> None:
        # A reply is one line of printable ASCII: nothing from a message may inject another.
        said = self.text + self.cure
        if not said.isascii() or not said.isprintable():
            raise ValueError(f"unprintable reply text: {said!r}")
        if not 200 <= self.code <= 559:
            raise ValueError(f"no such reply code: {self.code}")
        if self.enhanced and self.enhanced[0] != str(self.code)[0]:
            raise ValueError(f"{self.code} and {self.enhanced} disagree")

    def line(self) -> bytes:
        """Return the reply as it goes on the wire, CRLF included."""
        middle = f"{self.enhanced} " if self.enhanced else ""
        end = f"; did you mean <{self.cure}>?" if self.cure else ""
        return f"{self.code} {middle}{self.text}{end}\r\n".encode("ascii")

    @property
    def positive(self) -> bool:
        """2yz or 3yz: go on."""
        return self.code < 400

    @property
    def transient(self) -> bool:
        """4yz: the same again, later, may succeed."""
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        """5yz: the same again will fail again."""
        return self.code >= 500

    def __str__(self) -> str:
        return self.line()[:-2].decode("ascii")


def spoken(words: str) -> Reply | None:
    """Return the reply that was written down as its line, if it was one."""
    found = _SPOKEN.fullmatch(words)
    if found is None:
        return None
    try:
        return Reply(int(found[1]), found[2] or "", found[3])
    except ValueError:
        return None


def printable(text: str, limit: int = 400) -> str:
    """Return foreign text made fit for a reply or a report: ASCII, one line, not too long."""
    if not (text.isascii() and text.isprintable()):
        ascii_text = text.encode("ascii", "replace").decode("ascii")
        text = "".join(c if c.isprintable() else " " for c in ascii_text)
    return text[:limit].strip()


_DELIVERED = "Delivered"


def delivered(reference: str) -> Reply:
    """Return what tells another Sceau that a message is in its mailbox (docs/transfers.md)."""
    return Reply(250, "2.0.0", f"{_DELIVERED}, reference {reference}")


def says_delivered(said: Reply) -> bool:
    """Whether another Sceau's reply to a message says that it is in its mailbox."""
    return said.code == 250 and said.text.partition(",")[0] == _DELIVERED


OK = Reply(250, "2.0.0", "OK")
SENDER_OK = Reply(250, "2.1.0", "Sender OK")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient OK")
BYE = Reply(221, "2.0.0", "Goodbye")
RECALLED = Reply(550, "5.7.0", "Its sender took the message back before it left")
TAKEN_BACK = Reply(
    550, "5.7.0", "Its sender took the large document back before anybody looked at it"
)
TOO_LATE = Reply(
    550, "5.4.7", "It was not delivered within the time set for it; it was cancelled, not sent"
)
DEADLINE_UNREADABLE = Reply(
    550,
    "5.6.0",
    "X-Sceau-Deadline must be one number of seconds, at least 60; the message was not sent",
)
CRITICAL_NOT_AGREED = Reply(
    550,
    "5.7.1",
    "This mailbox may not mark results as critical: nobody was named for them; it was not sent",
)
START_DATA = Reply(354, "", "Send the message, end with <CRLF>.<CRLF>")
READY_FOR_TLS = Reply(220, "2.0.0", "Ready to start TLS")
HELP = Reply(214, "2.0.0", "RFC 5321; ask the operator of this gateway for help")
CHUNK_OK = Reply(250, "2.0.0", "Chunk taken; the next, please")
AUTHENTICATED = Reply(235, "2.7.0", "Authenticated")
CANNOT_VERIFY = Reply(252, "2.5.0", "Cannot say; send a message and see")

STOPPING = Reply(421, "4.3.2", "The gateway is restarting; try again in a minute")
TOO_SLOW = Reply(421, "4.4.2", "Nothing heard for too long; goodbye")
TOO_MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections; try again later")
TOO_MANY_FROM_YOU = Reply(
    421, "4.7.0", "Too many connections from your network; close some and try again"
)
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors; goodbye")
LOCAL_ERROR = Reply(451, "4.3.0", "Something failed here; nothing was kept, please send again")
INSUFFICIENT_STORAGE = Reply(
    452, "4.3.1", "The gateway is short of disk space; please send again later"
)
TOO_MANY_RECIPIENTS = Reply(
    452, "4.5.3", "Too many recipients at once; send the others in another message"
)
LOGIN_THROTTLED = Reply(454, "4.7.0", "Too many failed log-ins; wait a few minutes and try again")

TOO_MUCH = Reply(421, "4.7.0", "Far more was sent than this gateway accepts; goodbye")
NO_LONGER_TRUSTED = Reply(421, "4.7.1", "The trust list has changed; connect again")
BYTES_BEFORE_TLS = Reply(421, "4.7.0", "Bytes came after STARTTLS, before TLS; goodbye")

UNKNOWN_COMMAND = Reply(500, "5.5.2", "Command not recognised")
LINE_TOO_LONG = Reply(500, "5.5.2", "Command line too long")
SYNTAX = Reply(501, "5.5.4", "Syntax error in the command or its arguments")
BAD_ADDRESS = Reply(501, "5.1.3", "That is not a valid mail address; check its spelling")
BAD_SENDER_ADDRESS = Reply(501, "5.1.7", "That is not a valid sender address; check its spelling")
UNKNOWN_MECHANISM = Reply(504, "5.5.4", "That way of logging in is not offered here")
LOGIN_CANCELLED = Reply(501, "5.7.0", "Log-in cancelled")
BAD_BASE64 = Reply(501, "5.5.2", "That is not valid base64")
NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
BAD_SEQUENCE = Reply(503, "5.5.1", "Commands are out of order")
NO_RECIPIENTS = Reply(503, "5.5.1", "No valid recipients: nothing to send")
UNKNOWN_PARAMETER = Reply(
    555, "5.5.4", "A parameter of the command is not recognised or not supported"
)
NEEDS_SMTPUTF8 = Reply(553, "5.6.7", "An address with accents or other such letters needs SMTPUTF8")
TOO_MANY_CHUNKS = Reply(554, "5.5.1", "Too many BDAT chunks in one message; nothing was kept")
MUST_STARTTLS = Reply(
    530, "5.7.0", "Start TLS first: this gateway speaks only over an encrypted line"
)
MUST_LOG_IN = Reply(530, "5.7.0", "Log in first, with your mailbox address and password")
MUST_CERTIFY = Reply(530, "5.7.0", "A client certificate is required here")
BAD_CREDENTIALS = Reply(535, "5.7.8", "Address or password not accepted")
SMUGGLED = Reply(
    550,
    "5.6.0",
    "The message has bare CR or LF, or NUL characters, and was refused; nothing was kept",
)
HEADER_TOO_BIG = Reply(550, "5.6.0", "The message header is too large; nothing was kept")

LIST_STALE = Reply(
    451,
    "4.7.1",
    "Our trust list needs renewal; the message will go when it is renewed, please keep it",
)
SENDER_NOT_LISTED = Reply(
    550, "5.7.1", "The sender's domain is not on the trust list; it was not sent"
)
RECIPIENT_NOT_LISTED = Reply(
    550, "5.7.1", "The recipient is not on the trust list; it was not sent, use a listed address"
)
PEER_NOT_ENTITLED = Reply(
    550, "5.7.1", "Your certificate does not speak for the sender's domain; it was refused"
)
MAILBOX_FULL = Reply(
    452, "4.2.2", "The recipient's mailbox is full; it will be tried again until there is room"
)
NO_SUCH_MAILBOX = Reply(550, "5.1.1", "There is no such mailbox here; check the address")
NOT_A_RELAY = Reply(550, "5.7.1", "This gateway does not relay for that recipient")
SENDER_IS_NOT_YOU = Reply(
    550, "5.7.1", "The sender address must be the mailbox you logged in with; it was not sent"
)

LIST_MISSING = Reply(
    451, "4.7.1", "Our trust list is not loaded yet; the message can go later, please keep it"
)
SENDER_ADDRESS_NOT_LISTED = Reply(
    550,
    "5.7.1",
    "The sender's address is not on the trust list, and its domain admits listed addresses only; "
    "it was not sent, ask your operator to list the address",
)
SENDER_REVOKED = Reply(
    550,
    "5.7.1",
    "The sender's domain was removed from the trust list; it was not sent, ask your operator",
)
RECIPIENT_ADDRESS_NOT_LISTED = Reply(
    550,
    "5.7.1",
    "The recipient's domain is trusted, but this address in it is not listed; "
    "it was not sent, check the spelling or ask for a listed address",
)
RECIPIENT_REVOKED = Reply(
    550,
    "5.7.1",
    "The recipient's domain was removed from the trust list; "
    "it was not sent, reach the recipient another way",
)
RECIPIENT_SUSPENDED = Reply(
    451,
    "4.7.1",
    "The recipient's domain is suspended for now; the message can go when that ends, "
    "if it is urgent reach the recipient another way",
)
PEER_UNREADABLE = Reply(
    550, "5.7.1", "Your certificate cannot be read; it was refused, ask your operator"
)
PEER_EXPIRED = Reply(
    451, "4.7.1", "Your certificate is outside its dates; please try again once it is renewed"
)
PEER_REVOKED = Reply(
    550,
    "5.7.1",
    "Your certificate was revoked by its authority; it was refused, ask your operator to renew it",
)
PEER_UNVOUCHED = Reply(
    451,
    "4.7.1",
    "Nobody can say now whether your certificate is revoked; please try again later",
)
PIN_REQUIRED = Reply(
    550,
    "5.7.1",
    "The sender's address is listed with other certificates than yours; "
    "it was refused, ask your operator",
)
NEXT_HOP_NOT_ENTITLED = Reply(
    451,
    "4.7.1",
    "The recipient's server did not prove that it serves that domain; nothing was sent to it",
)
NEXT_HOP_EXPIRED = Reply(
    451,
    "4.7.1",
    "The certificate of the recipient's server is outside its dates; nothing was sent to it",
)

SENDER_DENIED = Reply(
    550,
    "5.7.1",
    "The operator of this gateway has blocked the sender; it was not sent, ask your operator",
)
PEER_DENIED = Reply(
    550,
    "5.7.1",
    "The operator of this gateway has blocked the sending server's certificate; it was not sent, "
    "reach the recipient another way and ask your operator",
)
RECIPIENT_DENIED = Reply(
    550,
    "5.7.1",
    "The operator of this gateway has blocked the recipient; it was not sent, "
    "reach the recipient another way or ask your operator",
)
SENDER_AWAITS_APPROVAL = Reply(
    451,
    "4.7.1",
    "What the trust list says of the sender's domain has changed and awaits our operator's "
    "approval; please try again later",
)
RECIPIENT_AWAITS_APPROVAL = Reply(
    451,
    "4.7.1",
    "What the trust list says of the recipient's domain has changed and awaits our operator's "
    "approval; the message can go then, if it is urgent reach the recipient another way",
)
NEXT_HOP_DENIED = Reply(
    451,
    "4.7.1",
    "The recipient's server came with a certificate that our operator has blocked; "
    "nothing was sent to it",
)
NEXT_HOP_REVOKED = Reply(
    451,
    "4.7.1",
    "The certificate of the recipient's server is revoked; nothing was sent to it",
)
NEXT_HOP_UNVOUCHED = Reply(
    451,
    "4.7.1",
    "Nobody can say now whether the certificate of the recipient's server is revoked; "
    "nothing was sent to it",
)

# To and from citizens. What a citizen is told says it in both languages: their provider shows the line
# as it is.
CITIZEN_UNKNOWN = Reply(
    550,
    "5.1.1",
    "That is no patient's address: it is the INS number, 15 digits with its key or 13 where set so; "
    "it was not sent, check the number in the patient's record",
)
CITIZEN_OBJECTS = Reply(
    550,
    "5.7.1",
    "This patient objects to being written to by secure messaging; "
    "it was not sent, reach them another way",
)
CITIZEN_NOT_BEGUN = Reply(
    550,
    "5.7.1",
    "Seul un professionnel peut ouvrir la conversation, ou la rouvrir: message non envoye, "
    "en cas d'urgence appelez le 15 / "
    "Only a professional may begin, or begin again; it was not sent, in an emergency call 15",
)
CITIZEN_CLOSED = Reply(
    550,
    "5.7.1",
    "Le professionnel a clos cette conversation: message non envoye, "
    "en cas d'urgence appelez le 15 / "
    "The professional has closed this conversation; it was not sent, in an emergency call 15",
)
CITIZEN_TO_CITIZEN = Reply(
    550,
    "5.7.1",
    "On n'ecrit pas d'un patient a un autre par cette messagerie: message non envoye / "
    "Patients cannot write to each other here; it was not sent",
)


def too_big(most: int) -> Reply:
    """Return what is said of a message that has more than so many octets."""
    return Reply(
        552,
        "5.3.4",
        f"The message is larger than the {_megabytes(most)} MB that this gateway accepts; "
        "nothing was kept, send it in several parts",
    )


def citizen_too_large(most: int) -> Reply:
    """Return what is said of a message to or from a patient that has more than so many octets."""
    limit = _megabytes(most)
    return Reply(
        552,
        "5.3.4",
        f"Message trop volumineux, {limit} Mo au plus, pieces jointes comprises: non envoye, "
        "envoyez-le en plusieurs fois, en cas d'urgence appelez le 15 / "
        f"Messages to and from patients have {limit} MB at most, attachments included; "
        "it was not sent, send it in several parts, in an emergency call 15",
    )


def _megabytes(octets: int) -> str:
    return f"{octets / 1_000_000:.3g}"
