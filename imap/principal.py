"""Who is in, and which mailboxes that opens: facts that ``gateway`` supplies. RFC 4314 letters."""

from dataclasses import dataclass
from typing import Protocol

from smtp.address import Address

OWNER = "lrswipkxtea"  # look, read, seen, write, insert, post, create, delete, expunge, administer
READER = "lr"


@dataclass(frozen=True, slots=True)
class Shared:
    """Another's mailbox that somebody may use, seen below the shared namespace."""

    name: str
    mailbox: int
    rights: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who logged in."""

    login: Address
    own: int
    shared: tuple[Shared, ...] = ()


class Rights(Protocol):
    """Who knows what a log-in opens."""

    def of(self, address: Address) -> Principal | None:
        """Return what it opens now; None: nothing any more."""
