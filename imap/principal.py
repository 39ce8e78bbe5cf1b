"""Who is in, which mailboxes that opens, and who takes note: facts that ``gateway`` supplies.

Rights are RFC 4314's letters, and count for a mailbox as a whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from imap.folder import UidSet
from imap.store.values import Folder
from smtp.address import Address
from smtp.envelope import Peer

OWNER = "lrswipkxtea"  # look, read, seen, write, insert, post, create, delete, expunge, administer
READER = "lr"

RECALL = "$recall"  # the keyword, in small letters, by which a sender wants a message back
_NEEDS = {"\\seen": "s", "\\deleted": "t", RECALL: "p"}
MARKING = frozenset("swt")


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

    def rights(self, mailbox: int) -> str:
        """Return the letters it has on a mailbox."""
        if mailbox == self.own:
            return OWNER
        return next((each.rights for each in self.shared if each.mailbox == mailbox), "")


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody may do with a mailbox."""

    who: str
    rights: str


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done to a folder or with its messages, for the journal.

    ``what`` is a slug: marked, erased, moved, copied, filed, made, renamed, deleted, downloaded,
    searched.
    """

    what: str
    folder: Folder
    uids: UidSet
    detail: str = ""  # flags, or the folder it concerns as well


def settable(rights: str, flags: Sequence[str]) -> tuple[str, ...]:
    """Return those of some flags that rights let one change (RFC 4314 §4)."""
    return tuple(flag for flag in flags if _NEEDS.get(flag.lower(), "w") in rights)


class Rights(Protocol):
    """Who knows what a log-in opens, and lets that be changed."""

    def of(self, address: Address) -> Principal | None:
        """Return what it opens now; None: nothing any more."""

    def on(self, mailbox: int) -> Sequence[Grant]:
        """Return who may do what with a mailbox, its own person first."""

    async def give(self, by: Principal, mailbox: int, grant: Grant) -> None:
        """Give rights in place of others, none to take all away; ``MailboxError``: nothing changed."""

    def listen(self, who: Principal, bell: Callable[[], None]) -> Callable[[], None]:
        """Have a bell rung after what somebody may do has changed; return what ends it."""


class Witness(Protocol):
    """Who takes note of what people do, in a journal that they cannot change."""

    async def read(self, who: Principal, peer: Peer, folder: Folder, uids: UidSet) -> None:
        """Take note, before the content of messages is given out."""

    async def acted(self, who: Principal, peer: Peer, act: Act) -> None:
        """Take note of something that was done."""
