"""The values that a message carries all its way."""

from datetime import UTC, datetime, timedelta

import pytest

from smtp.address import parse
from smtp.envelope import Envelope, Mail, MessageId, Peer, Recipient, new_message_id, reference

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_ids_sort_by_time_and_never_meet() -> None:
    """26 characters, later ones greater, two of one moment different."""
    first, second = new_message_id(NOW), new_message_id(NOW)
    later = new_message_id(NOW + timedelta(milliseconds=1))
    assert {26} == {len(first), len(second), len(later)}
    assert first != second
    assert max(first, second) < later


def test_a_reference_can_be_read_out_on_the_telephone() -> None:
    """Eight characters in two groups, none of them easily mistaken."""
    assert "RSTV-WXYZ" == reference(MessageId("01JDABCDEFGHJKMNPQRSTVWXYZ"))
    assert not set("ILOU") & set(reference(new_message_id(NOW)))


@pytest.mark.parametrize(
    ("ip", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1::1", "2001:0db8:0000:0001::/64"),
        ("2001:db8:0:1:ffff::2", "2001:0db8:0000:0001::/64"),
        ("fe80::1%lo", "fe80:0000:0000:0000::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_network_is_one_place(ip: str, place: str) -> None:
    """A house has 2^64 addresses under IPv6, and no more rights than one with a single address."""
    assert place == Peer(ip).network


def test_an_envelope_speaks_for_its_mail() -> None:
    """Who from and the short name, without looking further."""
    to = Recipient(parse("b@x.example"))
    made = Envelope(new_message_id(NOW), NOW, Peer("192.0.2.1"), Mail(None), (to,))
    assert made.mail_from is None
    assert made.reference == reference(made.id)
