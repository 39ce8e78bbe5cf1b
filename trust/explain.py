"""The decision told to a person: what each step asked and what it found, in words.

It walks the same table as ``decide``, so it cannot come to another end. For operators' eyes: the
sentences name addresses and certificates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from smtp.address import Address, domain_of
from smtp.envelope import Peer
from trust import decision
from trust.decision import NOBODY, Case, Decision, Reason, Step
from trust.errors import IdentityError
from trust.identity import Certificate
from trust.members import Member, TrustList

PASSED = "passed"
NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One step of the decision: its name, what came of it, the same in words."""

    step: str
    outcome: str  # passed, not-asked, or the action that ended it
    sentence: str


def explain(
    recipient: Address,
    listed: TrustList | None,
    now: datetime,
    *,
    sender: Address | None = None,
    peer: Peer | None = None,
) -> tuple[Finding, ...]:
    """Tell the decision step by step, and at last the verdict.

    Without a sender, or a peer, the steps that need one are not asked: *may anyone write there?*
    """
    objection = decision.in_force(listed, now)
    if objection is not None or listed is None:
        found = objection or decision.LIST_MISSING
        return (Finding("list", found.action, _list_words(listed)), _verdict(found))
    case = decision.ask(sender, recipient, peer or NOBODY, listed, now)
    findings = [Finding("list", PASSED, _list_words(listed))]
    for step, (name, passed) in _TOLD.items():
        if (missing := _missing(step, case)) is not None:
            findings.append(Finding(name, NOT_ASKED, missing))
        elif (objection := step(case)) is not None:
            words = _OBJECTIONS[objection.reason](case)
            return (*findings, Finding(name, objection.action, words), _verdict(objection))
        else:
            findings.append(Finding(name, PASSED, passed(case)))
    return (*findings, _verdict(decision.ALLOW))


def _verdict(found: Decision) -> Finding:
    return Finding("verdict", found.action, f"{found.reason}: {found.reply}")


def _list_words(listed: TrustList | None) -> str:
    if listed is None:
        return "No verified list is loaded."
    return f"Version {listed.version} of the list is good until {listed.stale_after:%F %T} UTC."


def _missing(step: Step, case: Case) -> str | None:
    """Say why a step cannot be asked; None: it can."""
    if step in _OF_THE_SENDER and case.sender is None and case.peer is NOBODY:
        return "No sender was given."
    if step is decision.peer_entitled and case.peer is NOBODY and case.theirs is not None:
        names = ", ".join(str(identity) for identity in case.theirs.identities)
        return f"No connection was given; {case.theirs.domain} may come with {names}."
    return None


_OF_THE_SENDER = frozenset(
    {
        decision.sender_member,
        decision.peer_entitled,
        decision.sender_address,
        decision.sender_suspended,
    }
)


def _member_words(member: Member | None) -> str:
    if member is None:
        return "The null sender <> is of no domain; its connection answers for it."
    kind = "open" if member.open else "closed"
    return f"{member.domain} is a member: {kind}, {member.status}."


def _address_words(address: Address | None, member: Member | None, listed: TrustList) -> str:
    if address is None or member is None:
        return "The null sender <> is no address."
    entry = listed.find(address)
    if entry is None:
        return f"{member.domain} is open: it vouches for all its addresses."
    held = f", held by {entry.holder}" if entry.holder else ""
    pinned = ", pinned to certain keys" if entry.pins else ""
    return f"{address} is listed: {entry.kind}{held}{pinned}."


def _peer_words(case: Case) -> str:
    if case.peer.login is not None:
        return f"Logged in as {case.peer.login}."
    return f"{_certificate_words(case.peer)} speaks for {_whom(case)}."


def _certificate_words(peer: Peer) -> str:
    try:
        certificate = Certificate.parse(peer.certificate or b"")
    except IdentityError:
        return "The connection's certificate"
    return f"The certificate {certificate.text} (public key {certificate.spki_sha256})"


def _whom(case: Case) -> str:
    return "a member" if case.sender is None else domain_of(case.sender)


def _not_entitled(case: Case) -> str:
    if case.peer.login is not None:
        return f"Logged in as {case.peer.login}, whose domain is no member."
    known = [str(identity) for identity in case.theirs.identities] if case.theirs else []
    named = f"; the list names {', '.join(known)}" if known else ""
    return f"{_certificate_words(case.peer)} does not speak for {_whom(case)}{named}."


def _sender(words: str) -> Callable[[Case], str]:
    return lambda case: words.format(case.sender, case.sender and domain_of(case.sender))


def _recipient(words: str) -> Callable[[Case], str]:
    return lambda case: words.format(case.recipient, domain_of(case.recipient))


# In the order of decision.STEPS; a test holds the two together.
_TOLD: dict[Step, tuple[str, Callable[[Case], str]]] = {
    decision.sender_member: ("sender-member", lambda case: _member_words(case.theirs)),
    decision.peer_entitled: ("peer-entitled", _peer_words),
    decision.sender_address: (
        "sender-address",
        lambda case: _address_words(case.sender, case.theirs, case.listed),
    ),
    decision.recipient_member: ("recipient-member", lambda case: _member_words(case.ours)),
    decision.recipient_address: (
        "recipient-address",
        lambda case: _address_words(case.recipient, case.ours, case.listed),
    ),
    decision.recipient_suspended: ("recipient-suspended", _recipient("{1} is not suspended.")),
    decision.sender_suspended: ("sender-suspended", _sender("The sender is not suspended.")),
}

_OBJECTIONS: dict[Reason, Callable[[Case], str]] = {
    Reason.SENDER_NOT_LISTED: _sender("{1} is no member."),
    Reason.SENDER_REVOKED: _sender("{1} was a member and is revoked."),
    Reason.SENDER_ADDRESS_NOT_LISTED: _sender("{1} is closed, and {0} is not listed in it."),
    Reason.SENDER_SUSPENDED: _sender("{1} is suspended: its mail waits for a person."),
    Reason.PEER_ANONYMOUS: lambda _: "The connection has neither a log-in nor a certificate.",
    Reason.PEER_UNREADABLE: lambda _: "The connection's certificate cannot be read.",
    Reason.PEER_NOT_ENTITLED: _not_entitled,
    Reason.PEER_EXPIRED: lambda case: f"{_certificate_words(case.peer)} is outside its dates.",
    Reason.LOGIN_NOT_SENDER: lambda case: f"Logged in as {case.peer.login}, not as the sender.",
    Reason.PIN_REQUIRED: lambda case: (
        f"{case.sender} is pinned to other certificates. {_certificate_words(case.peer)} came."
    ),
    Reason.RECIPIENT_NOT_LISTED: _recipient("{1} is no member."),
    Reason.RECIPIENT_REVOKED: _recipient("{1} was a member and is revoked."),
    Reason.RECIPIENT_ADDRESS_NOT_LISTED: _recipient("{1} is closed, and {0} is not listed in it."),
    Reason.RECIPIENT_SUSPENDED: _recipient("{1} is suspended: mail for it waits."),
}
