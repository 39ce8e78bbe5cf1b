"""What a session asks of its shell, and tells it: one small value each."""

from dataclasses import dataclass

from imap.grammar.command import Announced, Command
from smtp.receive.login import Claim


@dataclass(frozen=True, slots=True)
class Asked:
    """Do this; say ``done`` with what came of it."""

    command: Command


@dataclass(frozen=True, slots=True)
class LoginAsked:
    """Is this claim true? Say ``logged_in`` or ``refused``."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class TlsAsked:
    """Write what is outgoing, start TLS, and say ``secured``."""


@dataclass(frozen=True, slots=True)
class MessageAsked:
    """May this message be appended? Say ``go_on``, or ``done`` with the refusal."""

    announced: Announced


@dataclass(frozen=True, slots=True)
class MessageBlock:
    """Some of the message."""

    block: bytes


@dataclass(frozen=True, slots=True)
class MessageEnded:
    """The message has come whole; another may follow."""


@dataclass(frozen=True, slots=True)
class AppendEnded:
    """That was all of the APPEND: keep what came, and say ``done``."""


@dataclass(frozen=True, slots=True)
class AppendFailed:
    """The APPEND went wrong or was given up: keep nothing of it; it has been answered."""


@dataclass(frozen=True, slots=True)
class IdleBegun:
    """Tell the client what changes, as it changes (RFC 2177)."""


@dataclass(frozen=True, slots=True)
class IdleEnded:
    """It has heard enough; say ``done``."""

    command: Command


@dataclass(frozen=True, slots=True)
class Closed:
    """Write what is outgoing, then close."""


Event = (
    Asked
    | LoginAsked
    | TlsAsked
    | MessageAsked
    | MessageBlock
    | MessageEnded
    | AppendEnded
    | AppendFailed
    | IdleBegun
    | IdleEnded
    | Closed
)
