"""What becomes of each recipient at the door: the trust list's decision, and what only we know.

The list says who may write to whom; whether a mailbox of ours exists, and which of our doors it
came to, is our own knowledge. Asked at RCPT, and again when the content is here: the list in force
when we say 250 is the one that counts. RFC 5321 §3.3, §6.1.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from gateway.accounts.mailboxes import Mailbox
from quarantine.policy import Finding, sentence
from smtp import reply
from smtp.address import Address, domain_of
from smtp.envelope import Peer
from smtp.reply import Reply
from trust.decision import Action, decide
from trust.sources import TrustList

RELAY = "relay"  # the listener where other gateways bring mail for our own mailboxes

ONLY_DEFERRED = Reply(
    451, "4.7.1", "No recipient can be served now; nothing was kept, please send again later"
)


_RULED = "The gateway's rules do not let the message pass: "


def refusal(reason: str) -> Reply:
    """Return what a sender is told whose message a rule of the quarantine refuses."""
    return Reply(550, "5.7.1", reply.printable(_RULED + sentence(reason, "en").rstrip(".")))


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of one recipient: the action, our word for why, and what they are told."""

    action: Action
    reason: str
    reply: Reply
    found: tuple[Finding, ...] = ()  # all of why it is held, where a rule has it held

    def at_rcpt(self, door: str) -> Reply:
        """Return the answer to RCPT.

        What only time must repair is answered 4yz to a gateway, which will come again, and taken
        from a person or a program that submits, who would lose it.
        """
        if self.action is Action.REFUSE or (self.action is Action.DEFER and door == RELAY):
            return self.reply
        return reply.RECIPIENT_OK


def missing(mailbox: Mailbox | None) -> Reply | None:
    """Return the answer where a mailbox of ours is not there to receive; None: it is.

    Who has left may have named a successor: only one in plain ASCII fits into a reply.
    """
    if mailbox is None:
        return reply.NO_SUCH_MAILBOX
    if mailbox.receives:
        return None
    successor = mailbox.successor
    if successor is None or not successor.isascii():
        return reply.NO_SUCH_MAILBOX
    words = f"This mailbox is closed; it was not sent, please write to {successor} instead"
    return Reply(550, "5.1.6", reply.printable(words))


class Question(msgspec.Struct, frozen=True):
    """Who asks what of whom, and when."""

    sender: Address | None
    peer: Peer
    listed: TrustList | None
    now: datetime
    ours: frozenset[str]

    def about(self, recipient: Address, absent: Reply | None = None) -> Verdict:
        """Decide; ``absent`` is the answer where a mailbox of ours is not there to receive.

        A peer that speaks for nobody learns nothing of who has a mailbox here: trust comes first.
        """
        here = domain_of(recipient) in self.ours
        if self.peer.listener == RELAY and not here:
            return Verdict(Action.REFUSE, "not-a-relay", reply.NOT_A_RELAY)
        found = decide(self.sender, recipient, self.peer, self.listed, self.now)
        if found.action is not Action.REFUSE and here and absent is not None:
            reason = "no-such-mailbox" if absent is reply.NO_SUCH_MAILBOX else "mailbox-moved"
            return Verdict(Action.REFUSE, reason, absent)
        return Verdict(found.action, found.reason, found.reply)


def nothing_to_keep(verdicts: Iterable[Verdict], door: str) -> Reply | None:
    """Return the refusal of a whole message: nobody is to have it now. None: it is ours.

    One recipient that is allowed, or held, is enough to keep it; the others are then told apart.
    """
    found = list(verdicts)
    if any(one.action in {Action.ALLOW, Action.HOLD} for one in found):
        return None
    if any(one.action is Action.DEFER for one in found):
        return ONLY_DEFERRED if door == RELAY else None
    return found[0].reply if found else reply.NO_RECIPIENTS
