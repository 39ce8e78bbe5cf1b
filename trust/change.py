"""What a new list would change, told by cause, and whether it may do so without being asked.

A thousand domains that follow their operator elsewhere are one event, not a thousand: ``compare``
puts domains that change in one way, by the same operators, into one row. ``Policy`` says which
changes a gateway takes as they come, and which wait for one or two people. R-C6.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from trust import names
from trust.identity import Identity
from trust.members import Member, Status
from trust.pace import unhurried
from trust.sources import Edition, TrustList

FEW = 20  # domains that may always change: of small lists a share says nothing
_ORGANISATION = "2.5.4.10"
_TOLD = 2  # rows in one line


class Cause(StrEnum):
    """In which way members change; in the order in which a person should read them."""

    SIGNERS = "signers"  # other keys than before vouch for the list
    ANCHORS = "anchors"  # other anchors than before are believed
    REVOKED = "revoked"
    REMOVED = "removed"
    MOVED = "moved"  # other certificates speak for them
    LESSER = (
        "lesser-source"  # a source of lower rank speaks for them, since theirs names them no more
    )
    SOURCE = "source"  # another source speaks for them
    ADDED = "added"
    REINSTATED = "reinstated"  # revoked before
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    OPENED = "opened"  # vouches for all its addresses from now on
    CLOSED = "closed"
    HOSTS = "hosts"  # the same members, reached elsewhere
    ADDRESSES = "addresses"  # how many a source names


# What changes whom we believe. Where a host is reached grants nothing.
_TRUST = frozenset(Cause) - {Cause.REVOKED, Cause.HOSTS, Cause.ADDRESSES}
_ORDER = {cause: number for number, cause in enumerate(Cause)}


class Load(NamedTuple):
    """Our mail with one domain."""

    messages: int  # lately
    waiting: int  # now


class Row(NamedTuple):
    """Members that change in one way, for one reason."""

    cause: Cause
    before: tuple[str, ...]  # the operators that spoke for them, or what there was
    after: tuple[str, ...]  # those that would
    domains: tuple[str, ...]

    def __str__(self) -> str:
        words = _WORDS[self.cause]
        if self.cause is Cause.MOVED:
            words = _moved(self)
        return words.format(
            n=_domains(len(self.domains)), before=_joined(self.before), after=_joined(self.after)
        )


_WORDS = {
    Cause.SIGNERS: "the list is signed by {after}, and was by {before}",
    Cause.ANCHORS: "the anchors {after} would be believed, and were {before}",
    Cause.REVOKED: "{n} of {before} revoked",
    Cause.REMOVED: "{n} of {before} removed",
    Cause.MOVED: "{n}: {before} would speak no more, {after} would",
    Cause.LESSER: "{n} named no more by the source {before}, so that the lesser {after} would speak",
    Cause.SOURCE: "{n} spoken for by the source {after}, and before by {before}",
    Cause.ADDED: "{n} of {after} added",
    Cause.REINSTATED: "{n} of {after} reinstated, after having been revoked",
    Cause.SUSPENDED: "{n} of {after} suspended",
    Cause.RESUMED: "{n} of {after} no longer suspended",
    Cause.OPENED: "{n} of {after} opened: all their addresses are vouched for",
    Cause.CLOSED: "{n} of {after} closed: only their listed addresses are vouched for",
    Cause.HOSTS: "{n} of {after} reached at other hosts",
    Cause.ADDRESSES: "{after} addresses listed, and before {before}",
}


def _moved(row: Row) -> str:
    if row.before == row.after:
        return "{n}: other certificates of {after}"
    if not row.before:
        return "{n} may also come by {after}"
    if not row.after:
        return "{n} may no longer come by {before}"
    return "{n} move from {before} to {after}"


def _domains(number: int) -> str:
    return "1 domain" if number == 1 else f"{number:,} domains"


def _joined(texts: tuple[str, ...]) -> str:
    return ", ".join(texts) or "nobody"


class Ranked(NamedTuple):
    """A row, and how much of our mail it touches."""

    row: Row
    load: Load


@dataclass(frozen=True, slots=True)
class Change:
    """All that would be different, and of how much."""

    rows: tuple[Row, ...] = ()
    members: int = 0  # before
    addresses: int = 0  # before
    lost: int = 0  # of these, those that would be gone

    @property
    def line(self) -> str:
        """The change in one line: its first rows, and how many more there are."""
        told = [str(row) for row in self.rows[:_TOLD]]
        if len(self.rows) > _TOLD:
            told.append(f"and {len(self.rows) - _TOLD:,} more")
        return "; ".join(told) or "nothing changes"

    def domains(self, *causes: Cause) -> frozenset[str]:
        """Return the domains that change in one of these ways."""
        return frozenset(each for row in self.rows if row.cause in causes for each in row.domains)

    @property
    def trusted(self) -> frozenset[str]:
        """The domains of which something else would be believed, revocations aside."""
        return self.domains(*_TRUST)

    def ranked(self, mail: Mapping[str, Load]) -> tuple[Ranked, ...]:
        """Return the rows with our own mail that they touch, the most first."""
        found = [Ranked(row, _load(row.domains, mail)) for row in self.rows]
        return tuple(sorted(found, key=lambda each: (-each.load.waiting, -each.load.messages)))


def _load(domains: Iterable[str], mail: Mapping[str, Load]) -> Load:
    found = [mail[domain] for domain in domains if domain in mail]
    return Load(sum(load.messages for load in found), sum(load.waiting for load in found))


def compare(
    before: TrustList | None, after: TrustList, rolling: frozenset[str] = frozenset()
) -> Change:
    """Return what is different, grouped by cause.

    ``rolling`` are the sources whose signer is pinned by name: with another key it is news. Of k
    pinned keys now these sign and now those.
    """
    groups: dict[tuple[Cause, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    old_members = before.members if before else {}
    ranks = {edition.source: rank for rank, edition in enumerate(after.editions)}
    for domain in unhurried(sorted(old_members.keys() | after.members.keys())):
        for cause in _causes(old_members.get(domain), after.members.get(domain), ranks):
            groups.setdefault(cause, []).append(domain)
    rows = [Row(*cause, tuple(domains)) for cause, domains in groups.items()]
    editions = [(before.edition(each.source) if before else None, each) for each in after.editions]
    for old, new in editions:
        if old is not None:
            rows += _of_source(old, new, rolling)
    rows.sort(key=lambda row: (_ORDER[row.cause], -len(row.domains), row.domains))
    listed = [(old.claims.addresses, new.claims.addresses) for old, new in editions if old]
    # Counted one by one: as many others in their place would change as much.
    lost = sum(each.lacking(later) for each, later in listed if each != later)
    return Change(tuple(rows), len(old_members), sum(len(each) for each, _ in listed), lost)


_Cause = tuple[Cause, tuple[str, ...], tuple[str, ...]]


def _causes(old: Member | None, new: Member | None, ranks: Mapping[str, int]) -> Iterator[_Cause]:
    if old is new or old == new:
        return
    if old is None or new is None:
        if new is not None:
            yield Cause.ADDED, (), operators(new.identities)
        if old is not None:
            yield Cause.REMOVED, operators(old.identities), ()
        return
    who = operators(new.identities)
    if old.source != new.source:
        lesser = ranks[new.source] > ranks.get(old.source, -1)
        yield Cause.LESSER if lesser else Cause.SOURCE, (old.source,), (new.source,)
    if old.marks != new.marks:
        gone = (each for each in old.identities if each.mark not in new.marks)
        come = (each for each in new.identities if each.mark not in old.marks)
        yield Cause.MOVED, operators(gone), operators(come)
    if old.status is not new.status:
        yield _turned(old.status, new.status), who, who
    if old.open is not new.open:
        yield Cause.OPENED if new.open else Cause.CLOSED, who, who
    if old.hosts != new.hosts:
        yield Cause.HOSTS, who, who


def _turned(old: Status, new: Status) -> Cause:
    if new is Status.REVOKED:
        return Cause.REVOKED
    if old is Status.REVOKED:
        return Cause.REINSTATED
    return Cause.SUSPENDED if new is Status.SUSPENDED else Cause.RESUMED


def _of_source(old: Edition, new: Edition, rolling: frozenset[str]) -> Iterator[Row]:
    if new.source in rolling and not new.signers <= old.signers:
        yield Row(Cause.SIGNERS, tuple(sorted(old.signers)), tuple(sorted(new.signers)), ())
    if set(old.claims.anchors) != set(new.claims.anchors):
        counts = [str(len(each.claims.anchors)) for each in (old, new)]
        yield Row(Cause.ANCHORS, (counts[0],), (counts[1],), ())
    if old.claims.addresses != new.claims.addresses:
        counts = [f"{len(each.claims.addresses):,}" for each in (old, new)]
        yield Row(Cause.ADDRESSES, (counts[0],), (counts[1],), ())


def operators(identities: Iterable[Identity]) -> tuple[str, ...]:
    """Return who is behind these identities: an organisation for all its certificates."""
    return tuple(sorted({_operator(identity) for identity in identities}))


def _operator(identity: Identity) -> str:
    name = identity.mark[1]
    if isinstance(name, str):
        return str(identity)
    return _organisation(name) or identity.text


def _organisation(name: names.Name) -> str:
    found = sorted(value for rdn in name for oid, value in rdn if oid == _ORGANISATION)
    return ", ".join(found).upper()


@dataclass(frozen=True, slots=True)
class Judgement:
    """How many operators must approve before a change counts, and what waits until then."""

    approvals: int = 0  # 0: it applies as it comes
    why: str = ""
    waiting: frozenset[str] = frozenset()  # domains whose mail waits
    revoked: frozenset[str] = frozenset()  # those who do not wait: they are revoked now


@dataclass(frozen=True, slots=True)
class Policy:
    """What this gateway's operators want to be asked about."""

    approvals: int = 1  # operators who must agree to a large change; 0: nobody is asked
    share: float = 0.05  # of the members before, of whom something else would be believed
    removals: float = 0.02  # of the members before, who would be gone; of the addresses as well

    def judge(self, change: Change) -> Judgement:
        """Say whether a change applies as it comes."""
        why = "; ".join(self._objections(change)) if self.approvals else ""
        needed = self.approvals if why else 0
        return Judgement(needed, why, change.trusted, change.domains(Cause.REVOKED))

    def _objections(self, change: Change) -> Iterator[str]:
        causes = {row.cause for row in change.rows}
        if Cause.SIGNERS in causes:
            yield "the list is signed by another key than before"
        if Cause.ANCHORS in causes:
            yield "it brings other anchors"
        if (reinstated := len(change.domains(Cause.REINSTATED))) > 0:
            yield f"it reinstates {_domains(reinstated)} that had been revoked"
        if (lesser := len(change.domains(Cause.LESSER))) > 0:
            yield f"a lesser source would speak for {_domains(lesser)}"
        now = f"of {change.members:,} now"
        if (touched := len(change.trusted)) > max(FEW, self.share * change.members):
            yield f"{_domains(touched)} would change, {now}"
        if (removed := len(change.domains(Cause.REMOVED))) > max(
            FEW, self.removals * change.members
        ):
            yield f"{_domains(removed)} would be removed, {now}"
        if change.lost > max(FEW, self.removals * change.addresses):
            yield f"{change.lost:,} of {change.addresses:,} addresses would be gone"
