"""Addresses: one type, made in one place, safe to compare and to write down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp.address import AddressError, domain_of, key, local_of, parse, parse_domain


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Dr.Martin@CHU-Nord.Example", "Dr.Martin@chu-nord.example"),
        ("a+b=c@x.example", "a+b=c@x.example"),
        ('"jean > dupont"@x.example', '"jean > dupont"@x.example'),
        (r'"a\"b"@x.example', r'"a\"b"@x.example'),
        ("hélène@hôpital.example", "hélène@xn--hpital-ixa.example"),
        ("he\u0301le\u0300ne@x.example", "hélène@x.example"),
        ("a@b@x.example", None),
        ("a", None),
        ("@x.example", None),
        ("a" * 65 + "@x.example", None),
        ("a..b@x.example", None),
        (".a@x.example", None),
        ("a b@x.example", None),
        ("a\r\nb@x.example", None),
        ("a\0b@x.example", None),
        ("a\u200bb@x.example", None),
        ("a\u037eb@x.example", None),  # a semicolon, in NFC
        ("a\u202eb@x.example", None),
        ("a\ud800@x.example", None),
        ("a@localhost", None),
        ("a@-x.example", None),
        ("a@x_y.example", None),
        ("a@x..example", None),
        ("a@" + "x" * 64 + ".example", None),
        ("a@" + "x." * 130 + "example", None),
        ("a@h\u00f4pital..example", None),
        ("a@[192.0.2.1]", None),
        ("", None),
    ],
)
def test_what_is_an_address_and_what_is_not(text: str, address: str | None) -> None:
    """Whole, visible, fully qualified; the domain in A-labels, the local part as written."""
    try:
        parsed: str | None = parse(text)
    except AddressError:
        parsed = None
    assert address == parsed


def test_without_smtputf8_there_is_only_ascii() -> None:
    """A transaction that did not ask for SMTPUTF8 has no other letters."""
    with pytest.raises(AddressError, match="SMTPUTF8"):
        parse("hélène@x.example", utf8=False)


def test_two_spellings_of_one_mailbox_have_one_key() -> None:
    """Look-ups ignore case and compatibility forms; what was written is kept."""
    assert key(parse("Dr.MARTIN@x.example")) == key(parse("dr.martin@x.example"))
    assert key(parse("HÉLÈNE@x.example")) == key(parse("hélène@x.example"))
    assert key(parse("ﬁle@x.example")) == key(parse("file@x.example"))


def test_an_address_has_two_halves() -> None:
    """The last @ divides, as in a quoted local part with an @ of its own."""
    address = parse('"a@b"@X.example')
    assert ('"a@b"', "x.example") == (local_of(address), domain_of(address))


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_our_error(text: str) -> None:
    """Nothing else can happen; and what is an address stays that address."""
    try:
        address = parse(text)
    except AddressError:
        return
    assert address == parse(address)
    assert address.rpartition("@")[2].isascii()


@given(st.text(max_size=80))
def test_any_text_is_a_domain_or_our_error(text: str) -> None:
    """A domain that was parsed is its own parse."""
    try:
        domain = parse_domain(text)
    except AddressError:
        return
    assert domain == parse_domain(domain) == domain.lower()
