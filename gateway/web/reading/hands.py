"""In whose name a visitor writes: their own, or that of a mailbox which lets them post.

In another *person's* name the letter says whose hand it was; an organisation speaks for itself. R-J1,
RFC 5322 §3.6.2.
"""

from dataclasses import dataclass

from gateway.web.account.session import Visitor
from gateway.web.reading.letter import Letter
from gateway.web.reading.room import Room
from gateway.web.reading.rows import people
from gateway.web.reading.shown import line
from smtp.address import Address, key
from trust.addresses import Kind

_PERSONAL = frozenset({Kind.PER, Kind.CAB})


@dataclass(frozen=True, slots=True)
class Hand:
    """In whose name a letter is written, and who really writes it."""

    name: str
    really: Address | None


@dataclass(frozen=True, slots=True)
class Hands:
    """Looked up anew each time: rights may be taken away at any moment."""

    room: Room

    def senders(self, visitor: Visitor) -> list[Address]:
        """Return the addresses that a visitor may write from, their own first."""
        boxes = self.room.places.boxes(visitor)
        return [box.mailbox.address for box in boxes if box.own or "p" in box.rights]

    def may_be(self, visitor: Visitor, address: Address) -> bool:
        """Whether a visitor may write from an address."""
        return key(address) in {key(each) for each in self.senders(visitor)}

    def sender(self, visitor: Visitor, text: bytes) -> Address:
        """Return the sender that was chosen, if it may be; else the visitor."""
        named = next(iter(people([text])), None)
        for address in self.senders(visitor):
            if named is not None and named.address and key(address) == key(Address(named.address)):
                return address
        return visitor.person

    def hand(self, visitor: Visitor, letter: Letter) -> Hand:
        """Return how a letter names its sender, and who writes it."""
        mailbox = self.room.rooms.accounts.find(Address(letter.sender)) or visitor.mailbox
        other = mailbox.id != visitor.mailbox.id and mailbox.kind in _PERSONAL
        return Hand(line(mailbox.name, 100), visitor.person if other else None)
