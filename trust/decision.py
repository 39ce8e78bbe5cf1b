"""Who may write to whom: facts in, verdict out, each question a numbered step.

The steps stand in one table. ``decide`` walks it until one of them objects, ``explain`` walks it
to tell a person what each one found, so that the two can never disagree. Obstacles that time or an
operator repairs defer (4yz); decided ones refuse (5yz). What we deny ourselves is asked before what
any list says. The reasons are stable: journal, metrics and docs/trust-list.md know them by name.

One long file on purpose: whoever must say why a message was refused reads every question in one
place, in the order in which it is asked. R-C1, R-C2, R-C5, R-C6, R-C7.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import product

import msgspec

from smtp import reply
from smtp.address import Address, domain_of, key
from smtp.envelope import Peer
from smtp.reply import Reply
from trust.errors import IdentityError
from trust.identity import Certificate, Way
from trust.members import Member, Status
from trust.overlay import Doubt
from trust.revocation import UNCHECKED, Standing, State
from trust.sources import TrustList


class Action(StrEnum):
    """What becomes of a message for one recipient."""

    ALLOW = "allow"
    DEFER = "defer"
    HOLD = "hold"
    REFUSE = "refuse"


class Reason(StrEnum):
    """Why, in a word that never changes its meaning."""

    LISTED = "listed"
    LIST_MISSING = "list-missing"
    LIST_STALE = "list-stale"
    SENDER_DENIED = "sender-denied"
    SENDER_NOT_LISTED = "sender-not-listed"
    SENDER_REVOKED = "sender-revoked"
    SENDER_AWAITS_APPROVAL = "sender-awaits-approval"
    SENDER_ADDRESS_NOT_LISTED = "sender-address-not-listed"
    SENDER_SUSPENDED = "sender-suspended"
    PEER_DENIED = "peer-denied"
    PEER_ANONYMOUS = "peer-anonymous"
    PEER_UNREADABLE = "peer-unreadable"
    PEER_NOT_ENTITLED = "peer-not-entitled"
    PEER_EXPIRED = "peer-expired"
    PEER_CERTIFICATE_REVOKED = "peer-certificate-revoked"
    PEER_CERTIFICATE_UNKNOWN = "peer-certificate-unknown"
    LOGIN_NOT_SENDER = "login-not-sender"
    PIN_REQUIRED = "pin-required"
    RECIPIENT_DENIED = "recipient-denied"
    RECIPIENT_NOT_LISTED = "recipient-not-listed"
    RECIPIENT_REVOKED = "recipient-revoked"
    RECIPIENT_AWAITS_APPROVAL = "recipient-awaits-approval"
    RECIPIENT_ADDRESS_NOT_LISTED = "recipient-address-not-listed"
    RECIPIENT_SUSPENDED = "recipient-suspended"
    NEXT_HOP_DENIED = "next-hop-denied"
    NEXT_HOP_NOT_ENTITLED = "next-hop-not-entitled"
    NEXT_HOP_EXPIRED = "next-hop-expired"
    NEXT_HOP_CERTIFICATE_REVOKED = "next-hop-certificate-revoked"
    NEXT_HOP_CERTIFICATE_UNKNOWN = "next-hop-certificate-unknown"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with both halves: ours (the reason) and theirs (the reply)."""

    action: Action
    reason: Reason
    reply: Reply


ALLOW = Decision(Action.ALLOW, Reason.LISTED, reply.OK)
HOLD = Decision(Action.HOLD, Reason.SENDER_SUSPENDED, reply.OK)


def _defer(reason: Reason, said: Reply) -> Decision:
    return Decision(Action.DEFER, reason, said)


def _refuse(reason: Reason, said: Reply) -> Decision:
    return Decision(Action.REFUSE, reason, said)


LIST_MISSING = _defer(Reason.LIST_MISSING, reply.LIST_MISSING)
LIST_STALE = _defer(Reason.LIST_STALE, reply.LIST_STALE)
SENDER_AWAITS = _defer(Reason.SENDER_AWAITS_APPROVAL, reply.SENDER_AWAITS_APPROVAL)
RECIPIENT_AWAITS = _defer(Reason.RECIPIENT_AWAITS_APPROVAL, reply.RECIPIENT_AWAITS_APPROVAL)
PEER_EXPIRED = _defer(Reason.PEER_EXPIRED, reply.PEER_EXPIRED)
PEER_REVOKED = _refuse(Reason.PEER_CERTIFICATE_REVOKED, reply.PEER_REVOKED)
PEER_UNVOUCHED = _defer(Reason.PEER_CERTIFICATE_UNKNOWN, reply.PEER_UNVOUCHED)
RECIPIENT_SUSPENDED = _defer(Reason.RECIPIENT_SUSPENDED, reply.RECIPIENT_SUSPENDED)
NEXT_HOP_DENIED = _defer(Reason.NEXT_HOP_DENIED, reply.NEXT_HOP_DENIED)
NEXT_HOP_NOT_ENTITLED = _defer(Reason.NEXT_HOP_NOT_ENTITLED, reply.NEXT_HOP_NOT_ENTITLED)
NEXT_HOP_EXPIRED = _defer(Reason.NEXT_HOP_EXPIRED, reply.NEXT_HOP_EXPIRED)
NEXT_HOP_REVOKED = _defer(Reason.NEXT_HOP_CERTIFICATE_REVOKED, reply.NEXT_HOP_REVOKED)
NEXT_HOP_UNVOUCHED = _defer(Reason.NEXT_HOP_CERTIFICATE_UNKNOWN, reply.NEXT_HOP_UNVOUCHED)
SENDER_DENIED = _refuse(Reason.SENDER_DENIED, reply.SENDER_DENIED)
PEER_DENIED = _refuse(Reason.PEER_DENIED, reply.PEER_DENIED)
RECIPIENT_DENIED = _refuse(Reason.RECIPIENT_DENIED, reply.RECIPIENT_DENIED)
SENDER_NOT_LISTED = _refuse(Reason.SENDER_NOT_LISTED, reply.SENDER_NOT_LISTED)
SENDER_REVOKED = _refuse(Reason.SENDER_REVOKED, reply.SENDER_REVOKED)
SENDER_ADDRESS = _refuse(Reason.SENDER_ADDRESS_NOT_LISTED, reply.SENDER_ADDRESS_NOT_LISTED)
PEER_ANONYMOUS = _refuse(Reason.PEER_ANONYMOUS, reply.MUST_CERTIFY)
PEER_UNREADABLE = _refuse(Reason.PEER_UNREADABLE, reply.PEER_UNREADABLE)
PEER_NOT_ENTITLED = _refuse(Reason.PEER_NOT_ENTITLED, reply.PEER_NOT_ENTITLED)
LOGIN_NOT_SENDER = _refuse(Reason.LOGIN_NOT_SENDER, reply.SENDER_IS_NOT_YOU)
PIN_REQUIRED = _refuse(Reason.PIN_REQUIRED, reply.PIN_REQUIRED)
RECIPIENT_NOT_LISTED = _refuse(Reason.RECIPIENT_NOT_LISTED, reply.RECIPIENT_NOT_LISTED)
RECIPIENT_REVOKED = _refuse(Reason.RECIPIENT_REVOKED, reply.RECIPIENT_REVOKED)
RECIPIENT_ADDRESS = _refuse(Reason.RECIPIENT_ADDRESS_NOT_LISTED, reply.RECIPIENT_ADDRESS_NOT_LISTED)


class Case(msgspec.Struct, frozen=True, gc=False):
    """One question, with what the list says of either end looked up once.

    A ``Struct``, which is made and read in a third of the time: there is one a decision.
    """

    sender: Address | None
    recipient: Address
    peer: Peer
    listed: TrustList
    now: datetime
    theirs: Member | None  # the sender's
    ours: Member | None  # the recipient's
    certificate: Certificate | None  # the peer's, if it can be read, with the anchors it leads to
    standing: Standing  # what is known of that certificate


def ask(
    sender: Address | None, recipient: Address, peer: Peer, listed: TrustList, now: datetime
) -> Case:
    """Return the question, both ends looked up."""
    members, shown = listed.members, peer.certificate
    certificate, standing = (None, UNCHECKED) if shown is None else _met(shown, listed, now)
    return Case(
        sender,
        recipient,
        peer,
        listed,
        now,
        None if sender is None else members.get(domain_of(sender)),
        members.get(domain_of(recipient)),
        certificate,
        standing,
    )


def within(case: Case) -> bool:
    """Whether the message stays between our own mailboxes: that needs no list to be fresh."""
    ours = case.listed.ours
    return (
        case.sender is not None
        and domain_of(case.sender) in ours
        and domain_of(case.recipient) in ours
    )


def sender_denied(case: Case) -> Decision | None:
    """Whom we deny ourselves is denied, whatever any list says, and however old the lists are."""
    denied = case.listed.overlay.denied
    if not denied.any:
        return None
    who = [one for one in (case.sender, case.peer.login) if one is not None]
    alone = case.theirs is not None and denied.operated(case.theirs.marks)
    return SENDER_DENIED if alone or any(denied.whom(one) for one in who) else None


def peer_denied(case: Case) -> Decision | None:
    """The connection's certificate, or the operator it names, may be denied."""
    denied = case.listed.overlay.denied
    if not denied.any or case.certificate is None:
        return None
    return PEER_DENIED if denied.shown(case.certificate) else None


def sender_in_force(case: Case) -> Decision | None:
    """A list we cannot vouch for vouches for nobody. 4yz: it is our fault, so they retry."""
    objection = _stale(case.theirs, case.listed, case.now)
    return None if case.theirs is not None and within(case) else objection


def _stale(member: Member | None, listed: TrustList, now: datetime) -> Decision | None:
    # Whom no list names is judged by those that are fresh: one that went stale must not keep
    # every misspelt domain waiting. One that cannot be read at all may have named it.
    stale = listed.silent(now) if member is None else listed.stale_for(member, now)
    return LIST_STALE if stale else None


def sender_member(case: Case) -> Decision | None:
    """The sender's domain must be on the list; ``<>`` has none, its peer must answer for it."""
    if case.sender is None:
        return None
    if case.theirs is not None and case.theirs.status is Status.REVOKED:
        return SENDER_REVOKED
    if case.listed.overlay.waiting and _awaits(case.sender, case.theirs, case):
        return SENDER_AWAITS
    return SENDER_NOT_LISTED if case.theirs is None else None


def _awaits(who: Address, member: Member | None, case: Case) -> bool:
    """Whether a change that nobody has approved yet would add the domain, or take it away."""
    if domain_of(who) not in case.listed.overlay.waiting:
        return False
    return member is None or not within(case)


def peer_entitled(case: Case) -> Decision | None:
    """The log-in must be the sender; the certificate must speak for it, not merely be valid."""
    peer = case.peer
    if peer.login is not None:
        return _login_entitled(case, peer.login)
    if peer.certificate is None:
        return PEER_ANONYMOUS
    certificate = case.certificate
    if certificate is None:
        return PEER_UNREADABLE
    if case.sender is None:
        return _represents(case, certificate)
    if case.theirs is None or not case.theirs.entitles(certificate):
        return PEER_UNVOUCHED if _leads_nowhere_yet(case) else PEER_NOT_ENTITLED
    return None


def _leads_nowhere_yet(case: Case) -> bool:
    """Whether a member is known by an anchor, and nobody knows yet which ones this leads to."""
    member, standing = case.theirs, case.standing
    by_anchor = member is not None and any(one.way is Way.ANCHOR for one in member.identities)
    return by_anchor and standing.state is State.UNKNOWN and not standing.anchors


def peer_certified(case: Case) -> Decision | None:
    """The certificate must be in its dates, or bridged, and its authority must vouch for it.

    TLS looked at the dates at the handshake; the connection may be older than that, and while a
    bridge stands TLS does not look at all.
    """
    if case.certificate is None:
        return None
    doubt = case.listed.overlay.against(case.certificate, case.standing, case.now)
    if case.peer.login is not None:  # a person's mail waits here, not at the door
        return PEER_REVOKED if doubt is Doubt.REVOKED else None
    return None if doubt is None else _PEER_DOUBTED[doubt]


_PEER_DOUBTED = {
    Doubt.REVOKED: PEER_REVOKED,
    Doubt.OUT_OF_DATE: PEER_EXPIRED,
    Doubt.UNKNOWN: PEER_UNVOUCHED,
}
_NEXT_HOP_DOUBTED = {
    Doubt.REVOKED: NEXT_HOP_REVOKED,
    Doubt.OUT_OF_DATE: NEXT_HOP_EXPIRED,
    Doubt.UNKNOWN: NEXT_HOP_UNVOUCHED,
}


def _represents(case: Case, certificate: Certificate) -> Decision | None:
    """``<>`` may come from whoever speaks for some member that we do not deny."""
    listed, denied = case.listed, case.listed.overlay.denied
    members = [
        member
        for member in listed.represented(certificate)
        if member.status is not Status.REVOKED and member.domain not in denied.domains
    ]
    if not members:
        return PEER_NOT_ENTITLED
    return LIST_STALE if all(listed.stale_for(each, case.now) for each in members) else None


def _login_entitled(case: Case, login: Address) -> Decision | None:
    if case.sender is not None:
        return None if key(login) == key(case.sender) else LOGIN_NOT_SENDER
    member = case.listed.member(domain_of(login))
    revoked = member is None or member.status is Status.REVOKED
    return PEER_NOT_ENTITLED if revoked else None


def sender_address(case: Case) -> Decision | None:
    """A closed member has only its listed addresses; one with pins comes by no other certificate."""
    if case.sender is None or case.theirs is None:
        return None
    pins = case.listed.pins(case.sender, case.theirs)
    if pins is None:
        return None if case.theirs.open else SENDER_ADDRESS
    if not pins or case.peer.certificate is None:
        return None
    pinned = case.certificate is not None and case.certificate.spki_sha256 in pins
    return None if pinned else PIN_REQUIRED


def recipient_denied(case: Case) -> Decision | None:
    """Nobody of ours writes to whom we deny; asked once the peer has shown that it may ask."""
    denied = case.listed.overlay.denied
    if not denied.any:
        return None
    alone = case.ours is not None and denied.operated(case.ours.marks)
    return RECIPIENT_DENIED if alone or denied.whom(case.recipient) else None


def recipient_in_force(case: Case) -> Decision | None:
    """The list that names the recipient's domain must be one we can vouch for."""
    objection = _stale(case.ours, case.listed, case.now)
    return None if case.ours is not None and within(case) else objection


def recipient_member(case: Case) -> Decision | None:
    """The recipient's domain must be on the list."""
    if case.ours is not None and case.ours.status is Status.REVOKED:
        return RECIPIENT_REVOKED
    if case.listed.overlay.waiting and _awaits(case.recipient, case.ours, case):
        return RECIPIENT_AWAITS
    return RECIPIENT_NOT_LISTED if case.ours is None else None


def recipient_address(case: Case) -> Decision | None:
    """A closed member receives at its listed addresses only."""
    if case.ours is None or case.ours.open:
        return None
    return RECIPIENT_ADDRESS if case.listed.pins(case.recipient, case.ours) is None else None


def recipient_suspended(case: Case) -> Decision | None:
    """A suspension ends: what is meant for a suspended member waits, and expires if it must."""
    suspended = case.ours is not None and case.ours.status is Status.SUSPENDED
    return RECIPIENT_SUSPENDED if suspended else None


def sender_suspended(case: Case) -> Decision | None:
    """A suspended member's mail waits for a person: refusing it would lose clinical data."""
    suspended = case.theirs is not None and case.theirs.status is Status.SUSPENDED
    return HOLD if suspended else None


Step = Callable[[Case], Decision | None]

# Step 1 is whether there is a list at all. Cheapest and safest first: a peer that speaks for nobody
# learns nothing of who is listed.
STEPS: tuple[Step, ...] = (
    sender_denied,  # (2)
    peer_denied,
    sender_in_force,  # (3)
    sender_member,  # (4)
    peer_entitled,  # (5)
    peer_certified,  # (6)
    sender_address,  # (7)
    recipient_denied,  # (8)
    recipient_in_force,  # (9)
    recipient_member,  # (10)
    recipient_address,  # (11)
    recipient_suspended,  # (12)
    sender_suspended,  # (13)
)

# Most of the time nobody is denied, suspended or revoked, no list is old, no change waits and both
# ends are members: then the steps that could only say so are not even asked.
_IDLE = (
    frozenset({sender_denied, peer_denied, recipient_denied}),
    frozenset({sender_in_force, recipient_in_force}),
    frozenset({sender_suspended, recipient_suspended}),
    frozenset({sender_member, recipient_member}),
)


class _Walks(dict[tuple[bool, ...], tuple[Step, ...]]):
    """The steps to take, by (somebody is denied, a list is stale, not all are active, one is none)."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        for facts in product((False, True), repeat=len(_IDLE)):
            left_out = frozenset().union(
                *(group for group, so in zip(_IDLE, facts, strict=True) if not so)
            )
            self[facts] = tuple(step for step in steps if step not in left_out)

    def of(self, case: Case) -> tuple[Step, ...]:
        """Return those that this question needs."""
        listed = case.listed
        overlay, unsettled = listed.overlay, not listed.settled
        unknown = case.theirs is None or case.ours is None
        return self[
            overlay.denied.any,
            case.now >= listed.fresh_until,
            unsettled,
            unsettled or unknown or bool(overlay.waiting),
        ]


# Before each attempt the connection it came by is long gone: its proof stands from the 250. A
# suspended sender's mail was held then; once a person released it, it is not held again.
ATTEMPT_STEPS: tuple[Step, ...] = (
    sender_denied,
    recipient_denied,
    sender_in_force,
    recipient_in_force,
    sender_member,
    recipient_member,
    recipient_address,
    recipient_suspended,
)
_WALKS, _ATTEMPT_WALKS = _Walks(STEPS), _Walks(ATTEMPT_STEPS)
NOBODY = Peer(ip="")  # no connection at all


def decide(
    sender: Address | None,
    recipient: Address,
    peer: Peer,
    listed: TrustList | None,
    now: datetime,
) -> Decision:
    """Say what becomes of a message from this peer; asked at RCPT and again after DATA."""
    if listed is None:
        return LIST_MISSING
    asked = ask(sender, recipient, peer, listed, now)
    for step in _WALKS.of(asked):
        if (objection := step(asked)) is not None:
            return objection
    return ALLOW


def attempt(
    sender: Address | None, recipient: Address, listed: TrustList | None, now: datetime
) -> Decision:
    """Say whether a message that is ours may still go, as asked before each attempt."""
    if listed is None:
        return LIST_MISSING
    asked = ask(sender, recipient, NOBODY, listed, now)
    for step in _ATTEMPT_WALKS.of(asked):
        if (objection := step(asked)) is not None:
            return objection
    return ALLOW


def next_hop(
    recipient_domain: str, certificate: bytes, listed: TrustList | None, now: datetime
) -> Decision:
    """Say whether the server we reached may have the mail of this domain (its leaf, as DER).

    DNS may have led us astray, or a renewal is not yet on the list: wrong is never for ever. That
    the domain itself is denied was asked before (``attempt``).
    """
    if (objection := postponed(recipient_domain, listed, now)) is not None or listed is None:
        return objection or LIST_MISSING
    member = listed.member(recipient_domain)
    if member is None:
        return RECIPIENT_NOT_LISTED
    if member.status is Status.REVOKED:
        return RECIPIENT_REVOKED
    leaf, standing = _met(certificate, listed, now)
    if leaf is not None and listed.overlay.denied.shown(leaf):
        return NEXT_HOP_DENIED
    if leaf is None or not member.entitles(leaf):
        return NEXT_HOP_NOT_ENTITLED
    doubt = listed.overlay.against(leaf, standing, now)
    return ALLOW if doubt is None else _NEXT_HOP_DOUBTED[doubt]


def postponed(domain: str, listed: TrustList | None, now: datetime) -> Decision | None:
    """Say why nobody can be believed about a domain for now; None: the lists can be asked."""
    return LIST_MISSING if listed is None else _stale(listed.members.get(domain), listed, now)


def speaks_for(peer: Peer, domain: str, listed: TrustList | None, now: datetime) -> bool:
    """Whether this peer may write in the domain's name, or report on its deliveries."""
    if listed is None:
        return False
    member, denied = listed.member(domain), listed.overlay.denied
    if member is None or member.status is Status.REVOKED or domain in denied.domains:
        return False
    if listed.stale_for(member, now):
        return False
    if peer.login is not None:
        return domain_of(peer.login) == domain
    if peer.certificate is None:
        return False
    certificate, standing = _met(peer.certificate, listed, now)
    return (
        certificate is not None
        and not denied.shown(certificate)
        and member.entitles(certificate)
        and listed.overlay.against(certificate, standing, now) is None
    )


def speaks_as(peer: Peer, author: Address, listed: TrustList | None, now: datetime) -> bool:
    """Whether this peer may put the address into From or Sender: a pinned one needs its key."""
    if listed is None or not speaks_for(peer, domain_of(author), listed, now):
        return False
    case = ask(author, author, peer, listed, now)
    return sender_denied(case) is None and sender_address(case) is not PIN_REQUIRED


def reports_as(peer: Peer, author: Address, listed: TrustList | None, now: datetime) -> bool:
    """Whether this peer may put the address into From or Sender of a report.

    Also one below a domain that it speaks for: mail systems report in the name of the machine
    (MAILER-DAEMON@mx.chu.example). The nearest domain above that the list names decides, whole
    labels only. For reports alone, that answer what was given to this peer: HOUSE idea 1.
    """
    if listed is None:
        return False
    domain = domain_of(author)
    if listed.member(domain) is not None:
        return speaks_as(peer, author, listed, now)
    while domain := domain.partition(".")[2]:
        if listed.member(domain) is not None:
            return speaks_for(peer, domain, listed, now)
    return False


def _met(der: bytes, listed: TrustList, now: datetime) -> tuple[Certificate | None, Standing]:
    """Return a certificate and how it stands; with the anchors it leads to, which name some (Direct)."""
    certificate = _read(der)
    if certificate is None:
        return None, UNCHECKED
    standing = listed.overlay.certificates.of(certificate.fingerprint, now)
    if standing.anchors:
        certificate = _under(der, standing.anchors, standing.lent)
    return certificate, standing


@lru_cache(maxsize=4096)
def _under(der: bytes, anchors: frozenset[str], lent: bool) -> Certificate:  # noqa: FBT001
    return Certificate.parse(der).under(anchors, lent=lent)


@lru_cache(maxsize=4096)
def _read(der: bytes) -> Certificate | None:
    try:
        return Certificate.parse(der)
    except IdentityError:
        return None
