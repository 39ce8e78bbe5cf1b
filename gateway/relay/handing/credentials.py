"""What opens mailboxes on an IMAP server of the house: one line a mailbox, in a file of its own.

    # address                   user                        password
    dr.durand@chu-nord.example  durand                      xyzzy
    *                           {address}*sceau             one password that opens all

``*`` stands for every mailbox that no line names; in its user, ``{address}`` and ``{local}`` are the
mailbox's. What follows the second gap, to the end of the line, is the password.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from smtp.address import Address, AddressError, key, local_of, parse


class CredentialsError(Exception):
    """The file cannot be used; the message names the line, and nothing that stands in it."""


@dataclass(frozen=True, slots=True)
class LogIn:
    """Whom to log in as."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LogIns:
    """The whole file."""

    named: Mapping[str, LogIn]
    rest: LogIn | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the file."""
        named: dict[str, LogIn] = {}
        rest: LogIn | None = None
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split(maxsplit=2)
            if not words or words[0].startswith("#"):
                continue
            if len(words) < 3 or not line.isprintable():
                raise CredentialsError(f"line {number}: an address, a user and a password")
            login = LogIn(words[1], words[2].rstrip())
            if words[0] == "*":
                rest = login
                continue
            try:
                named[key(parse(words[0]))] = login
            except AddressError:
                raise CredentialsError(f"line {number}: that is no mail address") from None
        return cls(named, rest)

    def of(self, who: Address) -> LogIn | None:
        """Return what opens a mailbox; None: nothing does."""
        found = self.named.get(key(who))
        if found is not None or self.rest is None:
            return found
        user = self.rest.user.replace("{address}", who).replace("{local}", local_of(who))
        return LogIn(user, self.rest.password)
