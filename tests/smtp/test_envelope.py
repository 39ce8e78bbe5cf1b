"""The values that a message carries all its way."""

from datetime import UTC, datetime, timedelta

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


def test_an_envelope_speaks_for_its_mail() -> None:
    """Who from and the short name, without looking further."""
    to = Recipient(parse("b@x.example"))
    made = Envelope(new_message_id(NOW), NOW, Peer("192.0.2.1"), Mail(None), (to,))
    assert made.mail_from is None
    assert made.reference == reference(made.id)
