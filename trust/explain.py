"""The decision told to a person: what each step asked and what it found, in words.

It walks the same table as ``decide``, so it cannot come to another end. For operators' eyes: the
sentences name addresses and certificates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from smtp import address as addresses
from smtp.address import Address, domain_of
from smtp.envelope import Peer
from trust import decision
from trust.decision import NOBODY, Case, Decision, Reason, Step
from trust.errors import IdentityError
from trust.identity import Certificate
from trust.members import Member
from trust.overlay import Denials
from trust.sources import Edition, TrustList

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
    if listed is None:
        nothing = decision.LIST_MISSING
        return (Finding("list", nothing.action, _NO_LIST), _verdict(nothing))
    case = decision.ask(sender, recipient, peer or NOBODY, listed, now)
    findings = [Finding("list", PASSED, _list_words(listed, now))]
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


_NO_LIST = "No verified list is loaded."


def _list_words(listed: TrustList, now: datetime) -> str:
    editions = [_edition_words(edition, now) for edition in listed.editions]
    if len(editions) == 1:
        return f"One source is in force: {editions[0]}."
    return f"{len(editions)} sources are in force, the first counts most: {'; '.join(editions)}."


def _edition_words(edition: Edition, now: datetime) -> str:
    until = f"{edition.claims.stale_after:%F %T} UTC"
    good = f"stale since {until}" if edition.stale(now) else f"good until {until}"
    return f"{edition.source}, {edition.claims.name}, {good}"


def _missing(step: Step, case: Case) -> str | None:
    """Say why a step cannot be asked; None: it can."""
    if step in _OF_THE_SENDER and case.sender is None and case.peer is NOBODY:
        return "No sender was given."
    if step in _OF_THE_PEER and case.peer is NOBODY:
        return "No connection was given."
    if step is decision.peer_entitled and case.peer is NOBODY and case.theirs is not None:
        names = ", ".join(str(identity) for identity in case.theirs.identities)
        return f"No connection was given; {case.theirs.domain} may come with {names}."
    return None


_OF_THE_PEER = frozenset({decision.peer_denied, decision.peer_certified})
_OF_THE_SENDER = frozenset(
    {
        decision.sender_denied,
        decision.peer_denied,
        decision.sender_in_force,
        decision.sender_member,
        decision.peer_entitled,
        decision.peer_certified,
        decision.sender_address,
        decision.sender_suspended,
    }
)


def _member_words(member: Member | None, listed: TrustList) -> str:
    if member is None:
        return "The null sender <> is of no domain; its connection answers for it."
    kind = "open" if member.open else "closed"
    names = [edition.source for edition in listed.editions if member.domain in edition.members]
    beside = [name for name in names if name != member.source]
    others = f" ({', '.join(beside)} too, of lower rank: that does not count)" if beside else ""
    return f"{member.domain} is a member: {kind}, {member.status}; so says {member.source}{others}."


def _fresh_words(member: Member | None, case: Case) -> str:
    if decision.within(case):
        return "The message stays between our own mailboxes: that needs no fresh list."
    if member is None:
        return "At least one list is fresh."
    return f"The list that names {member.domain}: {_source_words(member, case)}."


def _source_words(member: Member, case: Case) -> str:
    edition = case.listed.edition(member.source)
    return "" if edition is None else _edition_words(edition, case.now)


def _stale_words(case: Case) -> str:
    if _eclipsed(case):
        return "A list that was in force cannot be read for now, and it may have named this domain."
    for member in (case.theirs, case.ours):
        if member is not None and case.listed.stale_for(member, case.now):
            return f"Too old to vouch for {member.domain}: {_source_words(member, case)}."
    return "Every list that could name it is too old to vouch for anybody."


def _eclipsed(case: Case) -> bool:
    ends = [(case.ours, True), (case.theirs, case.sender is not None)]
    eclipsed = case.listed.eclipsed
    return eclipsed is not None and any(
        asked and (member is None or member.source in eclipsed) for member, asked in ends
    )


def _denied_words(address: Address, member: Member | None, denied: Denials) -> str:
    if addresses.key(address) in denied.addresses:
        return f"We deny {address} here ourselves."
    if (domain := domain_of(address)) in denied.domains:
        return f"We deny the whole of {domain} here ourselves."
    names = ", ".join(str(identity) for identity in member.identities) if member else ""
    return f"We deny the only operators who speak for {domain} here ourselves: {names}."


def _address_words(address: Address | None, member: Member | None, listed: TrustList) -> str:
    if address is None or member is None:
        return "The null sender <> is no address."
    entry = listed.listed(address)
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


def _certified_words(case: Case) -> str:
    if case.peer.certificate is None:
        return "The connection shows no certificate."
    try:
        certificate = Certificate.parse(case.peer.certificate)
    except IdentityError:
        return "It cannot be read, and so vouches for nothing."
    bridge = case.listed.overlay.bridges.over(certificate, case.now)
    if bridge is not None:
        return (
            f"It expired on {certificate.not_after:%F}; the bridge of {bridge.asked_by} and "
            f"{bridge.confirmed_by} carries it until {bridge.ends:%F %T} UTC."
        )
    return f"It is in its dates, and not revoked{_standing_words(case)}."


def _standing_words(case: Case) -> str:
    certificate = Certificate.parse(case.peer.certificate or b"")
    standing = case.listed.overlay.certificates.of(certificate.fingerprint, case.now)
    said = [word for word in (standing.source.value.upper(), standing.why) if word != "NONE"]
    until = f", good until {standing.until:%F %T} UTC" if standing.until else ""
    return f" ({' '.join(filter(None, said))}{until})" if any(said) or until else ""


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


_NOT_DENIED = "No operator of ours has denied it."

# In the order of decision.STEPS; a test holds the two together.
_TOLD: dict[Step, tuple[str, Callable[[Case], str]]] = {
    decision.sender_denied: ("sender-denial", lambda _: _NOT_DENIED),
    decision.peer_denied: ("peer-denial", lambda _: _NOT_DENIED),
    decision.sender_in_force: ("sender-list", lambda case: _fresh_words(case.theirs, case)),
    decision.sender_member: (
        "sender-member",
        lambda case: _member_words(case.theirs, case.listed),
    ),
    decision.peer_entitled: ("peer-entitled", _peer_words),
    decision.peer_certified: ("peer-certified", _certified_words),
    decision.sender_address: (
        "sender-address",
        lambda case: _address_words(case.sender, case.theirs, case.listed),
    ),
    decision.recipient_denied: ("recipient-denial", lambda _: _NOT_DENIED),
    decision.recipient_in_force: ("recipient-list", lambda case: _fresh_words(case.ours, case)),
    decision.recipient_member: (
        "recipient-member",
        lambda case: _member_words(case.ours, case.listed),
    ),
    decision.recipient_address: (
        "recipient-address",
        lambda case: _address_words(case.recipient, case.ours, case.listed),
    ),
    decision.recipient_suspended: ("recipient-suspended", _recipient("{1} is not suspended.")),
    decision.sender_suspended: ("sender-suspended", _sender("The sender is not suspended.")),
}

_WAITS = "A change that awaits approval would add {1}, take it away or alter who speaks for it."

_OBJECTIONS: dict[Reason, Callable[[Case], str]] = {
    Reason.LIST_STALE: _stale_words,
    Reason.SENDER_DENIED: lambda case: _denied_words(
        case.sender or case.peer.login or case.recipient, case.theirs, case.listed.overlay.denied
    ),
    Reason.SENDER_NOT_LISTED: _sender("{1} is no member."),
    Reason.SENDER_REVOKED: _sender("{1} was a member and is revoked."),
    Reason.SENDER_AWAITS_APPROVAL: _sender(_WAITS),
    Reason.SENDER_ADDRESS_NOT_LISTED: _sender("{1} is closed, and {0} is not listed in it."),
    Reason.SENDER_SUSPENDED: _sender("{1} is suspended: its mail waits for a person."),
    Reason.PEER_DENIED: lambda case: (
        f"{_certificate_words(case.peer)} is denied here by ourselves."
    ),
    Reason.PEER_ANONYMOUS: lambda _: "The connection has neither a log-in nor a certificate.",
    Reason.PEER_UNREADABLE: lambda _: "The connection's certificate cannot be read.",
    Reason.PEER_NOT_ENTITLED: _not_entitled,
    Reason.PEER_EXPIRED: lambda case: f"{_certificate_words(case.peer)} is outside its dates.",
    Reason.PEER_CERTIFICATE_REVOKED: lambda case: (
        f"{_certificate_words(case.peer)} is revoked{_standing_words(case)}."
    ),
    Reason.PEER_CERTIFICATE_UNKNOWN: lambda case: (
        f"Nobody vouches for it now{_standing_words(case)}. {_certificate_words(case.peer)} came."
    ),
    Reason.LOGIN_NOT_SENDER: lambda case: f"Logged in as {case.peer.login}, not as the sender.",
    Reason.PIN_REQUIRED: lambda case: (
        f"{case.sender} is pinned to other certificates. {_certificate_words(case.peer)} came."
    ),
    Reason.RECIPIENT_DENIED: lambda case: _denied_words(
        case.recipient, case.ours, case.listed.overlay.denied
    ),
    Reason.RECIPIENT_NOT_LISTED: _recipient("{1} is no member."),
    Reason.RECIPIENT_REVOKED: _recipient("{1} was a member and is revoked."),
    Reason.RECIPIENT_AWAITS_APPROVAL: _recipient(_WAITS),
    Reason.RECIPIENT_ADDRESS_NOT_LISTED: _recipient("{1} is closed, and {0} is not listed in it."),
    Reason.RECIPIENT_SUSPENDED: _recipient("{1} is suspended: mail for it waits."),
}
