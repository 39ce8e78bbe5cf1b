"""Whose mailbox lies where: on one of the house's own servers, or, as a rule, with us.

A mailbox is ours all the same: its address exists, sends, is closed here. Only where its mail lies
is the server's business.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from smtp.address import Address, domain_of, key


class Named(Protocol):
    """What the settings say of a server."""

    @property
    def name(self) -> str:
        """Its name here."""

    @property
    def domains(self) -> tuple[str, ...]:
        """Whose mail it takes, all of it."""

    @property
    def mailboxes(self) -> tuple[str, ...]:
        """Whose mail it takes besides; these come before what is said of their domain."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Which server has a mailbox, by the names of the servers."""

    mailboxes: Mapping[str, str] = field(default_factory=dict)  # by the address's key
    domains: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, servers: Iterable[Named]) -> Self:
        """Take them from the settings."""
        found = list(servers)
        return cls(
            {key(Address(one)): each.name for each in found for one in each.mailboxes},
            {one: each.name for each in found for one in each.domains},
        )

    def holding(self, who: Address) -> str | None:
        """Return the server that has a mailbox; None: it is with us."""
        if not self.mailboxes and not self.domains:
            return None
        return self.mailboxes.get(key(who)) or self.domains.get(domain_of(who))

    def serving(self, domain: str) -> str | None:
        """Return the server that has a whole domain's mailboxes."""
        return self.domains.get(domain)
