"""The directories beside the lists, made of what the settings say: origins, formats, keys."""

from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.observe.notes import Notes
from gateway.operations.error import OperationError
from gateway.running import checks
from gateway.settings.directories import DirectorySource
from gateway.settings.trust import Trust
from trust.directories import Directories, DirectoryStore, Look, Origin, Source
from trust.fetching import Fetch
from trust.formats import annuaire
from trust.keeper import Keeper
from trust.origins import Api, Extraction
from trust.places import Dropped, Web


def directories(
    trust: Trust,
    store: DirectoryStore,
    clock: Callable[[], datetime],
    keeper: Keeper,
    *,
    notes: Notes,
    fetch: Fetch,
) -> Directories:
    """Return the directories that the settings name, standing beside the keeper's list."""

    def tell(look: Look) -> None:
        facts = {"source": look.source, "reason": look.sentence}
        notes.tell(f"directory.{look.outcome}", facts)

    sources = [
        Source(named.name, _origin(named, fetch), named.poll, timedelta(seconds=named.max_age))
        for named in trust.directory
    ]
    return Directories(sources, store, clock, beside=keeper.beside, tell=tell)


def _origin(named: DirectorySource, fetch: Fetch) -> Origin:
    if named.file is not None:
        return Extraction(Dropped(named.file, annuaire.LIMIT))
    assert named.url is not None  # the settings have one of the two
    assert named.url_anchors is not None
    anchors = checks.readable(named.url_anchors, "the anchors of the directory's host")
    if named.format == "annuaire":
        return Extraction(Web(fetch, named.url, anchors, annuaire.LIMIT))
    assert named.api_key_file is not None
    key = checks.readable(named.api_key_file, "the key of the directory's API")
    try:
        text = key.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    if not text.isprintable() or not text:
        raise OperationError(
            f"[trust] the directory {named.name} has no usable key in api_key_file",
            "it is one line of ASCII, as the authority gave it",
        )
    return Api(fetch, f"{named.url.rstrip('/')}/", text, anchors)
