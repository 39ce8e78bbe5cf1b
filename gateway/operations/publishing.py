"""Publishing a list for other gateways: a folder with the current version, and its whole trail.

Needs no gateway: an authority may have none, and any web server can offer the folder.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from gateway.operations.error import OperationError
from trust import published
from trust.errors import TrustError
from trust.published import CURRENT, INDEX, INDEX_LIMIT, SIGNED, Find, Index, TrailError, Version
from trust.signatures.gathering import gathered
from trust.signatures.quorum import Quorum, sift, verify
from vault import files


def publish(
    file: Path, envelopes: Sequence[Path], to: Path, quorum: Quorum, now: datetime
) -> dict[str, object]:
    """Put a signed version where others fetch it; refuse what they would refuse."""
    content = file.read_bytes()
    try:
        given = [path.read_bytes() for path in envelopes]
        verify(content, given, quorum, now)  # says of each that does not count why not
        useful, _ = sift(content, given, quorum)
        signed = gathered(useful)
        after = published.extended(index_of(to), Version(content, (signed,)), quorum, now)
    except TrustError as error:
        raise OperationError(
            f"{file} was not published: {error}", "nothing changed; docs/publishing.md says why"
        ) from None
    last = after.versions[-1]
    try:
        _write(to, last.version, content, signed, published.write_index(after))
    except OSError as error:
        raise OperationError(
            f"{to} cannot be written: {error.strerror}",
            "mend it and publish once more: that is safe",
        ) from None
    return {
        "folder": str(to),
        "version": last.version,
        "digest": last.digest,
        "versions": len(after.versions),
    }


def history(find: Find, quorum: Quorum, known: Iterable[Path]) -> dict[str, object]:
    """Walk a published history from its first version to its last."""
    try:
        steps = published.walk(find, quorum, (path.read_bytes() for path in known))
    except TrustError as error:
        raise OperationError(
            f"the history is not to be believed: {error}",
            "ask the authority, by another way than its web address",
        ) from None
    return {
        "versions": len(steps),
        "first": steps[0].version,
        "last": steps[-1].version,
        "issued": steps[-1].issued.isoformat(),
        "digest": steps[-1].digest,
    }


def within(folder: Path) -> Find:
    """Return how the files of a folder are found."""

    def find(name: str) -> bytes:
        try:
            return (folder / name).read_bytes()
        except OSError as error:
            raise TrailError(f"{folder / name} cannot be read: {error.strerror}") from None

    return find


def index_of(folder: Path) -> Index | None:
    """Return the index of a folder; nothing is published in one that has none."""
    path = folder / INDEX
    if not path.exists():
        return None
    if path.stat().st_size > INDEX_LIMIT:
        raise TrailError(f"{path} is too large to be an index")
    return published.read_index(within(folder)(INDEX))


def _write(to: Path, version: int, content: bytes, signed: bytes, index: bytes) -> None:
    """Write the version, then the index that names it, then what says which is current.

    A crash in between leaves what was current in force, and publishing once more mends it.
    """
    place = to / published.path_of(version)
    place.parent.mkdir(parents=True, exist_ok=True)
    for path, octets in (
        (place, content),
        (place.with_name(place.name + SIGNED), signed),
        (to / INDEX, index),
        (to / (CURRENT + SIGNED), signed),
        (to / CURRENT, content),
    ):
        files.replace(path, octets)
        path.chmod(0o644)  # published: whatever serves the folder may read it
