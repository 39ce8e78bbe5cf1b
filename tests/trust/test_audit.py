"""The whole history can be walked: what was altered, and what nobody can vouch for now, is named."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tests.trust.simulator import NOW, ListAuthority, member
from tests.trust.site import Site
from trust.audit import audit
from trust.trail import Step, outdated


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    """A site that has verified three versions."""
    made = Site(ListAuthority().add(member("chu.example")), tmp_path / "list.json")
    keeper = made.keeper()
    for _ in range(3):
        await keeper.offer("list", made.authority.offer())
    return made


async def test_a_history_that_is_as_it_was(site: Site) -> None:
    """Every version opens, verifies, and is the one that the chain names."""
    found = await audit(site.keeper())
    assert (3, None, ()) == (found.versions, found.altered, found.doubts)


async def test_a_version_that_is_lost(site: Site) -> None:
    """It is named; the others stand."""
    del site.store.offers["list", site.store.entries[2].digest]
    found = await audit(site.keeper())
    assert (2, None) == (found.versions, found.altered)
    assert [(2, "it no longer opens")] == [(entry.version, why) for entry, why in found.doubts]


async def test_signers_that_are_pinned_no_longer(site: Site) -> None:
    """What they signed cannot be vouched for now; the chain is whole all the same."""
    found = await audit(site.keeper(ListAuthority(count=2, threshold=2, first=7)))
    assert (0, None, 3) == (found.versions, found.altered, len(found.doubts))


async def test_an_entry_that_says_another_number(site: Site) -> None:
    """The chain shows it, and so does the version itself."""
    site.store.entries[0] = msgspec.structs.replace(site.store.entries[0], version=7)
    site.store.altered = True
    found = await audit(site.keeper())
    assert (2, 1) == (found.versions, found.altered)
    assert ["it says of itself that it is version 1"] == [why for _, why in found.doubts]


async def test_what_was_erased_because_it_was_old(site: Site) -> None:
    """It is not looked for, the chain is whole, and what is in force is never erased."""
    keeper = site.keeper()
    await keeper.restore()
    later = NOW + timedelta(days=1)

    assert 0 == await keeper.erase(NOW - timedelta(days=1), 1)
    assert 0 == await keeper.erase(later, 3)
    assert 2 == await keeper.erase(later, 1)
    assert 0 == await keeper.erase(later, 1)

    found = await audit(keeper)
    assert (1, None, ()) == (found.versions, found.altered, found.doubts)
    assert [("list", site.store.entries[4].digest)] == list(site.store.offers)
    again = site.keeper()
    await again.restore()
    assert again.current is not None
    assert 3 == again.current.editions[0].claims.version


async def test_what_comes_again_after_it_was_erased(site: Site) -> None:
    """It is kept anew, and looked for anew."""
    entries = site.store.entries
    first, second = entries[0], entries[2]
    entries += [msgspec.structs.replace(first, step=Step.ERASED), first]

    assert [second] == outdated(entries, NOW + timedelta(days=1), 1)
    assert 3 == (await audit(site.keeper())).versions
