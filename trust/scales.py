"""What the sources say together, and what a version that waits would change of it.

Pure: editions and pending versions in, one list and their judgements out. The keeper has it done
off the loop, and swaps in what comes of it. R-C6.
"""

from collections.abc import Iterable, Sequence
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

    def change(self, editions: Iterable[Edition], edition: Edition) -> Change:
        """Return what one edition would change in the whole."""
        by_source = {each.source: each for each in editions}
        before = self._list(by_source.values())
        by_source[edition.source] = edition
        after = [by_source[name] for name in self.ranks if name in by_source]
        return compare(before, TrustList.of(after), self.rolling)

    def weigh(
        self, editions: Sequence[Edition], pending: Sequence[Pending]
    ) -> tuple[TrustList | None, list[Pending]]:
        """Return the list in force, in rank, and what waits as it is to be judged now.

        Whom a pending version revokes is revoked in the list.
        """
        weighed = []
        for each in pending:
            change = self.change(editions, each.edition)
            judgement = self.policy.judge(change)
            # Who was asked once is asked, whatever has become of the rest meanwhile.
            judgement = replace(judgement, approvals=max(1, judgement.approvals))
            weighed.append(replace(each, change=change, judgement=judgement))
        revoked = frozenset[str]().union(*(each.judgement.revoked for each in weighed))
        return self._list(editions, revoked), weighed

    def _list(
        self, editions: Iterable[Edition], revoked: frozenset[str] = frozenset()
    ) -> TrustList | None:
        found = tuple(editions)
        return TrustList.of(found, ours=self.ours, revoked=revoked) if found else None
