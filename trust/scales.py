"""What the sources say together, and what a version that waits would change of it.

Pure: editions and pending versions in, one list and their judgements out. The keeper has it done
off the loop, and swaps in what comes of it. R-C6.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from trust.change import Change, Policy, compare
from trust.sources import Edition, TrustList
from trust.watch import Pending


@dataclass(frozen=True, slots=True)
class Scales:
    """How this gateway combines its sources, and what its operators want to be asked about."""

    ranks: tuple[str, ...]  # the sources, the highest first
    rolling: frozenset[str] = frozenset()  # those whose signer is pinned by name
    ours: frozenset[str] = frozenset()  # the domains that we serve
    policy: Policy = field(default_factory=Policy)

    def change(
        self,
        editions: Iterable[Edition],
        edition: Edition,
        revoked: frozenset[str] = frozenset(),
    ) -> Change:
        """Return what one edition would change in the whole.

        ``revoked`` are domains of its source that versions before it revoked while they waited.
        """
        by_source = {each.source: each for each in editions}
        before = self._list(by_source.values())
        if before is not None and revoked:
            before = self._list(by_source.values(), _own(before, edition.source, revoked))
        by_source[edition.source] = edition
        after = [by_source[name] for name in self.ranks if name in by_source]
        return compare(before, TrustList.of(after), self.rolling)

    def weigh(
        self,
        editions: Sequence[Edition],
        pending: Sequence[Pending],
        lost: Collection[str] = (),
    ) -> tuple[TrustList | None, list[Pending]]:
        """Return the list in force, in rank, and what waits as it is to be judged now.

        Whom a pending version revokes is revoked in the list. ``lost`` are sources that were in force
        and cannot be read.
        """
        weighed = []
        for each in pending:
            change = self.change(editions, each.edition, each.revoked)
            judgement = self.policy.judge(change)
            # Who was asked once is asked, whatever has become of the rest meanwhile; and where two
            # must agree, one does not become enough by waiting.
            judgement = replace(judgement, approvals=max(1, self.policy.approvals))
            weighed.append(replace(each, change=change, judgement=judgement))
        revoked = frozenset[str]().union(*(each.judgement.revoked for each in weighed))
        held = [each for each in weighed if each.revoked]
        if held and (listed := self._list(editions)) is not None:
            revoked = revoked.union(*(_own(listed, each.source, each.revoked) for each in held))
        eclipsed = self._below(lost) if lost else None
        return self._list(editions, revoked, eclipsed), weighed

    def _below(self, lost: Collection[str]) -> frozenset[str]:
        highest = min(self.ranks.index(source) for source in lost)
        return frozenset(self.ranks[highest + 1 :])

    def _list(
        self,
        editions: Iterable[Edition],
        revoked: frozenset[str] = frozenset(),
        eclipsed: frozenset[str] | None = None,
    ) -> TrustList | None:
        if not (found := tuple(editions)):
            return None
        return TrustList.of(found, ours=self.ours, revoked=revoked, eclipsed=eclipsed)


def _own(listed: TrustList, source: str, domains: frozenset[str]) -> frozenset[str]:
    """Return those domains for which this source speaks: of others it revokes nothing."""
    members = listed.members
    return frozenset(one for one in domains if one in members and members[one].source == source)
