"""The native list: canonical JSON, so that one list has one spelling and one hash.

``read`` gives what a list claims, ``parse`` what verified bytes do, ``serialise`` the bytes,
``draft`` the next version from an author's own writing. Reading is strict in one stroke: what was
read is written again, and any difference refuses the list. That leaves no second spelling: no
repeated, missing or unsorted key, no space, no float, nothing after the end. Specified in
docs/trust-list.md; RFC 8785 says the same for the values that occur here.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from smtp.address import Address, key
from trust.addresses import Addresses, Kind, Listed
from trust.apart import apart_from_thread
from trust.book import Buffer
from trust.errors import IdentityError, ListError
from trust.identity import Identity, Way
from trust.members import Claims, Host, Member, Status
from trust.pace import unhurried
from trust.signatures.quorum import Quorum, sift, verify
from trust.signatures.verified import Content, Verified
from trust.verification import Offer

_Read = TypeVar("_Read")

FORMAT = "sceau-trust-list-v1"
LIMIT = 256 << 20  # octets: twice a list of a million addresses
LARGE = 4 << 20  # octets of addresses from which on another process reads them

# The fields of each object stand in the order in which they are written: sorted. The defaults are
# for drafts; in a list no field may be left out.


class _Host(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: str
    port: int | None = None


class _Address(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    address: str
    holder: str = ""
    kind: Kind
    pins: list[str] = []


class _Member(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    domain: str
    hosts: list[_Host] = []
    identities: list[dict[Way, str]]
    open: bool = True
    status: Status = Status.ACTIVE


class _List(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    addresses: list[_Address] = []
    format: str = FORMAT
    issued: datetime | None = None
    members: list[_Member]
    previous: str | None = None
    stale_after: datetime | None = None
    version: int = 1


_decoder = msgspec.json.Decoder(_List)
_encoder = msgspec.json.Encoder()
_addresses_decoder = msgspec.json.Decoder(list[_Address])
_members_decoder = msgspec.json.Decoder(list[_Member])


@dataclass(frozen=True, slots=True)
class Source:
    """The native format with the signers that are pinned for it."""

    quorum: Quorum

    def verify(self, offer: Offer, now: datetime) -> Verified:
        """Return the list as signed by enough of them; its form is judged by ``read``."""
        return verify(offer.content, offer.signatures, self.quorum, now)

    def read(self, verified: Verified, arrived: datetime) -> Claims:
        """Return what these bytes claim; many addresses are read by another process.

        Called in a thread: a million addresses there would hold Python's one lock for seconds, and
        ten thousand members, read in one stroke, for a tenth of one.
        """
        if len(verified.content) > _PIECE:
            return _read_in_pieces(verified.content)
        return parse(verified, arrived)

    def sift(
        self, content: Content, envelopes: Iterable[bytes]
    ) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Return the signatures that each add a signer, and a few others."""
        return sift(content, envelopes, self.quorum)


def parse(verified: Verified, arrived: datetime) -> Claims:
    """Return what these verified bytes claim; raise ``ListError`` if they are no list."""
    del arrived  # a native list dates itself
    return read(bytes(verified.content))


def read(content: bytes, *, limit: int = LIMIT) -> Claims:
    """Return what these bytes claim; raise ``ListError`` unless they are a list's one spelling."""
    if len(content) > limit:
        raise ListError(f"the list is larger than {limit} octets")
    claims = _claims(_decode(content, _decoder))
    if (canonical := serialise(claims)) != content:
        at = _differs(canonical, content)
        raise ListError(f"the list is not in its canonical form, from octet {at + 1} on")
    return claims


_HEAD, _TAIL = b'{"addresses":[', b'],"format":"'
_MEMBERS, _LAST = b',"members":[', b'],"previous":'
_ADDRESS, _MEMBER = b'},{"address":"', b'},{"domain":"'  # between two of them, and in no string
_PIECE = 64 << 10  # octets read at once: Python's one lock is held meanwhile
_FEW = 4 << 10  # octets of members, after which others have their turn


def _read_in_pieces(content: Content) -> Claims:
    """Read a list piece by piece, many addresses apart; the same as ``read``, otherwise."""
    # Looked for from the end, and in no string: its quotes would be escaped.
    end = content.rfind(_TAIL)
    members, last = content.find(_MEMBERS, max(end, 0)), content.rfind(_LAST)
    framed = content[: len(_HEAD)] == _HEAD and 0 <= end < members < last
    if len(content) > LIMIT or not framed:
        return read(bytes(content), limit=LIMIT)
    frame = _HEAD + content[end : members + len(_MEMBERS)] + content[last:]
    raw = _decode(frame, _decoder)
    if _encoder.encode(raw) != frame:
        raise ListError("the list is not in its canonical form")
    with memoryview(content) as view:
        found = tuple(unhurried(_read_members(bytes(view[members + len(_MEMBERS) : last]))))
        written = view[len(_HEAD) : end]
        return _claimed(raw, found, _packed(written))


def _packed(written: memoryview) -> Addresses:
    if len(written) > LARGE:
        return Addresses(apart_from_thread(pack_addresses, written))
    return Addresses.of(_read_addresses(bytes(written)))


def pack_addresses(written: Buffer) -> bytes:
    """Return the packed ``Addresses`` of a list's array of them, without its brackets."""
    return bytes(Addresses.of(_read_addresses(bytes(written))).packed)


def _pieces(written: bytes, between: bytes, size: int) -> Iterator[bytes]:
    """Cut what an array holds into short arrays."""
    start = 0
    while start < len(written):
        cut = written.find(between, start + size)
        end = len(written) if cut < 0 else cut + 1
        yield b"[%b]" % written[start:end]
        start = end + 1


def _read_addresses(written: bytes) -> Iterator[Listed]:
    """Yield the addresses; raise ``ListError`` where they are not in their one spelling and order."""
    before = ""
    for piece in _pieces(written, _ADDRESS, _PIECE):
        found = _decode(piece, _addresses_decoder)
        if _encoder.encode(found) != piece:
            raise ListError("the list's addresses are not in their canonical form")
        for raw in found:
            yield (listed := _read_address(raw))
            if raw.pins != sorted(listed.pins) or before >= (before := _address_key(listed)):
                raise ListError("the list's addresses are not in their order")


def _read_members(written: bytes) -> Iterator[Member]:
    """Yield the members; raise ``ListError`` where they are not in their one spelling and order."""
    before = ""
    for piece in _pieces(written, _MEMBER, _FEW):
        found = [_read_member(raw) for raw in _decode(piece, _members_decoder)]
        if _encoder.encode([_member(each) for each in found]) != piece:
            raise ListError("the list's members are not in their canonical form")
        for member in found:
            yield member
            if before >= (before := member.domain):
                raise ListError("the list's members are not in their order")


def draft(
    content: bytes, *, issued: datetime, life: timedelta, before: bytes | None = None
) -> Claims:
    """Return the next version as its author wrote it: in any layout, what is usual left out.

    Version, dates and the hash of the version before are not the author's: they are set here,
    whatever the draft says, so that a copy of the last list can be edited.
    """
    raw = _decode(content, _decoder)
    raw.version, raw.previous = 1, None
    if before is not None:
        raw.version, raw.previous = (read(before).version or 0) + 1, digest(before)
    raw.issued = issued.replace(microsecond=0)
    raw.stale_after = raw.issued + life
    return _claims(raw)


def serialise(claims: Claims) -> bytes:
    """Return the one spelling of a list."""
    return _encoder.encode(
        _List(
            addresses=[_address(a) for a in sorted(claims.addresses, key=_address_key)],
            format=FORMAT,
            issued=claims.issued,
            members=[_member(m) for m in sorted(claims.members, key=lambda m: m.domain)],
            previous=claims.previous,
            stale_after=claims.stale_after,
            version=claims.version or 0,
        )
    )


def digest(content: Content) -> str:
    """Return the hash by which the next version names this one."""
    return hashlib.sha256(content).hexdigest()


def _address_key(listed: Listed) -> str:
    return key(listed.address)


def _address(listed: Listed) -> _Address:
    return _Address(
        address=listed.address,
        holder=listed.holder,
        kind=listed.kind,
        pins=sorted(listed.pins),
    )


def _member(member: Member) -> _Member:
    return _Member(
        domain=member.domain,
        hosts=[_Host(name=host.name, port=host.port) for host in member.hosts],
        identities=[{identity.way: identity.text} for identity in member.identities],
        open=member.open,
        status=member.status,
    )


def _decode(content: bytes, decoder: msgspec.json.Decoder[_Read]) -> _Read:
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ListError(f"the list does not follow its format: {error}") from None


def _claims(raw: _List) -> Claims:
    members = tuple(_read_member(member) for member in raw.members)
    return _claimed(raw, members, Addresses.of(_read_address(each) for each in raw.addresses))


def _claimed(raw: _List, members: tuple[Member, ...], addresses: Addresses) -> Claims:
    if raw.format != FORMAT:
        raise ListError(f"the list's format is not {FORMAT}")
    if raw.issued is None or raw.stale_after is None:
        raise ListError("the list has no dates")
    try:
        return Claims(
            version=raw.version,
            issued=raw.issued,
            stale_after=raw.stale_after,
            previous=raw.previous,
            members=members,
            addresses=addresses,
        )
    except IdentityError as error:
        raise ListError(str(error)) from None


def _read_address(raw: _Address) -> Listed:
    try:
        return Listed(Address(raw.address), raw.kind, raw.holder, frozenset(raw.pins))
    except IdentityError as error:
        raise ListError(str(error)) from None


def _read_member(raw: _Member) -> Member:
    if any(len(identity) != 1 or Way.ANCHOR in identity for identity in raw.identities):
        raise ListError(f"{raw.domain} has an identity that is not exactly one of dn, spki, san")
    try:
        return Member(
            domain=raw.domain,
            identities=tuple(Identity(*pair) for each in raw.identities for pair in each.items()),
            hosts=tuple(Host(host.name, host.port) for host in raw.hosts),
            open=raw.open,
            status=raw.status,
        )
    except IdentityError as error:
        raise ListError(str(error)) from None


def _differs(one: bytes, other: bytes) -> int:
    """Return where two byte strings part."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
