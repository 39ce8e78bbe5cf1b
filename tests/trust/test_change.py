"""A change is told by cause, and waits for people where they want to be asked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trust.simulator import ListAuthority, listed, member, pki
from trust.addresses import Listed
from trust.change import FEW, Cause, Change, Judgement, Load, Policy, Row, compare, operators
from trust.identity import Identity, Way
from trust.members import Host, Member, Status
from trust.sources import Edition, TrustList

CHU, LABO = member("chu.example"), member("labo.example")
SISRA = Identity(Way.DN, "CN=a.sisra.example,O=Sisra,C=FR")
SARA = Identity(Way.DN, 'CN=a.sara.example,O="  SARA",C=FR')
SARA_TOO = Identity(Way.DN, "CN=b.sara.example,O=Sara,C=FR")
NAMELESS = Identity(Way.DN, "CN=seul,C=FR")


def edition(*entries: Member | Listed, source: str = "list") -> Edition:
    return ListAuthority().add(*entries).edition(source)


def change(before: tuple[Member, ...], after: tuple[Member, ...]) -> list[str]:
    """What a person reads of it."""
    found = compare(TrustList.of([edition(*before)]), TrustList.of([edition(*after)]))
    return [str(row) for row in found.rows]


def many(number: int, *identities: Identity, first: int = 0) -> tuple[Member, ...]:
    return tuple(Member(f"d{n}.example", identities) for n in range(first, first + number))


def test_a_thousand_domains_that_move_are_one_row() -> None:
    """Whichever certificate of the new operator each of them gets."""
    after = (*many(600, SARA), *many(427, SARA_TOO, first=600), CHU)
    assert ["1,027 domains move from SISRA to SARA"] == change((*many(1027, SISRA), CHU), after)


def _with(**what: object) -> Member:
    return replace(CHU, identities=(SISRA,), **what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (_with(), _with(status=Status.REVOKED), "1 domain of SISRA revoked"),
        (
            _with(status=Status.REVOKED),
            _with(),
            "1 domain of SISRA reinstated, after having been revoked",
        ),
        (_with(), _with(status=Status.SUSPENDED), "1 domain of SISRA suspended"),
        (_with(status=Status.SUSPENDED), _with(), "1 domain of SISRA no longer suspended"),
        (
            _with(open=False),
            _with(),
            "1 domain of SISRA opened: all their addresses are vouched for",
        ),
        (
            _with(),
            _with(open=False),
            "1 domain of SISRA closed: only their listed addresses are vouched for",
        ),
        (_with(), _with(hosts=(Host("x.example"),)), "1 domain of SISRA reached at other hosts"),
        (_with(), replace(CHU, identities=(SISRA, SARA)), "1 domain may also come by SARA"),
        (
            replace(CHU, identities=(SISRA, SARA)),
            _with(),
            "1 domain may no longer come by SARA",
        ),
        (
            replace(CHU, identities=(SARA,)),
            replace(CHU, identities=(SARA_TOO,)),
            "1 domain: other certificates of SARA",
        ),
        (None, _with(), "1 domain of SISRA added"),
        (_with(), None, "1 domain of SISRA removed"),
    ],
)
def test_each_way_to_change_has_its_words(
    before: Member | None, after: Member | None, words: str
) -> None:
    """A person reads what would be different, and whose domains they are."""
    olds, news = ((LABO, each) if each else (LABO,) for each in (before, after))
    assert [words] == change(olds, news)


def test_nothing_changes() -> None:
    """A new version may say the same."""
    assert [] == change((CHU, LABO), (LABO, CHU))


def test_the_first_list_adds_everybody() -> None:
    """There was nothing to compare with."""
    found = compare(None, TrustList.of([edition(CHU, LABO)]))
    assert (0, {Cause.ADDED}) == (found.members, {row.cause for row in found.rows})
    assert {"chu.example", "labo.example"} == found.trusted


def test_an_operator_is_an_organisation_or_whatever_is_known() -> None:
    """Names without one, keys and hosts are called as they are written."""
    pin = Identity(Way.SPKI, "0a" * 32)
    host = Identity(Way.SAN, "gw.example")
    found = operators((SARA, SARA_TOO, NAMELESS, pin, host))
    assert ("CN=seul,C=FR", "SARA", "san:gw.example", f"spki:{'0a' * 32}") == found


def test_another_source_may_come_to_speak_for_a_domain() -> None:
    """A domain that a greater source drops is not simply gone."""
    low = edition(CHU, LABO, source="local")
    before = TrustList.of([edition(replace(CHU, identities=(SARA,)), source="national"), low])
    after = TrustList.of([edition(LABO, source="national"), low])
    found = compare(before, after)
    assert [
        (Cause.MOVED, ("chu.example",)),
        (Cause.LESSER, ("chu.example",)),
        (Cause.SOURCE, ("labo.example",)),
    ] == [(row.cause, row.domains) for row in found.rows]
    words = "1 domain named no more by the source national, so that the lesser local would speak"
    assert words == str(found.rows[1])


def test_another_key_of_a_signer_known_by_name_is_news() -> None:
    """Of pinned keys now these sign and now those; a name that signs with another key is told."""
    authority = ListAuthority(threshold=1).add(CHU)
    first = authority.edition()
    other = ListAuthority(threshold=1).add(CHU)
    other.numbers = (1,)
    second = other.edition()
    before, after = TrustList.of([first]), TrustList.of([second])
    assert () == compare(before, after).rows
    (row,) = compare(before, after, frozenset({"list"})).rows
    assert (Cause.SIGNERS, ()) == (row.cause, row.domains)
    assert "the list is signed by" in str(row)
    assert () == compare(before, before, frozenset({"list"})).rows


def test_other_anchors_are_told() -> None:
    """By how many they are; their domains move as well."""
    one, two = edition(CHU), edition(CHU)
    claims = replace(two.claims, anchors=(pki().root.der,))
    object.__setattr__(two, "claims", claims)
    (row,) = compare(TrustList.of([one]), TrustList.of([two])).rows
    assert (Cause.ANCHORS, ("0",), ("1",), ()) == row


def test_addresses_are_counted() -> None:
    """Nobody reads half a million lines."""
    before = TrustList.of([edition(CHU, listed("a@chu.example"), listed("b@chu.example"))])
    found = compare(before, TrustList.of([edition(CHU)]))
    assert (["0 addresses listed, and before 2"], 2, 2) == (
        [str(row) for row in found.rows],
        found.addresses,
        found.lost,
    )


def test_as_many_others_are_no_fewer_gone() -> None:
    """A list that exchanges all addresses has lost them all, however many it names."""
    before, after = (
        TrustList.of([edition(CHU, *(listed(f"{word}{n}@chu.example") for n in range(30)))])
        for word in ("a", "b")
    )
    found = compare(before, after)
    assert (30, 30) == (found.addresses, found.lost)
    assert "30 of 30 addresses would be gone" == Policy().judge(found).why


def test_rows_stand_in_the_order_of_their_weight() -> None:
    """What is revoked or gone before what is new, the greater before the lesser."""
    before = (*many(3, SISRA), *many(2, SARA, first=3), CHU)
    after = (*many(2, SARA_TOO, first=3), LABO)
    assert [Cause.REMOVED, Cause.REMOVED, Cause.MOVED, Cause.ADDED] == [
        row.cause
        for row in compare(TrustList.of([edition(*before)]), TrustList.of([edition(*after)])).rows
    ]


def test_a_change_in_one_line() -> None:
    """What a history has room for."""
    rows = [Row(Cause.REMOVED, (name,), (), ("a.example",)) for name in "ABCD"]
    assert "nothing changes" == Change().line
    assert "1 domain of A removed; 1 domain of B removed" == Change(tuple(rows[:2])).line
    assert "1 domain of A removed; 1 domain of B removed; and 2 more" == Change(tuple(rows)).line


def test_rows_are_ranked_by_our_own_mail() -> None:
    """Most of a national change is about people we never write to."""
    rows = [
        Row(Cause.REMOVED, ("A",), (), ("a.example", "b.example")),
        Row(Cause.MOVED, ("A",), ("B",), ("c.example", "d.example")),
        Row(Cause.ADDED, (), ("B",), ("e.example",)),
    ]
    mail = {"c.example": Load(5, 0), "d.example": Load(1, 2), "a.example": Load(90, 0)}
    assert [
        (Cause.MOVED, Load(6, 2)),
        (Cause.REMOVED, Load(90, 0)),
        (Cause.ADDED, Load(0, 0)),
    ] == [(row.cause, load) for row, load in Change(tuple(rows)).ranked(mail)]


def _change(cause: Cause, touched: int, members: int) -> Change:
    domains = tuple(f"d{n}.example" for n in range(touched))
    return Change((Row(cause, ("A",), ("B",), domains),), members)


@pytest.mark.parametrize(
    ("policy", "found", "approvals"),
    [
        (Policy(), _change(Cause.MOVED, FEW, 30), 0),
        (Policy(), _change(Cause.MOVED, 50, 1000), 0),
        (Policy(), _change(Cause.MOVED, 51, 1000), 1),
        (Policy(approvals=2), _change(Cause.MOVED, 51, 1000), 2),
        (Policy(approvals=0), _change(Cause.MOVED, 1000, 1000), 0),
        (Policy(share=0.5), _change(Cause.MOVED, 51, 1000), 0),
        (Policy(), _change(Cause.REMOVED, FEW, 1000), 0),
        (Policy(), _change(Cause.REMOVED, 21, 1000), 1),
        (Policy(), _change(Cause.HOSTS, 1000, 1000), 0),
        (Policy(), _change(Cause.REVOKED, 1000, 1000), 0),
        (Policy(), _change(Cause.REINSTATED, 1, 1000), 1),
        (Policy(), _change(Cause.LESSER, 1, 1000), 1),
        (Policy(), _change(Cause.SOURCE, 1, 1000), 0),
        (Policy(), _change(Cause.SIGNERS, 0, 1000), 1),
        (Policy(), _change(Cause.ANCHORS, 0, 1000), 1),
        (Policy(), Change((), 10, 5000, 100), 0),
        (Policy(), Change((), 10, 5000, 101), 1),
        (Policy(removals=0.05), Change((), 10, 5000, 101), 0),
        (Policy(), Change((), 10, 21, 20), 0),
        (Policy(), Change((), 10, 21, 21), 1),
    ],
)
def test_what_operators_are_asked_about(policy: Policy, found: Change, approvals: int) -> None:
    """Large changes, mass removals, other anchors or signers, a revocation undone; never one made."""
    assert approvals == policy.judge(found).approvals


def test_what_waits_and_what_does_not() -> None:
    """The domains whose trust changes wait; who is revoked is revoked."""
    rows = (
        Row(Cause.REVOKED, ("A",), (), ("gone.example",)),
        Row(Cause.MOVED, ("A",), ("B",), tuple(f"d{n}.example" for n in range(30))),
        Row(Cause.HOSTS, ("A",), ("A",), ("elsewhere.example",)),
    )
    assert Judgement(
        1,
        "30 domains would change, of 100 now",
        frozenset(f"d{n}.example" for n in range(30)),
        frozenset({"gone.example"}),
    ) == Policy().judge(Change(rows, 100))


def test_all_objections_are_told() -> None:
    """An operator who approves knows everything that was large about it."""
    rows = (
        Row(Cause.SIGNERS, (), (), ()),
        Row(Cause.ANCHORS, (), (), ()),
        Row(Cause.REMOVED, (), (), tuple(f"d{n}.example" for n in range(30))),
    )
    assert (
        "the list is signed by another key than before; it brings other anchors;"
        " 30 domains would change, of 100 now; 30 domains would be removed, of 100 now;"
        " 500 of 1,000 addresses would be gone"
    ) == Policy().judge(Change(rows, 100, 1000, 500)).why


_POOL = st.builds(
    Member,
    st.sampled_from([f"d{n}.example" for n in range(6)]),
    st.sets(st.sampled_from([SISRA, SARA, SARA_TOO, NAMELESS]), min_size=1).map(tuple),
    st.just(()),
    st.booleans(),
    st.sampled_from(Status),
)
_LISTS = st.lists(_POOL, min_size=1, unique_by=lambda each: each.domain)


@given(_LISTS, _LISTS)
def test_every_difference_is_told(before: list[Member], after: list[Member]) -> None:
    """A domain is in a row if and only if something about it is different."""
    old = {each.domain: each for each in before}
    new = {each.domain: each for each in after}
    found = compare(TrustList.of([edition(*before)]), TrustList.of([edition(*after)]))
    different = {each for each in old.keys() | new.keys() if old.get(each) != new.get(each)}
    assert different == found.domains(*Cause)
    assert len(old) == found.members
    assert all(str(row) for row in found.rows)
