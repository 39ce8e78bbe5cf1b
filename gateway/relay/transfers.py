"""Transfer ids: a peer that is not sure whether we took a copy offers it again under the same mark.

Between two Sceau a crash after the 250 so costs no second copy. The mark is made of the sender's
domain, for which the peer's certificate speaks, so nobody finds another's. HOUSE, *the truth about
arrival*.
"""

from dataclasses import dataclass

from gateway.accounts.credentials import fingerprint
from gateway.relay.entrance import Entrance
from gateway.relay.message import Copy
from gateway.relay.spool import Spool
from smtp.address import domain_of, key
from smtp.envelope import Draft, Recipient
from vault.database import Statement


def each_once(draft: Draft) -> list[Recipient]:
    """Return the recipients, each mailbox once, whatever it was written as."""
    return list({key(one.address): one for one in draft.recipients}.values())


@dataclass(frozen=True, slots=True)
class Transfers:
    """What was taken under which mark; one a gateway."""

    spool: Spool

    def mark(self, draft: Draft, one: Recipient) -> bytes:
        """Return the mark of one recipient's copy of a message that bears a transfer id."""
        sender, certificate = draft.mail.mail_from, draft.peer.certificate
        peer = domain_of(sender) if sender else fingerprint(certificate or b"")
        return self.spool.transfer(peer, draft.mail.transfer or "", one.address)

    def known(self, draft: Draft) -> tuple[list[Recipient], list[Copy]]:
        """Return whose copy we have not taken yet, each once, and what became of the others."""
        if draft.mail.transfer is None:
            return each_once(draft), []
        marks = {self.mark(draft, one): one for one in each_once(draft)}
        before = [mark for mark in marks if self.spool.seen(mark)]
        copies = [copy for mark in before if (copy := self.spool.taken(mark)) is not None]
        return [one for mark, one in marks.items() if mark not in before], copies

    def marking(self, draft: Draft, entered: Entrance) -> list[Statement]:
        """Return the statements that remember the copies which enter."""
        if draft.mail.transfer is None:
            return []
        at = entered.message.arrived
        return [
            self.spool.seeing(self.mark(draft, one.copy.recipient), one.after.id, at)
            for one in entered.results
        ]
