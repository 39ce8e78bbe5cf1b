"""What the sources say together, and what waits, weighed against it."""

from dataclasses import replace

from tests.trust.simulator import NOW, ListAuthority, member
from trust.change import Cause, Change, Judgement, Policy
from trust.members import Member, Status
from trust.scales import Scales
from trust.sources import Edition
from trust.watch import Pending

CHU, LABO = member("chu.example"), member("labo.example")
SCALES = Scales(("national", "local"), ours=frozenset({"chu.example"}))


def edition(source: str, *members: Member) -> Edition:
    return ListAuthority().add(*members).edition(source)


def waiting(one: Edition) -> Pending:
    return Pending(one.source, one, Change(), Judgement(2), NOW, ("anne",))


def test_nothing_and_nothing_is_no_list() -> None:
    """Before the first version there is nothing to believe."""
    assert (None, []) == SCALES.weigh((), ())


def test_a_change_is_measured_against_the_whole() -> None:
    """What a lesser source changes behind a greater one's back changes nothing."""
    national = edition("national", CHU)
    shadowed = edition("local", replace(CHU, open=False), LABO)
    found = SCALES.change([national], shadowed)
    assert [(Cause.ADDED, ("labo.example",))] == [(row.cause, row.domains) for row in found.rows]
    turned = Scales(("local", "national")).change([national], shadowed)
    assert {Cause.SOURCE, Cause.CLOSED, Cause.ADDED} == {row.cause for row in turned.rows}


def test_whom_a_waiting_version_revokes_is_revoked() -> None:
    """Of everything else in it nothing counts yet."""
    now = edition("national", CHU, LABO)
    later = edition("national", replace(CHU, status=Status.REVOKED), replace(LABO, open=False))
    listed, (weighed,) = SCALES.weigh([now], [waiting(later)])
    assert listed is not None
    assert [Status.REVOKED, Status.ACTIVE] == [each.status for each in listed.members.values()]
    assert listed.members["labo.example"].open
    assert frozenset({"chu.example"}) == weighed.judgement.revoked == listed.ours
    assert frozenset({"labo.example"}) == weighed.judgement.waiting


def test_who_was_asked_once_is_asked() -> None:
    """What has become small meanwhile still needs as many as must agree to anything."""
    listed, (weighed,) = Scales(("local",), policy=Policy(2)).weigh(
        [], [waiting(edition("local", CHU))]
    )
    assert listed is None
    assert (2, ("anne",), 1) == (weighed.judgement.approvals, weighed.approvals, weighed.missing)


def test_whom_a_replaced_version_revoked_stays_revoked() -> None:
    """A later one that names them active again is asked about, and reinstates nobody meanwhile."""
    now = edition("national", CHU, LABO)
    later = edition("national", CHU, replace(LABO, open=False))
    one = replace(waiting(later), revoked=frozenset({"chu.example", "else.example"}))
    listed, (weighed,) = SCALES.weigh([now], [one])
    assert listed is not None
    assert Status.REVOKED is listed.members["chu.example"].status
    assert frozenset({"chu.example", "labo.example"}) == weighed.judgement.waiting


def test_a_lesser_source_revokes_nobody_of_a_greater_one() -> None:
    """Whatever it said of a domain before the greater one named it."""
    editions = [edition("national", CHU), edition("local", LABO)]
    one = waiting(edition("local", LABO))
    listed, _ = SCALES.weigh(editions, [replace(one, revoked=frozenset({"chu.example"}))])
    assert listed is not None
    assert Status.ACTIVE is listed.members["chu.example"].status


def test_below_a_source_that_cannot_be_read_nobody_is_believed() -> None:
    """It may have named the same domains, with other identities, or revoked."""
    scales = Scales(("national", "region", "local"))
    found = []
    for lost in ("national", "region", "local"):
        editions = [edition(name, CHU) for name in scales.ranks if name != lost]
        listed, _ = scales.weigh(editions, (), (lost,))
        assert listed is not None
        assert listed.silent(NOW)
        found.append({name for name in scales.ranks if name in (listed.eclipsed or ())})
    assert [{"region", "local"}, {"local"}, set()] == found
