"""Reports of others: read whatever their authors made of the RFCs, or let be."""

from textwrap import dedent

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtp.message.dsn import Action, Fate, Kind, Report
from smtp.message.dsn_reader import read
from smtp.message.header import Header

REPORT_TYPE = b"multipart/report; report-type=x; boundary=B1"


def reading(text: str | bytes, content_type: bytes = REPORT_TYPE) -> Report | None:
    body = dedent(text).replace("\n", "\r\n").encode() if isinstance(text, str) else text
    return read(Header.skim(b"Content-Type: " + content_type + b"\r\n\r\n"), body)


def recipients(text: str | bytes) -> list[tuple[str | None, Action]]:
    report = reading(text)
    return [] if report is None else [(fate.final, fate.action) for fate in report.recipients]


POSTFIX = """\
    This is a MIME-encapsulated message.

    --B1
    Content-Description: Notification
    Content-Type: text/plain; charset=us-ascii

    This is the mail system at host mx.chu.example.

    --B1
    Content-Description: Delivery report
    Content-Type: message/delivery-status

    Reporting-MTA: dns; mx.chu.example
    Original-Envelope-Id: 01K0ENV
    X-Postfix-Queue-ID: ABC
    X-Postfix-Sender: rfc822; martin@labo.example
    Arrival-Date: Sun,  1 Mar 2026 08:05:09 +0000 (UTC)

    Final-Recipient: rfc822; a@chu.example
    Original-Recipient: rfc822;a@chu.example
    Action: failed
    Status: 5.1.1
    Remote-MTA: dns; back.chu.example
    Diagnostic-Code: smtp; 550 5.1.1 <a@chu.example>: unknown;
        try again with the right name

    Final-Recipient: rfc822; b@chu.example
    Action: relayed (to non-DSN-aware mailer)
    Status: 2.0.0

    --B1
    Content-Description: Undelivered Message Headers
    Content-Type: text/rfc822-headers

    Return-Path: <martin@labo.example>
    Message-ID: <m1@labo.example>
    Subject: S

    --B1--
    """


def test_a_postfix_report_is_read_whole() -> None:
    """Order of the address fields, comments and folds are as each server likes them."""
    assert Report(
        Kind.STATUS,
        "mx.chu.example",
        (
            Fate(
                final="a@chu.example",  # type: ignore[arg-type]
                action=Action.FAILED,
                status="5.1.1",
                original="rfc822;a@chu.example",
                diagnostic="550 5.1.1 <a@chu.example>: unknown; try again with the right name",
                remote_mta="back.chu.example",
            ),
            Fate(
                final="b@chu.example",  # type: ignore[arg-type]
                action=Action.RELAYED,
                status="2.0.0",
            ),
        ),
        "01K0ENV",
        "<m1@labo.example>",
    ) == reading(POSTFIX)


FRENCH = """\

    --B1
    Content-Type: text/plain; charset="UTF-8"
    Content-Transfert-Encoding: 8bit

    Le document n'a pas pu être intégré : 902^Identifiant de patient inconnu

    --B1
    Content-Type: message/disposition-notification

    Original-Recipient: rfc822;auto@chb.example
    Final-Recipient: rfc822;auto@chb.example
    Original-Message-ID: <m1@chu.example>
    Disposition:automatic-action/MDN-sent-automatically; processed/Error: 902^Identifiant de patient inconnu^x| E^Error

    --B1
    Content-Type: message/rfc822

    Message-ID: <other@chu.example>

    --B1
    Content-Type: application/zip; name="IHE_XDM.zip"
    Content-Transfert-Encoding: base64

    UEsDBA==

    --B1\u2014
    """

TIGHT = """\
    --B1
    Content-Type: text/plain
    Non intégré.
    --B1
    Content-Type: message/disposition-notification
    Content-Transfert-Encoding: 8bit
    Original-Recipient: rfc822;auto@chb.example
    Final-Recipient: rfc822;auto@chb.example
    Original-Message-ID: <m1@chu.example>
    Disposition: automatic-action/MDN-sent-automatically; processed/error: 902^Identifiant de patient inconnu^x| E^Error
    \u2014B1\u2014
    """


@pytest.mark.parametrize("text", [FRENCH, TIGHT, FRENCH.replace("\n\n", "\n")])
def test_the_official_example_and_its_deviations_are_read(text: str) -> None:
    """R-F4: error text inside Disposition, extra parts, em-dash boundaries, no blank lines."""
    report = reading(text)
    assert report is not None
    assert (Kind.DISPOSITION, "<m1@chu.example>") == (report.kind, report.original_message_id)
    (fate,) = report.recipients
    assert ("auto@chb.example", Action.FAILED) == (fate.final, fate.action)
    assert "rfc822;auto@chb.example" == fate.original
    assert "902^Identifiant de patient inconnu^x| E^Error" == fate.diagnostic


def machine(fields: str, intro: str = "", kind: str = "disposition-notification") -> str:
    return f"--B1\nContent-Type: message/{kind}\n{intro}\n{dedent(fields)}\n--B1--\n"


@pytest.mark.parametrize(
    ("disposition", "action", "diagnostic"),
    [
        ("manual-action/MDN-sent-manually; displayed", Action.DISPLAYED, ""),
        ("manual-action/MDN-sent-manually;DISPLAYED", Action.DISPLAYED, ""),
        ("automatic-action/MDN-sent-automatically; processed", Action.PROCESSED, ""),
        ("automatic-action/MDN-sent-automatically; processed/warning", Action.PROCESSED, ""),
        ("automatic-action/MDN-sent-automatically; processed/error", Action.FAILED, "no patient"),
        ("automatic-action/MDN-sent-automatically; failed/failure: x", Action.FAILED, "x"),
        ("manual-action/MDN-sent-manually; deleted", Action.DELETED, "no patient"),
        ("processed/Error: 901^a; b", Action.FAILED, "901^a; b"),
        ("displayed", Action.DISPLAYED, ""),
        ("manual-action/MDN-sent-manually; denied", Action.OTHER, ""),
        ("manual-action; something-else", Action.OTHER, ""),
        ("", Action.OTHER, ""),
    ],
)
def test_dispositions(disposition: str, action: Action, diagnostic: str) -> None:
    """An error makes a failure of whatever was done; what is unknown is no reading."""
    extra = "Error: no patient\n" if diagnostic == "no patient" else ""
    report = reading(
        machine(f"Final-Recipient: rfc822;a@b.example\nDisposition: {disposition}\n{extra}")
    )
    assert report is not None
    assert (action, diagnostic) == (report.recipients[0].action, report.recipients[0].diagnostic)


def test_thunderbird_says_who_it_is() -> None:
    """An MDN has a reporting user agent in the place of a host."""
    report = reading(
        machine(
            "Reporting-UA: chu.example; Mozilla Thunderbird\nFinal-Recipient: rfc822;a@b.example"
        )
    )
    assert report is not None
    assert "Mozilla Thunderbird" == report.reporting_mta


@pytest.mark.parametrize(
    "fields",
    [
        (
            "Final-Recipient: rfc822;a@b.example\nAction: failed\n\nOriginal-Recipient: rfc822;c@d.example\n"
            "Final-Recipient: rfc822;c@d.example\nAction: delayed\n"
        ),
        (
            "Final-Recipient: rfc822;a@b.example\nAction: failed\nOriginal-Recipient: rfc822;c@d.example\n"
            "Final-Recipient: rfc822;c@d.example\nAction: delayed\n"
        ),
        (
            "Action: failed\nFinal-Recipient: rfc822;a@b.example\n\nAction: delayed\n"
            "Final-Recipient: rfc822;c@d.example\n"
        ),
        (
            "Final-Recipient: rfc822;a@b.example\n\nAction: failed\n\nFinal-Recipient: rfc822;c@d.example\n\n"
            "Action: delayed\n"
        ),
        (
            "Original-Recipient: rfc822;a@b.example\nFinal-Recipient: <a@b.example>\nAction: FAILED\nX: y\nX: z\n"
            "\nfinal-recipient : RFC822 ; c@d.example\naction:delayed\n"
        ),
    ],
)
def test_recipients_are_told_apart_without_trusting_blank_lines(fields: str) -> None:
    """Fields belong to the recipient they stand with, blank lines missing or in excess."""
    assert [("a@b.example", Action.FAILED), ("c@d.example", Action.DELAYED)] == recipients(
        machine(fields, kind="delivery-status")
    )


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("quoted-printable", "Final-Recipient: rfc822;a=40b.example\nAction: fail=\ned\n"),
        ("base64", "RmluYWwtUmVjaXBpZW50OiByZmM4MjI7YUBiLmV4YW1wbGUNCkFjdGlvbjogZmFpbGVkDQo=\n"),
    ],
)
def test_an_encoded_part_is_decoded(encoding: str, content: str) -> None:
    """The part for programs should not be encoded, and sometimes is."""
    intro = f"Content-Transfer-Encoding: {encoding}\n"
    assert [("a@b.example", Action.FAILED)] == recipients(
        machine(content, intro, kind="global-delivery-status")
    )


def test_what_cannot_be_decoded_is_no_report() -> None:
    """Broken base64 tells nothing."""
    assert [] == recipients(machine("A\n", "Content-Transfer-Encoding: base64\n"))


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        (POSTFIX, b"multipart/mixed; boundary=B1"),
        (POSTFIX, b""),
        ("--B1\nContent-Type: text/plain\n\nhello\n--B1--\n", REPORT_TYPE),
        ("--B1\nContent-Type: message/delivery-status\n\n\n--B1--\n", REPORT_TYPE),
        (
            (
                "--B1\nContent-Type: message/rfc822\n\nContent-Type: message/delivery-status\n\n"
                "Final-Recipient: rfc822;a@b.example\nAction: delivered\n\n--B1--\n"
            ),
            REPORT_TYPE,
        ),
    ],
)
def test_what_is_no_report_is_left_alone(text: str, content_type: bytes) -> None:
    """Ordinary mail, and a report inside the message that came back, are not ours to act on."""
    assert reading(text, content_type) is None


def test_no_content_type_is_no_report() -> None:
    """A message without MIME is ordinary mail."""
    assert read(Header.parse(b"Subject: x\r\n\r\n"), POSTFIX.encode()) is None


def test_an_address_that_is_none_is_left_out() -> None:
    """What the report names may be no mail address at all; the rest still counts."""
    assert [(None, Action.FAILED)] == recipients(
        machine("Final-Recipient: x400; /c=fr/\nAction: failed\n", kind="delivery-status")
    )
    report = reading(
        machine(
            "Original-Recipient: a@b.example\nFinal-Recipient: \nAction: ?", kind="delivery-status"
        )
    )
    assert report is not None
    assert ("rfc822;a@b.example", Action.OTHER) == (
        report.recipients[0].original,
        report.recipients[0].action,
    )


def test_a_report_of_ten_thousand_recipients_is_bounded() -> None:
    """A report cannot make us hold more than it is worth."""
    fields = "Final-Recipient: rfc822;a@b.example\nAction: failed\n\n" * 10_000
    assert 1000 == len(recipients(machine(fields, kind="delivery-status")))


@example(b"Content-Type: message/delivery-status")
@example(b"Content-Type: message/delivery-status\r\nContent-Trans: base64\r\nA")
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                b"Content-Type: message/delivery-status",
                b"Content-Type: message/disposition-notification",
                b"Content-Type: text/rfc822-headers",
                b"Content-Transfer-Encoding: base64",
                b"Content-Transfer-Encoding: quoted-printable",
                b"Final-Recipient: rfc822;\xe9@b.example",
                b"Original-Recipient: ;;",
                b"Action: failed",
                b"Disposition: x; processed/error",
                b"Status: 5.1.1.1",
                b"Message-ID: <a@b.example>",
                b"=\xe9=",
                b"",
                b" folded",
                b"--B1",
            ]
        ),
        max_size=12,
    ).map(b"\r\n".join)
)
def test_any_bytes_are_a_report_or_none(body: bytes) -> None:
    """No report makes the reader fail."""
    report = reading(body)
    assert report is None or report.recipients
