"""Who else may use a mailbox: colleagues of an organisation's, a doctor's secretary, a mail server.

A person is known by their own mailbox and its log-in, so that each act is traced to them. The seal
of the rights binds them to both mailboxes: who can write to the database, and has not the key ring,
shares nothing with anybody. R-B1, R-D1, RFC 4314.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.accounts.mailboxes import AccountError, Accounts, Mailbox, Tell, untold
from gateway.accounts.rights import Rights, RightsError
from smtp.address import Address, domain_of, key
from vault.database import Database, Statement
from vault.errors import Conflict, SealError
from vault.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Share:
    """One person's rights on one mailbox that is not their own."""

    mailbox: Mailbox
    person: Mailbox
    rights: Rights


class Shares:
    """The table ``share``; one per process, so its cache is the truth."""

    def __init__(
        self, database: Database, ring: KeyRing, accounts: Accounts, tell: Tell = untold
    ) -> None:
        self._database = database
        self._ring = ring
        self._accounts = accounts
        self._tell = tell
        self._posting: dict[int, frozenset[str]] = {}  # by person: whose names they may send in
        self._bells: dict[int, list[Callable[[], None]]] = {}  # by person

    def of(self, person: Mailbox) -> list[Share]:
        """Return the mailboxes that are shared with a person, by address; closed ones too."""
        return self._found("person", person)

    def on(self, mailbox: Mailbox) -> list[Share]:
        """Return who shares a mailbox, by address."""
        return self._found("mailbox", mailbox)

    def may_post(self, person: Mailbox, address: Address) -> bool:
        """Whether a person may send in the name of this address; cheap enough for every MAIL."""
        names = self._posting.get(person.id)
        if names is None:
            names = self._posting[person.id] = frozenset(
                key(share.mailbox.address) for share in self.of(person) if share.rights.posts
            )
        if key(address) not in names:
            return False
        mailbox = self._accounts.find(address)
        return mailbox is not None and mailbox.sends

    async def give(
        self,
        mailbox: Mailbox,
        person: Mailbox,
        rights: Rights,
        now: datetime,
        also: Sequence[Statement] = (),
    ) -> Share:
        """Give a person rights on a mailbox, in place of those they had; no rights take all away."""
        if mailbox.id == person.id:
            raise AccountError("A mailbox is its own person's already; nothing changed.")
        if rights.posts and domain_of(mailbox.address) != domain_of(person.address):
            # The next gateway sees one certificate for all our domains, and could not tell.
            raise AccountError(
                "Nobody sends in the name of another domain than their own; nothing changed."
            )
        statement = Statement(
            "INSERT INTO share (mailbox, person, rights, since) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (mailbox, person) DO UPDATE SET rights = excluded.rights,"
            " since = excluded.since",
            (
                mailbox.id,
                person.id,
                self._ring.seal(str(rights).encode(), _place(mailbox, person)),
                now.timestamp(),
            ),
            expect=1,
        )
        if not rights:
            statement = Statement(
                "DELETE FROM share WHERE mailbox = ? AND person = ?",
                (mailbox.id, person.id),
                expect=1,
            )
        try:
            await self._database.commit([statement, *also])
        except Conflict:
            raise AccountError(
                "That person has no rights on the mailbox; nothing changed."
            ) from None
        finally:
            self._posting.pop(person.id, None)
        self._tell_of(person)
        return Share(mailbox, person, rights)

    # Who is told when it changes.

    def listen(self, person: int, bell: Callable[[], None]) -> Callable[[], None]:
        """Have a bell rung after what a person may do has changed; return what ends it."""
        bells = self._bells.setdefault(person, [])
        bells.append(bell)

        def stop() -> None:
            if bell in bells:
                bells.remove(bell)
            if not bells and self._bells.get(person) is bells:
                del self._bells[person]

        return stop

    def stands_otherwise(self, mailbox: Mailbox) -> None:
        """Tell those who share a mailbox that it opens again, or no more."""
        for share in self.on(mailbox):
            self._tell_of(share.person)

    def _tell_of(self, person: Mailbox) -> None:
        for bell in tuple(self._bells.get(person.id, ())):
            bell()

    def _found(self, column: str, one: Mailbox) -> list[Share]:
        # The column is one of two words of ours.
        rows = self._database.read(
            f"SELECT mailbox, person, rights FROM share WHERE {column} = ?",  # noqa: S608
            (one.id,),
        )
        shares = [found for row in rows if (found := self._share(*row)) is not None]
        return sorted(shares, key=lambda share: (share.mailbox.address, share.person.address))

    def _share(self, mailbox_id: int, person_id: int, sealed: bytes) -> Share | None:
        """Read a row, or nothing if it is not as we wrote it."""
        mailbox, person = self._accounts.by_id(mailbox_id), self._accounts.by_id(person_id)
        if mailbox is None or person is None:
            return None
        try:
            rights = Rights(self._ring.open(sealed, _place(mailbox, person)).decode())
        except (SealError, RightsError, UnicodeDecodeError):
            self._tell("share.tampered", {"mailbox": mailbox.key, "person": person.key})
            return None
        return Share(mailbox, person, rights)


def _place(mailbox: Mailbox, person: Mailbox) -> str:
    return f"share/{mailbox.key}/{person.key}/rights"
