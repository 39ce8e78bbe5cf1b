"""The SQL of what lies here for others to fetch: whole messages that went as stubs.

One row a message and domain that it went to; the whole is held in the vault by the row's own name.
It goes when it expires, or when no copy for that domain waits for it any more. What a row says may
be read in a stolen copy but for its hashes, its files' names and whose it is.
"""

import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from gateway.relay.delivery import State
from gateway.relay.large.stub import Cut
from gateway.relay.spool import OPEN
from smtp.address import Address, key
from smtp.envelope import MessageId
from vault.database import Database, Row, Statement
from vault.errors import SealError
from vault.keys import KeyRing

_COLUMNS = "id, message, domain, reader, size, made, expires, looks, taken, facts"
_OPEN = json.dumps(sorted({*OPEN, State.RELAYED, State.UNCONFIRMED}))
_WAITED_FOR = (
    "EXISTS (SELECT 1 FROM delivery WHERE delivery.message = link.message"
    " AND delivery.domain = link.domain AND state IN (SELECT value FROM json_each(?)))"
)


class Facts(msgspec.Struct, frozen=True, array_like=True):
    """What only we are to read."""

    token: str  # under which it is asked for
    sha256: str  # of the whole
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A message that lies here for those of one domain."""

    id: str  # for operators; who knows it cannot ask for anything
    message: MessageId
    domain: str
    size: int  # octets of the whole
    made: datetime
    expires: datetime
    facts: Facts
    reader: bool = False  # a person fetches it by a browser, and no gateway
    looks: int = 0  # how often some of it was asked for
    taken: datetime | None = None  # when it was first fetched to its end

    @property
    def holder(self) -> str:
        """The name under which the vault keeps it."""
        return f"link/{self.id}"


def new_link_id() -> str:
    """Make a name for operators."""
    return secrets.token_hex(6)


def new_token() -> str:
    """Make a name that nobody guesses, fit for an address on the web."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Links:
    """The table ``link``."""

    database: Database
    ring: KeyRing

    def adding(self, link: Link, sender: Address) -> Statement:
        """Return the statement that makes a link known; ``Conflict`` if its domain has one."""
        return Statement(
            "INSERT INTO link (id, token, message, domain, sender, reader, size, made, expires, facts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                link.id,
                self._token(link.facts.token),
                link.message,
                link.domain,
                self._sender(sender),
                link.reader,
                link.size,
                link.made.timestamp(),
                link.expires.timestamp(),
                self.ring.seal(
                    msgspec.json.encode(link.facts),
                    _place(link.id, link.message, link.domain, link.reader),
                ),
            ),
            expect=1,
        )

    def find(self, token: str) -> Link | None:
        """Return what is asked for under a token, if there is anything."""
        return _first(self._links("token = ?", (self._token(token),)))

    def named(self, id_: str) -> Link | None:
        """Return the link of that name, if there is one."""
        return _first(self._links("id = ?", (id_,)))

    def of(self, message: str, domain: str) -> Link | None:
        """Return under which link a domain may have a message."""
        return _first(self._links("message = ? AND domain = ?", (message, domain)))

    def all(self, limit: int = 1000) -> list[Link]:
        """Return what lies here, the newest first, but for what another hand changed."""
        found = []
        for id_ in self._ids("1 ORDER BY made DESC, id LIMIT ?", (limit,)):
            with suppress(SealError):
                found += self._links("id = ?", (id_,))
        return found

    def used(self, sender: Address) -> int:
        """Return how many octets of a mailbox's messages lie here."""
        sql = "SELECT coalesce(sum(size), 0) FROM link WHERE sender = ?"
        ((octets,),) = self.database.read(sql, (self._sender(sender),))
        return int(octets)

    def standing(self) -> tuple[int, int]:
        """Return how many links there are, and how many octets lie behind them."""
        sql = "SELECT count(*), coalesce(sum(size), 0) FROM link"
        ((count, octets),) = self.database.read(sql)
        return int(count), int(octets)

    def looked(self, id_: str) -> Statement:
        """Return the statement that counts that some of it was asked for."""
        return Statement("UPDATE link SET looks = looks + 1 WHERE id = ?", (id_,))

    def untouched(self, id_: str) -> Statement:
        """Return the statement that changes nothing; ``Conflict`` if it was looked at meanwhile."""
        return Statement("UPDATE link SET looks = 0 WHERE id = ? AND looks = 0", (id_,), expect=1)

    def taking(self, id_: str, at: datetime) -> Statement:
        """Return the statement that remembers when it was first fetched to its end."""
        return Statement(
            "UPDATE link SET taken = coalesce(taken, ?) WHERE id = ?", (at.timestamp(), id_)
        )

    def dropping(self, link: Link) -> list[Statement]:
        """Return the statements by which it lies here no longer."""
        return [
            Statement("DELETE FROM link WHERE id = ?", (link.id,)),
            Statement("DELETE FROM wrap WHERE holder = ?", (link.holder,)),
        ]

    def unwanted(self, limit: int = 200) -> list[str]:
        """Return the names of links for which no gateway waits: each copy has its end.

        A person may come back to look once more, until the time is up.
        """
        return self._ids(f"reader = 0 AND NOT {_WAITED_FOR} LIMIT ?", (_OPEN, limit))

    def expired(self, now: datetime, limit: int = 200) -> list[str]:
        """Return the names of links whose time is up."""
        return self._ids("expires <= ? ORDER BY expires LIMIT ?", (now.timestamp(), limit))

    def _ids(self, where: str, args: Sequence[object]) -> list[str]:
        rows = self.database.read(f"SELECT id FROM link WHERE {where}", tuple(args))  # noqa: S608
        return [str(id_) for (id_,) in rows]

    def _links(self, where: str, args: Sequence[object]) -> list[Link]:
        rows = self.database.read(f"SELECT {_COLUMNS} FROM link WHERE {where}", tuple(args))  # noqa: S608
        return [self._link(row) for row in rows]

    def _link(self, row: Row) -> Link:
        id_, message, domain, reader, size, made, expires, looks, taken, facts = row
        # Who may fetch it is bound to the seal: a row that another hand wrote opens nothing.
        opened = self.ring.open(facts, _place(id_, message, domain, reader))
        return Link(
            id_,
            MessageId(message),
            domain,
            size,
            _at(made),
            _at(expires),
            msgspec.json.decode(opened, type=Facts),
            bool(reader),
            looks,
            None if taken is None else _at(taken),
        )

    def _token(self, token: str) -> bytes:
        return self.ring.index(token, "link")

    def _sender(self, sender: Address) -> bytes:
        return self.ring.index(key(sender), "address")


def _first(found: list[Link]) -> Link | None:
    return found[0] if found else None


def _place(id_: str, message: str, domain: str, reader: int) -> str:
    return f"link/{id_}/{message}/{domain}/{int(reader)}/facts"


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
