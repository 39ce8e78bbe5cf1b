"""The trail of a published list: every version by its number, each carrying the hash of the one before.

An authority publishes a folder; anybody can walk it. The index only says what there is: nothing in
it is believed, for each version is signed, names its own number and the hash of its predecessor, and
its bytes are what they hash to. So a version can be neither altered nor left out nor put in between,
and two who hold the same last version hold the same history. docs/publishing.md, R-C4.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from trust.errors import ListError, SignatureError, TrustError
from trust.formats import native
from trust.members import Claims
from trust.signatures.quorum import Quorum, verify

FORMAT = "sceau-trust-trail-v1"
INDEX_LIMIT = 16 << 20  # octets: a version a day for centuries
CURRENT, INDEX, SIGNED = "list.json", "index.json", ".p7s"


class TrailError(TrustError):
    """A history that does not hold together; the message says where it breaks."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version, as the index names it."""

    version: int
    digest: str
    issued: Annotated[datetime, msgspec.Meta(tz=True)]
    previous: str | None


class Index(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The index: the versions from the first published to the last."""

    versions: tuple[Step, ...]
    format: str = FORMAT


@dataclass(frozen=True, slots=True)
class Version:
    """A version's bytes, with the signatures that lie beside it."""

    content: bytes
    signatures: tuple[bytes, ...]


Find = Callable[[str], bytes]  # a file of the folder; raises ``TrailError`` if it is not there


def path_of(version: int) -> str:
    """Return where a version lies in the folder."""
    return f"versions/{version}.json"


def read_index(octets: bytes) -> Index:
    """Read an index; raise ``TrailError`` unless its steps follow each other."""
    try:
        index = _DECODER.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TrailError(f"the index does not follow its format: {error}") from None
    if index.format != FORMAT or not index.versions:
        raise TrailError(f"the index is none of format {FORMAT}, or is empty")
    for before, after in zip(index.versions, index.versions[1:], strict=False):
        _check_follows(before, after)
    return index


def write_index(index: Index) -> bytes:
    """Write an index, a version a line."""
    return msgspec.json.format(msgspec.json.encode(index), indent=1) + b"\n"


def extended(index: Index | None, version: Version, quorum: Quorum, now: datetime) -> Index:
    """Return the index with one version more; raise ``TrailError`` if it must not be published.

    Publishing the last version once more changes nothing.
    """
    step, claims = _verified(version, quorum, now)
    if index is not None and step == index.versions[-1]:
        return index
    if claims.stale_after <= now:
        raise TrailError(f"version {step.version} is stale already: draft and sign it anew")
    if index is None:
        return Index((step,))
    _check_follows(index.versions[-1], step)
    return Index((*index.versions, step))


def walk(find: Find, quorum: Quorum, known: Iterable[bytes] = ()) -> tuple[Step, ...]:
    """Walk a whole history; return its steps, or raise ``TrailError`` where it breaks.

    ``known`` are versions that somebody holds already: each must be in the history, byte for byte,
    or the history was cut short or written anew. Each version is judged at its own date: a key that
    has expired since signed it well.
    """
    index = read_index(find(INDEX))
    steps = index.versions
    for step in steps:
        place = path_of(step.version)
        version = Version(find(place), (find(place + SIGNED),))
        found, _ = _verified(version, quorum, step.issued)
        if found != step:
            raise TrailError(f"{place} is not what the index says")
    if native.digest(find(CURRENT)) != steps[-1].digest:
        raise TrailError(f"{CURRENT} is not the last version of the index, {steps[-1].version}")
    digests = {step.digest for step in steps}
    for content in known:
        if native.digest(content) not in digests:
            raise TrailError(
                f"version {native.read(content).version}, which you hold, is not in this history:"
                " it was cut short or written anew"
            )
    return steps


def _verified(version: Version, quorum: Quorum, at: datetime) -> tuple[Step, Claims]:
    digest = native.digest(version.content)
    try:
        verified = verify(version.content, version.signatures, quorum, at)
        claims = native.read(bytes(verified.content))
    except (SignatureError, ListError) as error:
        raise TrailError(f"the list {digest[:12]} is not to be believed: {error}") from None
    assert claims.version is not None  # the native format has no list without
    return Step(claims.version, digest, claims.issued, claims.previous), claims


def _check_follows(before: Step, after: Step) -> None:
    if after.version == before.version and after.digest != before.digest:
        raise TrailError(f"another list than ours is signed as version {after.version}")
    if after.version != before.version + 1:
        raise TrailError(f"version {after.version} does not come after version {before.version}")
    if after.previous != before.digest:
        raise TrailError(f"version {after.version} does not name version {before.version} as ours")
    if after.issued < before.issued:
        raise TrailError(f"version {after.version} is dated before version {before.version}")


_DECODER = msgspec.json.Decoder(Index)
