"""What a server says: a code, an enhanced code, a line of text; and the replies we give by name.

A reply is written for the person who will read it in a mail client: what happened, what became of
the message, what to do. RFC 5321 §4.2, RFC 2034, RFC 3463.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. It cannot be built so that it would break the protocol."""

    code: int
    enhanced: str  # "5.7.1"; "" where RFC 2034 has none: greeting, EHLO, 354
    text: str

    def __post_init__(self) -> None:
        # A reply is one line of printable ASCII: nothing from a message may inject another.
        if not self.text.isascii() or not self.text.isprintable():
            raise ValueError(f"unprintable reply text: {self.text!r}")
        if not 200 <= self.code <= 559:
            raise ValueError(f"no such reply code: {self.code}")
        if self.enhanced and self.enhanced[0] != str(self.code)[0]:
            raise ValueError(f"{self.code} and {self.enhanced} disagree")

    def line(self) -> bytes:
        """Return the reply as it goes on the wire, CRLF included."""
        middle = f"{self.enhanced} " if self.enhanced else ""
        return f"{self.code} {middle}{self.text}\r\n".encode("ascii")

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


def printable(text: str, limit: int = 400) -> str:
    """Return foreign text made fit for a reply or a report: ASCII, one line, not too long."""
    ascii_text = text.encode("ascii", "replace").decode("ascii")
    return "".join(c if c.isprintable() else " " for c in ascii_text)[:limit].strip()


OK = Reply(250, "2.0.0", "OK")
SENDER_OK = Reply(250, "2.1.0", "Sender OK")
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient OK")
BYE = Reply(221, "2.0.0", "Goodbye")
START_DATA = Reply(354, "", "Send the message, end with <CRLF>.<CRLF>")
READY_FOR_TLS = Reply(220, "2.0.0", "Ready to start TLS")
AUTHENTICATED = Reply(235, "2.7.0", "Authenticated")
CANNOT_VERIFY = Reply(252, "2.5.0", "Cannot say; send a message and see")

STOPPING = Reply(421, "4.3.2", "The gateway is restarting; try again in a minute")
TOO_SLOW = Reply(421, "4.4.2", "Nothing heard for too long; goodbye")
TOO_MANY_CONNECTIONS = Reply(421, "4.7.0", "Too many connections; try again later")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors; goodbye")
LOCAL_ERROR = Reply(451, "4.3.0", "Something failed here; nothing was kept, please send again")
INSUFFICIENT_STORAGE = Reply(
    452, "4.3.1", "The gateway is short of disk space; please send again later"
)
TOO_MANY_RECIPIENTS = Reply(
    452, "4.5.3", "Too many recipients at once; send the others in another message"
)
LOGIN_THROTTLED = Reply(454, "4.7.0", "Too many failed log-ins; wait a few minutes and try again")
TLS_UNAVAILABLE = Reply(454, "4.7.0", "TLS is not available now")

UNKNOWN_COMMAND = Reply(500, "5.5.2", "Command not recognised")
LINE_TOO_LONG = Reply(500, "5.5.2", "Command line too long")
SYNTAX = Reply(501, "5.5.4", "Syntax error in the command or its arguments")
BAD_ADDRESS = Reply(501, "5.1.3", "That is not a valid mail address; check its spelling")
BAD_SENDER_ADDRESS = Reply(501, "5.1.7", "That is not a valid sender address; check its spelling")
NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
BAD_SEQUENCE = Reply(503, "5.5.1", "Commands are out of order")
NO_RECIPIENTS = Reply(503, "5.5.1", "No valid recipients: nothing to send")
UNKNOWN_PARAMETER = Reply(
    555, "5.5.4", "A parameter of the command is not recognised or not supported"
)
MUST_STARTTLS = Reply(
    530, "5.7.0", "Start TLS first: this gateway speaks only over an encrypted line"
)
MUST_LOG_IN = Reply(530, "5.7.0", "Log in first, with your mailbox address and password")
MUST_CERTIFY = Reply(530, "5.7.0", "A client certificate is required here")
BAD_CREDENTIALS = Reply(535, "5.7.8", "Address or password not accepted")
ENCRYPTION_REQUIRED = Reply(538, "5.7.11", "Encryption is required before logging in")
TOO_BIG = Reply(552, "5.3.4", "The message is larger than this gateway accepts; nothing was kept")
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
NO_SUCH_MAILBOX = Reply(550, "5.1.1", "There is no such mailbox here; check the address")
NOT_A_RELAY = Reply(550, "5.7.1", "This gateway does not relay for that recipient")
SENDER_IS_NOT_YOU = Reply(
    550, "5.7.1", "The sender address must be the mailbox you logged in with; it was not sent"
)
