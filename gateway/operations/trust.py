"""The verbs of ``sceau trust`` that need the list in force."""

from typing import Any

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import address, told
from smtp.envelope import Peer
from trust.explain import explain as steps
from trust.members import Member
from trust.sources import TrustList


async def show(rooms: Rooms, *, domain: str | None = None) -> object:
    """Return the list in force: all members, or one with its addresses."""
    standing = rooms.keeper.standing()
    listed = standing.listed
    if listed is None:
        why = standing.last.sentence if standing.last else "none was ever imported"
        raise OperationError(
            f"no trust list is in force: {why}", "sceau trust import LIST SIGNATURE..."
        )
    members = [
        _member(listed, member)
        for member in listed.members.values()
        if domain is None or member.domain == domain.lower()
    ]
    if domain is not None and not members:
        raise OperationError(f"{domain} is not on the list", "see sceau trust show")
    first = listed.editions[0]
    return {
        "version": first.claims.version,
        "issued": told(first.claims.issued),
        "stale_after": told(first.claims.stale_after),
        "stale": standing.stale,
        "digest": first.digest,
        "signers": sorted(first.signers),
        "last": standing.last.sentence if standing.last else None,
        "looked": told(standing.looked),
        "useless_files": standing.useless,
        "members": members,
    }


async def import_(rooms: Rooms, *, octets: bytes, signatures: list[bytes]) -> object:
    """Verify a version and put it in force."""
    arrival = await rooms.keeper.offer(octets, signatures)
    if not arrival.good:
        raise OperationError(
            f"the list was not put in force ({arrival.outcome}): {arrival.sentence}",
            "the list in force stays; docs/trust-list.md says what each outcome means",
        )
    listed = rooms.keeper.current
    return {
        "outcome": arrival.outcome.value,
        "sentence": arrival.sentence,
        "version": arrival.version,
        "digest": listed.editions[0].digest if listed else None,
    }


async def explain(
    rooms: Rooms,
    *,
    recipient: str,
    sender: str | None = None,
    certificate: bytes | None = None,
) -> object:
    """Say step by step whether a message would pass; without a certificate, as if logged in."""
    who = address(sender) if sender else None
    peer = None
    if certificate:
        peer = Peer(ip="", certificate=certificate)
    elif who is not None:
        peer = Peer(ip="", login=who)
    findings = steps(address(recipient), rooms.keeper.current, rooms.clock(), sender=who, peer=peer)
    return [
        {"step": each.step, "outcome": each.outcome, "sentence": each.sentence} for each in findings
    ]


def _member(listed: TrustList, member: Member) -> dict[str, Any]:
    hosts = [f"{each.name}:{each.port}" if each.port else each.name for each in member.hosts]
    edition = listed.edition(member.source)
    addresses = edition.claims.addresses.within(member.domain) if edition else ()
    return {
        "domain": member.domain,
        "open": member.open,
        "status": member.status.value,
        "hosts": hosts,
        "identities": [f"{each.way}:{each.text}" for each in member.identities],
        "addresses": [each.address for each in addresses],
    }
