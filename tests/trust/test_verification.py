"""Whether an offered list may come into force: each numbered step, and their order."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from tests.trust.simulator import LIFE, NOW, ListAuthority, member
from trust.formats import native
from trust.verification import SKEW, Known, OfferError, Outcome, examine

CHU, LABO = member("chu.example"), member("labo.example")


@pytest.fixture
def authority() -> ListAuthority:
    return ListAuthority().add(CHU)


def known(authority: ListAuthority) -> Known:
    return Known(authority.version, native.digest(authority.content), authority.now)


def refusal(
    authority: ListAuthority, content: bytes, envelopes: list[bytes], before: Known | None = None
) -> tuple[Outcome, int | None]:
    with pytest.raises(OfferError) as refused:
        examine(content, envelopes, authority.quorum, before, NOW)
    return refused.value.outcome, refused.value.version


def test_a_good_list(authority: ListAuthority) -> None:
    """The first, the next, and one after a gap."""
    content, envelopes = authority.publish()
    assert examine(content, envelopes, authority.quorum, None, NOW).claims.version == 1
    first = known(authority)
    content, envelopes = authority.publish()
    assert examine(content, envelopes, authority.quorum, first, NOW).claims.version == 2
    content, envelopes = authority.publish()
    assert examine(content, envelopes, authority.quorum, first, NOW).claims.version == 3


def test_1_size(authority: ListAuthority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a byte of what is too large is looked at."""
    content, envelopes = authority.publish()
    monkeypatch.setattr(native, "LIMIT", len(content) - 1)
    assert refusal(authority, content, envelopes) == (Outcome.TOO_BIG, None)


def test_2_signatures(authority: ListAuthority) -> None:
    """Unsigned, signed by too few, or signed over other bytes, with or without a checksum beside."""
    content, envelopes = authority.publish()
    checksum = hashlib.sha256(content[:-9]).hexdigest().encode()
    for offer, files in (
        (content, []),
        (content, envelopes[:1]),
        (content.replace(b"chu", b"cha"), envelopes),
        (content[:-9], [*envelopes, checksum]),
        (content, authority.sign(content, 8, 9)),
    ):
        assert refusal(authority, offer, files) == (Outcome.UNSIGNED, None)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"<ListeBlancheMSSante/>", b'{"members":[]}', b'{"truncated":"']
)
def test_3_form(authority: ListAuthority, content: bytes) -> None:
    """Well signed and no list: truncated before it was signed, or empty."""
    assert refusal(authority, content, authority.sign(content)) == (Outcome.MALFORMED, None)


def test_4_date(authority: ListAuthority) -> None:
    """Issued tomorrow is not issued; a little ahead is how clocks are. Stale is still newer."""
    ahead = NOW + SKEW
    content, envelopes = authority.publish(issued=ahead)
    assert examine(content, envelopes, authority.quorum, None, NOW).claims.version == 1
    content, envelopes = authority.publish(issued=ahead + timedelta(seconds=1))
    assert refusal(authority, content, envelopes) == (Outcome.FUTURE, 2)
    content, envelopes = authority.publish(issued=NOW - LIFE, stale_after=NOW)
    assert examine(content, envelopes, authority.quorum, None, NOW).stale(NOW)


def test_5_roll_back(authority: ListAuthority) -> None:
    """An old list, however well signed, restores nobody."""
    content, envelopes = authority.publish()
    authority.publish()
    found = refusal(authority, content, envelopes, known(authority))
    assert found == (Outcome.ROLLED_BACK, 1)


def test_6_equivocation(authority: ListAuthority) -> None:
    """Two lists of one number; the same one again is no such thing."""
    content, envelopes = authority.publish()
    before = known(authority)
    assert examine(content, envelopes, authority.quorum, before, NOW).digest == before.digest
    other = ListAuthority().add(CHU, LABO)
    content, envelopes = other.publish()
    assert refusal(authority, content, envelopes, before) == (Outcome.EQUIVOCATION, 1)


def test_7_chain(authority: ListAuthority) -> None:
    """The next version names ours by its hash, or it follows from another history."""
    authority.publish()
    before = known(authority)
    other = ListAuthority().add(LABO)
    other.publish()
    content, envelopes = other.publish()
    assert refusal(authority, content, envelopes, before) == (Outcome.BROKEN_CHAIN, 2)
    content, envelopes = other.publish()
    assert examine(content, envelopes, authority.quorum, before, NOW).claims.version == 3


def test_8_order_in_time(authority: ListAuthority) -> None:
    """A later version is not older; unless we no longer know when ours was made."""
    authority.publish()
    before = known(authority)
    content, envelopes = authority.publish(issued=NOW - timedelta(seconds=1))
    assert refusal(authority, content, envelopes, before) == (Outcome.BACKDATED, 2)
    forgotten = Known(before.version, before.digest)
    assert examine(content, envelopes, authority.quorum, forgotten, NOW).claims.version == 2


def test_every_outcome_is_specified() -> None:
    """docs/trust-list.md names each by its word."""
    specification = (Path(__file__).parents[2] / "docs" / "trust-list.md").read_text("utf-8")
    assert [] == [outcome for outcome in Outcome if f"`{outcome}`" not in specification]
