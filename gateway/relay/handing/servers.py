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

    @property
    def errors(self) -> str | None:
        """The mailbox of ours for what its program does not take, if there is one."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Which server has a mailbox, by the names of the servers."""

    mailboxes: Mapping[str, str] = field(default_factory=dict)  # by the address's key
    domains: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, Address] = field(default_factory=dict)  # by the servers' names

    @classmethod
    def of(cls, servers: Iterable[Named]) -> Self:
        """Take them from the settings."""
        found = list(servers)
        return cls(
            {key(Address(one)): each.name for each in found for one in each.mailboxes},
            {one: each.name for each in found for one in each.domains},
            {each.name: Address(each.errors) for each in found if each.errors},
        )

    def holding(self, who: Address) -> str | None:
        """Return the server that has a mailbox; None: it is with us."""
        if not self.mailboxes and not self.domains:
            return None
        return self.mailboxes.get(key(who)) or self.domains.get(domain_of(who))

    def errors_of(self, who: Address) -> Address | None:
        """Return the error mailbox of the program that has a mailbox, if there is one."""
        return self.errors.get(self.holding(who) or "")

    def serving(self, domain: str) -> str | None:
        """Return the server that has a whole domain's mailboxes."""
        return self.domains.get(domain)
