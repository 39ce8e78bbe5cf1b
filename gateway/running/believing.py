"""The keeper of the lists, made of what the settings say: formats, pinned signers, places."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path

from cryptography import x509

from gateway.observe.notes import Notes
from gateway.operations.error import OperationError
from gateway.running import checks
from gateway.running.versions import Versions
from gateway.settings import Settings
from gateway.settings.trust import Source as Named
from trust.change import Policy
from trust.errors import TrustError
from trust.fetching import Fetch
from trust.formats import direct, mssante, native
from trust.keeper import Keeper
from trust.places import Dropped, Web
from trust.signatures.openpgp import Ring
from trust.signatures.quorum import Quorum
from trust.signatures.signers import EMAIL_PROTECTION, Revocation, Signer, Signers
from trust.verification import Demands, Format
from trust.watch import Arrival, Place, Source


def keeper(
    settings: Settings,
    versions: Versions,
    clock: Callable[[], datetime],
    notes: Notes,
    fetch: Fetch,
    *,
    revocation: Revocation | None = None,
) -> Keeper:
    """Return the keeper of all sources that the settings name."""
    trust = settings.trust
    if not trust.sources:
        raise OperationError(
            "[trust] names no source of trust: neither signers nor a [[trust.source]]",
            "name the certificates of those who sign the list, and how many of them must",
        )

    def tell(arrival: Arrival) -> None:
        facts = {
            "source": arrival.source,
            "reason": arrival.sentence,
            "version": arrival.version,
            "digest": arrival.digest,
        }
        notes.tell(f"trust.{arrival.outcome}", facts)

    sources = [_source(named, settings.paths.data, fetch, revocation) for named in trust.sources]
    _check_signers(sources)
    return Keeper(
        sources,
        versions,
        clock,
        ours=frozenset(settings.site.domains),
        policy=Policy(trust.approvals, trust.share, trust.removals),
        tell=tell,
    )


def _check_signers(sources: Sequence[Source]) -> None:
    """Refuse two native lists that the same signers could sign: neither says which of them it is."""
    forms = [(each.name, each.demands.form) for each in sources]
    quorums = [(name, form.quorum) for name, form in forms if isinstance(form, native.Source)]
    for (one, first), (other, second) in permutations(quorums, 2):
        if first.suffices(second):
            raise OperationError(
                f"[trust] whoever signs the list of the source {one} could sign that of {other}",
                "a list does not name its source: give each of them signers of its own",
            )


def form_of(settings: Settings, source: str, home: Path) -> Format:
    """Return the format of the source that settings call so; ``home`` is as in ``form``."""
    sources = {each.name: each for each in settings.trust.sources}
    if source not in sources:
        names = ", ".join(sources) or "none"
        raise OperationError(f"[trust] has no source {source}", f"its sources: {names}")
    with _usable(source):
        return form(sources[source], home)


def _source(named: Named, data: Path, fetch: Fetch, revocation: Revocation | None) -> Source:
    with _usable(named.name):
        made = form(named, data / "openpgp" / named.name, revocation)
        place = _place(named, made, fetch)
    demands = Demands(named.name, made, _limit(named), named.loss)
    return Source(
        demands,
        place,
        named.every,
        rolling=named.format != "native",
        undated=named.format == "direct",
    )


@contextmanager
def _usable(source: str) -> Iterator[None]:
    try:
        yield
    except (TrustError, ValueError) as error:
        raise OperationError(
            f"[trust] the source {source} cannot be used: {error}",
            "docs/trust-list.md says what each format needs",
        ) from None


def form(named: Named, home: Path, revocation: Revocation | None = None) -> Format:
    """Return a source's format with the signers that are pinned for it.

    ``home`` is for GnuPG, if OpenPGP keys are pinned; raise ``TrustError`` for what cannot be used.
    """
    age = timedelta(seconds=named.max_age)
    if named.format == "native":
        return native.Source(_quorum(named, home))
    if named.format == "mssante":
        return mssante.WhiteList(_signers(named, revocation), age)
    signers = None if named.unsigned else _signers(named, revocation, purposes=None)
    return direct.Bundle(named.domains, signers, age)


def _place(named: Named, made: Format, fetch: Fetch) -> Place | None:
    # Only a native list has its signatures apart, in files of their own.
    sift = made.sift if isinstance(made, native.Source) else None
    if named.file is not None:
        return Dropped(named.file, _limit(named), sift)
    return _web(named, fetch, (named.signatures or (f"{named.url}.p7s",)) if sift else ())


def _limit(named: Named) -> int:
    """Return how large a list may be: what the format bears, or less."""
    most = {"native": native.LIMIT, "mssante": mssante.LIMIT, "direct": direct.LIMIT}
    return min(named.limit, most[named.format])


def _web(named: Named, fetch: Fetch, signatures: tuple[str, ...]) -> Web | None:
    if named.url is None or named.url_anchors is None:
        return None
    anchors = checks.readable(named.url_anchors, "the anchors of the list's host")
    return Web(fetch, named.url, anchors, _limit(named), signatures)


def _quorum(named: Named, home: Path) -> Quorum:
    signers = [checks.readable(path, "the pinned signer") for path in named.signers]
    if not named.openpgp:
        return Quorum.of(signers, named.threshold)
    keys = [checks.readable(path, "the pinned OpenPGP key") for path in named.openpgp]
    return Quorum.of(signers, named.threshold, Ring.made(home, keys))


def _signers(
    named: Named,
    revocation: Revocation | None,
    purposes: frozenset[str] | None = EMAIL_PROTECTION,
) -> Signers:
    if named.anchors is None:
        raise ValueError("it has no anchors")
    pinned = [
        Signer.pinned(each.subject, each.issuer, each.policy, since=each.since, until=each.until)
        for each in named.signer
    ]
    anchors = x509.load_pem_x509_certificates(
        checks.readable(named.anchors, "the anchors of the signer")
    )
    return Signers(
        tuple(pinned),
        tuple(anchors),
        named.dates,
        purposes,
        revocation=revocation if named.revocation else None,
    )
