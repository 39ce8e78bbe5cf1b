"""Search finds what a reader would see: encoded words, charsets, attached messages, file names."""

import pytest

from imap.folder import UidSet
from imap.store import Mailboxes, Wanted, searching
from tests.imap.store.conftest import append
from tests.world.rest import Rest
from vault.database import Statement

ALL = UidSet([(1, (1 << 32) - 1)])
NESTED = (
    b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"Y2Fm6Q==\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: attach\xc3\xa9\r\n\r\ninner\r\n"
    b"--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: x-odd\r\n\r\n<i>o</i>dd\r\n"
    b"--b\r\nContent-Type: application/pdf; name=bilan.pdf\r\n\r\nsecret octets\r\n--b--\r\n"
)


async def found(mailboxes: Mailboxes, inbox: int, field: str, needle: str, name: str = "") -> str:
    wanted = Wanted(field, name, needle)  # type: ignore[arg-type]
    return str(await mailboxes.search(inbox, ALL, wanted))


@pytest.mark.parametrize(
    ("field", "name", "needle", "expected"),
    [
        ("HEADER", "Subject", "résultat dupont", "1"),
        ("HEADER", "SUBJECT", "outer", "2"),
        ("HEADER", "from", "jérôme", "1"),
        ("HEADER", "from", "J@LABO", "1"),
        ("HEADER", "subject", "", "1:2"),
        ("HEADER", "x-none", "", ""),
        ("HEADER", "to", "potassium", ""),
        ("BODY", "", "POTASSIUM ÉLEVÉ", "1"),
        ("BODY", "", "dupont", ""),
        ("BODY", "", "CAFÉ", "2"),
        ("BODY", "", "attaché", "2"),
        ("BODY", "", "inner", "2"),
        ("BODY", "", "odd", "2"),
        ("BODY", "", "bilan.PDF", "2"),
        ("BODY", "", "secret octets", ""),
        ("TEXT", "", "dupont", "1"),
        ("TEXT", "", "message-id: <r1", "1"),
        ("TEXT", "", "inner", "2"),
        ("TEXT", "", "nowhere", ""),
        ("BODY", "", "", "1:2"),
    ],
)
async def test_what_is_found(
    mailboxes: Mailboxes, inbox: int, field: str, name: str, needle: str, expected: str
) -> None:
    """In the named field, in the text, or in both (RFC 3501 §6.4.4)."""
    await append(mailboxes, inbox)
    await append(mailboxes, inbox, message=NESTED)
    assert expected == await found(mailboxes, inbox, field, needle, name)


async def test_people_are_found_as_the_envelope_has_them(mailboxes: Mailboxes, inbox: int) -> None:
    """Comments and spaces within an address hide nobody (RFC 3501 §6.4.4: FROM, TO, CC, BCC)."""
    message = b"From: Labo <res (of) . ultats @ (the) labo.example>\r\nX-From: a @ b\r\n\r\n"
    await append(mailboxes, inbox, message=message)

    assert "1" == await found(mailboxes, inbox, "HEADER", "res.ultats@labo.example", "From")
    assert "1" == await found(mailboxes, inbox, "HEADER", "(of)", "From")
    assert "1" == await found(mailboxes, inbox, "HEADER", "a @ b", "x-from")
    assert "" == await found(mailboxes, inbox, "HEADER", "a@b", "x-from")


async def test_a_large_text_is_read_in_pieces(
    mailboxes: Mailboxes, inbox: int, rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word across two pieces is found; in the database or in a file of its own."""
    monkeypatch.setattr(searching, "_BLOCK", 7)
    await append(mailboxes, inbox, message=b"\r\n" + b"x" * 100 + b"needle" + b"y" * 100)
    rest.vault._inline_limit = 10
    await append(mailboxes, inbox, message=b"\r\n" + b"x" * 101 + b"needle" + b"y" * 100)

    assert "1:2" == await found(mailboxes, inbox, "BODY", "needle")


async def test_what_does_not_open_is_not_found(
    mailboxes: Mailboxes, inbox: int, rest: Rest
) -> None:
    """A body that somebody changed, or whose key is gone, stops no search."""
    for _ in range(3):
        await append(mailboxes, inbox)
    await rest.commit(
        [
            Statement(
                "UPDATE body SET sealed = zeroblob(length(sealed)) WHERE rowid ="
                " (SELECT min(rowid) FROM body)"
            ),
            Statement("DELETE FROM wrap WHERE body = (SELECT max(id) FROM body)"),
        ]
    )
    assert "2" == await found(mailboxes, inbox, "TEXT", "potassium")
