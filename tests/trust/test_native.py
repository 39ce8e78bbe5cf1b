"""One list has one spelling: anything else is refused, whatever it would have meant."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtp.address import key, parse
from tests.trust.simulator import LIFE, NOW, ListAuthority, listed, member
from trust.addresses import Addresses, Kind, Listed
from trust.errors import ListError
from trust.formats import native
from trust.identity import Identity, Way
from trust.members import Claims, Host, Member, Status
from trust.verification import Offer

VECTORS = Path(__file__).parent / "vectors"
LABO = Member(
    "labo.example",
    (Identity(Way.DN, 'CN=gw,O="LABO  DU NORD"'), Identity(Way.SPKI, "0a" * 32)),
    (Host("b.labo.example"), Host("a.labo.example", 2525)),
    open=False,
    status=Status.SUSPENDED,
)
CLAIMS = Claims(
    2,
    NOW,
    NOW + LIFE,
    "0b" * 32,
    (LABO, Member("chu.example", (Identity(Way.SAN, "gw.chu.example"),))),
    Addresses.of(
        [
            Listed(parse("resultats@labo.example"), Kind.APP, "FINESS:1", frozenset({"0c" * 32})),
            Listed(parse("dr.ève@chu.example"), Kind.PER),
        ]
    ),
)
CONTENT = native.serialise(CLAIMS)
TEXT = CONTENT.decode()


def test_what_it_looks_like() -> None:
    """The bytes that docs/trust-list.md shows, and that other programs must produce."""
    assert (VECTORS / "native.json").read_bytes() == CONTENT


def test_an_ordinary_json_writer_makes_the_same_bytes() -> None:
    """Sorted keys, no spaces, UTF-8: nothing of our own invention."""
    plain = json.dumps(
        json.loads(CONTENT), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert plain.encode() == CONTENT


def test_reading_gives_back_what_was_written() -> None:
    """Entries come back in the list's own order."""
    read = native.read(CONTENT)
    assert sorted(CLAIMS.members, key=lambda m: m.domain) == list(read.members)
    assert sorted(CLAIMS.addresses, key=lambda a: a.address) == list(read.addresses)
    assert native.serialise(read) == CONTENT


def changed(old: str, new: str) -> bytes:
    assert TEXT.count(old) >= 1
    return TEXT.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(CONTENT[:-1], id="truncated"),
        pytest.param(CONTENT + b"\n", id="trailing newline"),
        pytest.param(CONTENT + b"{}", id="trailing value"),
        pytest.param(b" " + CONTENT, id="leading space"),
        pytest.param(b"\xef\xbb\xbf" + CONTENT, id="byte order mark"),
        pytest.param(TEXT.encode("utf-16"), id="UTF-16"),
        pytest.param(TEXT.encode("latin-1"), id="not UTF-8"),
        pytest.param(json.dumps(json.loads(CONTENT), indent=1).encode(), id="indented"),
        pytest.param(json.dumps(json.loads(CONTENT), separators=(",", ":")).encode(), id="escaped"),
        pytest.param(b"[" * 100_000, id="nested deeply"),
    ],
)
def test_any_other_encoding(content: bytes) -> None:
    """Refused in our words, before any of it can mean something."""
    with pytest.raises(ListError):
        native.read(content)


REFUSED = json.loads((VECTORS / "refused.json").read_text("utf-8"))


@pytest.mark.parametrize("edit", [pytest.param(edit, id=edit["why"]) for edit in REFUSED])
def test_any_other_spelling(edit: dict[str, str]) -> None:
    """The vectors: each a small edit of the good list, which makes it no list."""
    with pytest.raises(ListError):
        native.read(changed(edit["find"], edit["replace"]))


def test_unsorted_entries() -> None:
    """The same members in another order are other bytes, hence no list."""
    parts = json.loads(CONTENT)
    parts["members"].reverse()
    mixed = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(ListError, match="canonical form, from octet"):
        native.read(mixed)


def test_the_octet_where_it_goes_wrong_is_named() -> None:
    """A person who made the list by other means finds the place."""
    wrong = changed('"open":false', '"open": false')
    at = wrong.index(b" false") + 1
    with pytest.raises(ListError, match=rf"from octet {at} on"):
        native.read(wrong)


def test_too_large() -> None:
    """Refused before it is parsed."""
    native.read(CONTENT, limit=len(CONTENT))
    with pytest.raises(ListError, match="larger"):
        native.read(CONTENT, limit=len(CONTENT) - 1)


DRAFT = b"""
{
    "members": [
        {"domain": "labo.example", "identities": [{"dn": "CN=gw,O=Labo"}],
         "hosts": [{"name": "gw.labo.example"}]},
        {"domain": "chu.example", "identities": [{"san": "gw.chu.example"}], "open": false}
    ],
    "addresses": [{"address": "dr@chu.example", "kind": "PER"}]
}
"""


def test_a_draft_becomes_the_first_version() -> None:
    """A person writes what matters, in any layout; the rest is usual or ours."""
    claims = native.draft(DRAFT, issued=NOW.replace(microsecond=5), life=LIFE)
    assert (1, None, NOW, NOW + LIFE) == (
        claims.version,
        claims.previous,
        claims.issued,
        claims.stale_after,
    )
    assert [("labo.example", True), ("chu.example", False)] == [
        (member.domain, member.open) for member in claims.members
    ]
    assert set(claims.members) == set(native.read(native.serialise(claims)).members)


def test_a_copy_of_the_last_list_becomes_the_next_version() -> None:
    """Whatever the copy says of version and dates."""
    claims = native.draft(CONTENT, issued=NOW + LIFE, life=LIFE, before=CONTENT)
    assert (3, native.digest(CONTENT)) == (claims.version, claims.previous)
    assert NOW + LIFE == claims.issued


@pytest.mark.parametrize(
    ("draft", "life"),
    [
        (DRAFT.replace(b'"kind"', b'"sort"'), LIFE),
        (DRAFT.replace(b'"hosts"', b'"host"'), LIFE),
        (DRAFT.replace(b"CN=gw", b"gw"), LIFE),
        (DRAFT[:-4], LIFE),
        (DRAFT, timedelta(0)),
        (DRAFT, timedelta(seconds=0.5)),
    ],
)
def test_a_draft_with_a_mistake(draft: bytes, life: timedelta) -> None:
    """Tolerant of layout, not of content."""
    with pytest.raises(ListError):
        native.draft(draft, issued=NOW, life=life)


def test_a_list_needs_its_dates() -> None:
    """They may be missing in a draft only."""
    with pytest.raises(ListError, match="no dates"):
        native.read(DRAFT)


_LABELS = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
_DOMAINS = st.builds("{}.{}".format, _LABELS, _LABELS)
_PINS = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
_VALUES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
_IDENTITIES = st.one_of(
    st.builds(lambda value: Identity(Way.DN, f'CN="{value}"'), _VALUES),
    st.builds(lambda value: Identity(Way.SPKI, value), _PINS),
    st.builds(lambda value: Identity(Way.SAN, value), _DOMAINS),
)
_HOSTS = st.builds(Host, _DOMAINS, st.none() | st.integers(1, 65535))
_MEMBERS = st.builds(
    Member,
    _DOMAINS,
    st.lists(_IDENTITIES, min_size=1, max_size=4, unique_by=lambda i: i.mark).map(tuple),
    st.lists(_HOSTS, max_size=3, unique=True).map(tuple),
    st.booleans(),
    st.sampled_from(Status),
)


@st.composite
def lists(draw: st.DrawFn) -> Claims:
    members = draw(st.lists(_MEMBERS, min_size=1, max_size=4, unique_by=lambda m: m.domain))
    names = st.from_regex(r"[a-z]{1,5}(\.[a-zéÀ]{1,5})?", fullmatch=True)
    where = st.builds(
        lambda name, one: parse(f"{name}@{one.domain}"), names, st.sampled_from(members)
    )
    entries = st.builds(
        Listed, where, st.sampled_from(Kind), _PINS.map(lambda p: p[:8]), st.frozensets(_PINS)
    )
    version = draw(st.integers(1, 2**53 - 1))
    return Claims(
        version,
        NOW,
        NOW + timedelta(seconds=draw(st.integers(1, 10**8))),
        None if version == 1 else draw(_PINS),
        tuple(members),
        Addresses.of(draw(st.lists(entries, max_size=4, unique_by=lambda a: key(a.address)))),
    )


@given(lists())
def test_every_list_survives(claims: Claims) -> None:
    """Written, read and written again: the same bytes, and the same claims in the list's order."""
    content = native.serialise(claims)
    read = native.read(content)
    assert native.serialise(read) == content
    assert set(claims.members) == set(read.members)
    assert set(claims.addresses) == set(read.addresses)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes(content: bytes) -> None:
    """A list or our error."""
    with suppress(ListError):
        native.read(content)


@given(st.integers(0, len(CONTENT) - 1), st.integers(0, 255))
def test_any_octet_changed(at: int, octet: int) -> None:
    """What is read after any change is what its bytes say, to the last one."""
    content = CONTENT[:at] + bytes([octet]) + CONTENT[at + 1 :]
    with suppress(ListError):
        assert native.serialise(native.read(content)) == content


def test_a_verified_list_is_read_from_the_bytes_that_were_signed() -> None:
    """No second parser, no second bytes."""
    authority = ListAuthority().add(member("chu.example"), listed("dr@chu.example"))
    current = authority.current()
    members = native.read(authority.content).members
    assert [each.said_by("list") for each in members] == list(current.members.values())


LONG = native.serialise(
    replace(
        CLAIMS,
        members=tuple(
            replace(LABO, domain=each.domain)
            for each in (*CLAIMS.members, *(member(f"c{n}.example") for n in range(50)))
        ),
        addresses=Addresses.of(listed(f"dr{n}@chu.example") for n in range(2000)),
    )
)


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a few entries each, and addresses that another process would read."""
    monkeypatch.setattr(native, "_PIECE", 1000)
    monkeypatch.setattr(native, "LARGE", 1000)
    monkeypatch.setattr(native, "apart_from_thread", lambda work, *given: work(*given))


@pytest.mark.parametrize("large", [1000, 1 << 20])
def test_a_large_list_is_read_alike(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Piece by piece, the addresses here or by another process: the claims are the same."""
    monkeypatch.setattr(native, "LARGE", large)
    authority = ListAuthority(numbers=(0, 1))
    source = native.Source(authority.quorum)
    offer = Offer(LONG, tuple(authority.sign(LONG)))

    assert native.read(LONG) == source.read(source.verify(offer, NOW), NOW)


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"dr9@", b"dr0@"),
        (b'"kind":"PER"', b'"kind": "PER"'),
        (b'"kind":"PER"', b'"kind":"XYZ"'),
        (b'"holder":"",', b""),
        (b'{"addresses":[', b'{"addresses": ['),
        (b'"members":', b'"member":'),
        (b'"members":[', b'"members":[ '),
        (b'"previous":"0', b'"previous": "0'),
        (b'"previous":"0', b'"previous":"g'),
        (b'"domain":"c9.', b'"domain":"c0.'),
        (b'"open":false,', b""),
        (b'"port":2525', b'"port":"2525"'),
        (b'"0a0a', b'"0A0A'),
        (b'"status":"suspended"', b'"status":"absent"'),
        (b'"pins":[]', b'"pins":["' + b"b" * 64 + b'","' + b"a" * 64 + b'"]'),
        (b'"pins":[]', b'"pins":["b"]'),
    ],
)
def test_a_large_list_is_as_strict(old: bytes, new: bytes) -> None:
    """Order, spelling and fields: what is refused in a small list is refused in a large one."""
    changed = LONG.replace(old, new, 1)
    assert LONG != changed
    with pytest.raises(ListError):
        native.read(changed)
    with pytest.raises(ListError):
        native._read_in_pieces(changed)


_EDGES = (LONG.index(b'],"format":') - 200, LONG.index(b',"members":[') + 700)


@pytest.mark.usefixtures("pieces")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(*_EDGES) | st.integers(len(LONG) - 400, len(LONG) - 1),
    st.sampled_from(b'{}[]",:0a\\ ') | st.integers(0, 255),
)
def test_any_octet_of_a_large_list_changed(at: int, octet: int) -> None:
    """Read whole or in pieces, it claims the same, or is no list."""
    content = LONG[:at] + bytes([octet]) + LONG[at + 1 :]
    try:
        whole = native.read(content)
    except ListError:
        with pytest.raises(ListError):
            native._read_in_pieces(content)
    else:
        assert whole == native._read_in_pieces(content)


def test_a_large_list_has_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is read."""
    monkeypatch.setattr(native, "LIMIT", 1000)
    with pytest.raises(ListError, match="larger"):
        native._read_in_pieces(LONG)
