"""``sceau trust show``, ``import`` and ``explain``: what is believed, and why somebody is, or is not."""

from bisect import bisect_right
from typing import Any

from gateway.operations.denials import Denied, Kind
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.trust_denial import why
from gateway.operations.words import address, told
from smtp.address import Address, domain_of, key
from smtp.envelope import Peer
from trust.change import operators
from trust.errors import IdentityError
from trust.explain import explain as steps
from trust.identity import Certificate
from trust.members import Member
from trust.sources import TrustList
from trust.verification import Offer
from trust.watch import SourceStanding

_MANY = 10_000  # members in one answer
_ADDRESSES = 1000  # of one member in one answer


async def show(
    rooms: Rooms,
    *,
    domain: str | None = None,
    source: str | None = None,
    search: str = "",
    after: str = "",
    limit: int = 50,
) -> object:
    """Return how each source stands, and a page of the members; or one member with its addresses.

    ``search``: only members of whose domain, or of one of whose identities, it is a piece.
    """
    standing = rooms.keeper.standing()
    sources = [
        _source(rank, each)
        for rank, each in enumerate(standing.sources, 1)
        if source in {None, each.name}
    ]
    if not sources:
        raise OperationError(f"no source is called {source}", "see sceau trust show")
    listed = standing.listed
    if domain is not None:
        return _one(listed, domain.lower())
    members = [m for m in listed.members.values() if source in {None, m.source}] if listed else []
    if piece := search.strip().lower():
        members = [member for member in members if _holds(member, piece)]
    members.sort(key=lambda member: member.domain)
    start = bisect_right(members, after.lower(), key=lambda member: member.domain)
    page = members[start : start + max(0, min(limit, _MANY))]
    overlay = rooms.keeper.overlay
    return {
        "stale": standing.stale,
        "sources": sources,
        "denied": sum(1 for one in rooms.denylist.all() if one.stands),
        "waiting": len(overlay.waiting),
        "bridges": len(overlay.bridges.all),
        "total": len(members),
        "members": [_member(member) for member in page],
        "next": page[-1].domain if page and start + len(page) < len(members) else None,
    }


def _holds(member: Member, piece: str) -> bool:
    return piece in member.domain or any(piece in str(one).lower() for one in member.identities)


def _source(rank: int, standing: SourceStanding) -> dict[str, Any]:
    edition, last, pending = standing.edition, standing.last, standing.pending
    claims = edition.claims if edition else None
    return {
        "rank": rank,
        "source": standing.name,
        "state": _state(standing),
        "version": claims.name if claims else None,
        "issued": told(claims.issued) if claims else None,
        "stale_after": told(claims.stale_after) if claims else None,
        "members": len(claims.members) if claims else 0,
        "addresses": len(claims.addresses) if claims else 0,
        "digest": edition.digest if edition else None,
        "signers": sorted(edition.signers) if edition else [],
        "remarks": len(claims.remarks) if claims else 0,
        "last": last.sentence if last else None,
        "looked": told(standing.looked),
        "well": told(standing.well),
        "useless_files": standing.useless,
        "pending": pending.digest if pending else None,
    }


def _state(standing: SourceStanding) -> str:
    """Return the one word for how a source stands; the gravest if there are several."""
    last = standing.last
    if last is not None and not last.good:
        return last.outcome.value
    if standing.edition is None:
        return "none"
    if standing.stale:
        return "stale"
    return standing.age.value if standing.age else "good"


def _one(listed: TrustList | None, domain: str) -> dict[str, Any]:
    member = listed.member(domain) if listed else None
    if listed is None or member is None:
        raise OperationError(f"{domain} is not on the list", "see sceau trust show")
    edition = listed.edition(member.source)
    found = list(edition.claims.addresses.within(domain)) if edition else []
    return {
        **_member(member),
        "named_by": [each.source for each in listed.editions if domain in each.members],
        "listed": len(found),
        "addresses": [each.address for each in found[:_ADDRESSES] if not each.hidden],
    }


def _member(member: Member) -> dict[str, Any]:
    hosts = [f"{each.name}:{each.port}" if each.port else each.name for each in member.hosts]
    return {
        "domain": member.domain,
        "source": member.source,
        "open": member.open,
        "status": member.status.value,
        "hosts": hosts,
        "operators": list(operators(member.identities)),
        "identities": [str(each) for each in member.identities],
    }


async def import_(
    rooms: Rooms, *, octets: bytes, signatures: list[bytes], source: str | None = None
) -> object:
    """Verify a version of a source, and put it in force if no operator wants to be asked first."""
    names = [each.name for each in rooms.keeper.standing().sources]
    name = source or names[0]
    if name not in names:
        raise OperationError(f"no source is called {name}", f"there are: {', '.join(names)}")
    arrival = await rooms.keeper.offer(name, Offer(octets, tuple(signatures)))
    waits = any(pending.digest == arrival.digest for pending in rooms.keeper.pending)
    if not arrival.good and not waits:
        raise OperationError(
            f"the list was not put in force ({arrival.outcome}): {arrival.sentence}",
            "the list in force stays; docs/trust-list.md says what each outcome means",
        )
    rooms.wake()
    return {
        "source": name,
        "outcome": arrival.outcome.value,
        "sentence": arrival.sentence,
        "version": arrival.version,
        "digest": arrival.digest,
    }


async def explain(
    rooms: Rooms,
    *,
    recipient: str,
    sender: str | None = None,
    certificate: bytes | None = None,
) -> object:
    """Say step by step whether a message would pass; without a certificate, as if logged in."""
    who, to = (address(sender) if sender else None), address(recipient)
    peer = None
    if certificate:
        peer = Peer(ip="", certificate=certificate)
    elif who is not None:
        peer = Peer(ip="", login=who)
    findings = steps(to, rooms.keeper.current, rooms.clock(), sender=who, peer=peer)
    reasons = {
        "sender-denial": _whys(rooms, who),
        "recipient-denial": _whys(rooms, to),
        "peer-denial": _peer_whys(rooms, certificate),
    }
    said = [
        (each, reasons.get(each.step, []) if each.outcome == "refuse" else []) for each in findings
    ]
    return [
        {
            "step": each.step,
            "outcome": each.outcome,
            "sentence": " ".join([each.sentence, *whys]),
            "french": " ".join([each.french, *whys]),
        }
        for each, whys in said
    ]


def _whys(rooms: Rooms, who: Address | None) -> list[str]:
    """Return why an operator denied an address, its domain, or all who speak for it."""
    if who is None:
        return []
    listed = rooms.keeper.current
    member = listed.member(domain_of(who)) if listed else None
    denied = [Denied(Kind.ADDRESS, key(who)), Denied(Kind.DOMAIN, domain_of(who))]
    denied += [Denied(Kind.OPERATOR, str(each)) for each in (member.identities if member else ())]
    return [found for one in denied if (found := why(rooms, one))]


def _peer_whys(rooms: Rooms, certificate: bytes | None) -> list[str]:
    try:
        shown = Certificate.parse(certificate or b"")
    except IdentityError:
        return []
    stands = [one for one in rooms.denylist.all() if one.stands]
    hit = [
        one.denied
        for one in stands
        if one.denied.what == shown.fingerprint or one.denied.meant in shown.marks
    ]
    return [why(rooms, one) for one in hit]
