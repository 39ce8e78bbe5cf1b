"""What goes out: commands that fit what the next hop offers, refusals where nothing fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from smtp.address import parse
from smtp.envelope import Body, Notify, Recipient, Ret
from smtp.receive.command import decode_xtext
from smtp.reply import Reply
from smtp.send.outgoing import (
    NO_EIGHT_BIT,
    NO_UTF8_ADDRESSES,
    TOO_BIG_FOR_THEM,
    Offer,
    Outgoing,
    xtext,
)

TO = Recipient(parse("accueil@chu.example"))
MESSAGE = Outgoing(
    parse("martin@labo.example"),
    (TO,),
    size=1000,
    body=Body.EIGHT_BIT,
    envid="id=1+2",
    ret=Ret.HDRS,
    transfer="01K0T",
)
FULL = Offer.parse(
    [
        "PIPELINING",
        "SIZE 2000",
        "8bitmime",
        "SMTPUTF8",
        "DSN",
        "XTRANSFER",
        "LIMITS RCPTMAX=20 MAILMAX=5",
    ]
)


def test_an_offer_is_read_whatever_its_case() -> None:
    """Keywords are case-blind, limits are numbers."""
    assert "8BITMIME" in FULL
    assert "CHUNKING" not in FULL
    assert (2000, 20, 5) == (FULL.size, FULL.rcpt_max, FULL.mail_max)


@pytest.mark.parametrize(
    "line",
    ["SIZE", "SIZE x", "SIZE -1", "SIZE " + "9" * 30, "LIMITS", "LIMITS RCPTMAX=x =", "", "  "],
)
def test_an_offer_without_sense_is_no_limit(line: str) -> None:
    """What a peer says wrongly counts as not said."""
    offer = Offer.parse([line])
    assert (0, None, None) == (offer.size, offer.rcpt_max, offer.mail_max)


def test_mail_carries_what_they_understand() -> None:
    """Every parameter goes to a peer that offers all."""
    assert (
        b"MAIL FROM:<martin@labo.example> SIZE=1000 BODY=8BITMIME RET=HDRS"
        b" ENVID=id+3D1+2B2 XTRANSFER=01K0T\r\n"
    ) == FULL.mail(MESSAGE)


def test_what_stands_for_a_larger_message_says_so_to_who_fetches_it() -> None:
    """Only another Sceau is told how long the whole is, and only if it asked."""
    standing = replace(MESSAGE, large=500_000, transfer=None, envid=None)
    fetching = Offer.parse(["SIZE 2000", "XLARGE 600000"])

    assert 600_000 == fetching.large
    assert fetching.mail(standing).endswith(b" SIZE=1000 XLARGE=500000\r\n")
    assert b"XLARGE" not in FULL.mail(standing)


def test_mail_leaves_out_what_they_do_not() -> None:
    """A peer that offers nothing gets nothing that it could stumble over."""
    plain = replace(MESSAGE, body=Body.SEVEN_BIT)
    assert b"MAIL FROM:<martin@labo.example>\r\n" == Offer().mail(plain)
    assert b"MAIL FROM:<martin@labo.example> SIZE=1000\r\n" == FULL.mail(
        replace(plain, ret=None, envid=None, transfer=None)
    )


def test_the_null_reverse_path() -> None:
    """A report is sent from nobody."""
    assert b"MAIL FROM:<>\r\n" == Offer().mail(Outgoing(None, (TO,), 10))


def test_rcpt_carries_notify_and_orcpt() -> None:
    """Who wants to be told of what, and under which name the sender knows the recipient."""
    asked = Recipient(
        TO.address, frozenset({Notify.SUCCESS, Notify.DELAY}), "rfc822;old name+x@chu.example"
    )
    assert (
        b"RCPT TO:<accueil@chu.example> NOTIFY=DELAY,SUCCESS"
        b" ORCPT=rfc822;old+20name+2Bx@chu.example\r\n"
    ) == FULL.rcpt(asked)
    assert b"RCPT TO:<accueil@chu.example>\r\n" == FULL.rcpt(TO)
    assert b"RCPT TO:<accueil@chu.example>\r\n" == Offer().rcpt(asked)


@pytest.mark.parametrize(
    ("orcpt", "expected"),
    [
        ("utf-8;hélène@chu.example", rb"utf-8;h\x{E9}l\x{E8}ne@chu.example"),
        ("rfc822;hélène@chu.example", rb"utf-8;h\x{E9}l\x{E8}ne@chu.example"),
        ("UTF-8;a+b\\c@chu.example", rb"utf-8;a\x{2B}b\x{5C}c@chu.example"),
    ],
)
def test_an_original_recipient_beyond_ascii_needs_no_smtputf8(orcpt: str, expected: bytes) -> None:
    """RFC 6533's encoding is ASCII, and no conversion of the address."""
    assert b"RCPT TO:<accueil@chu.example> ORCPT=%b\r\n" % expected == FULL.rcpt(
        Recipient(TO.address, orcpt=orcpt)
    )


@pytest.mark.parametrize(
    ("message", "offered", "refusal"),
    [
        (MESSAGE, ["8BITMIME"], None),
        (MESSAGE, [], NO_EIGHT_BIT),
        (replace(MESSAGE, smtputf8=True), ["8BITMIME"], NO_UTF8_ADDRESSES),
        (replace(MESSAGE, smtputf8=True), ["8BITMIME", "SMTPUTF8"], None),
        (replace(MESSAGE, mail_from=parse("é@b.example")), ["8BITMIME"], NO_UTF8_ADDRESSES),
        (
            replace(MESSAGE, recipients=(Recipient(parse("é@b.example")),)),
            ["8BITMIME"],
            NO_UTF8_ADDRESSES,
        ),
        (MESSAGE, ["8BITMIME", "SIZE 999"], TOO_BIG_FOR_THEM),
        (MESSAGE, ["8BITMIME", "SIZE 1000"], None),
        (MESSAGE, ["8BITMIME", "SIZE 0"], None),
    ],
)
def test_no_conversion(message: Outgoing, offered: list[str], refusal: Reply | None) -> None:
    """A hop that cannot take the message as it is does not get it: 5.6.3, 5.6.7, 5.3.4."""
    assert refusal == Offer.parse(offered).refusal(message)


def test_an_international_message_says_so() -> None:
    """SMTPUTF8 is asked for where an address needs it, flagged or not."""
    message = replace(MESSAGE, mail_from=parse("é@b.example"), body=Body.SEVEN_BIT)
    assert b" SMTPUTF8" in FULL.mail(message)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_xtext_round_trip(text: str) -> None:
    """What we encode, a server decodes to the same."""
    assert text == decode_xtext(xtext(text)) if text else xtext(text) == ""
