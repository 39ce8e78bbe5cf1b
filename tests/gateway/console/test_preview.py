"""A held message is looked at without anything in it acting on who looks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from gateway.console.preview import kind_of, preview

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def told(**more: Any) -> dict[str, Any]:
    """Return what the operation answers."""
    return {"headers": [["Subject", "Résultats"]], "texts": [], "parts": [], **more}


def part(number: str = "1", name: str = "a.pdf", **more: Any) -> dict[str, Any]:
    return {
        "part": number,
        "type": "application/pdf",
        "name": name,
        "octets": 2048,
        "sha256": "ab" * 32,
        **more,
    }


def test_its_words_are_text() -> None:
    """Plain text as it is, without marks that deceive; the header in its order."""
    text = {"type": "text/plain", "text": "Bonjour\r\n\u202egpj", "cut": True}
    found = preview(told(texts=[text], headers=[["From", "a"], ["SUBJECT", "x\r\ny"]]), "fr")
    assert ("x y", (("From", "a"), ("SUBJECT", "x y"))) == (found.subject, found.fields)
    assert ("Bonjour\ngpj", False, True) == found.texts[0]


def test_html_is_written_anew() -> None:
    """Where a link led is beside its words, in the reader's language; nothing else is left of it."""
    text = {"type": "text/html", "text": f'<p>Oui<a href="https://x.example/">ici</a>{HOSTILE}</p>'}
    (french,) = preview(told(texts=[text]), "fr").texts
    assert french.rich
    assert "[lien : https://x.example/]" in french.text
    assert "link:" in preview(told(texts=[text]), "en").texts[0].text
    assert "<script" not in french.text
    assert "<img" not in french.text


def test_its_parts_are_a_tree() -> None:
    """Numbers tell the depth; names are made honest; what was found stands beside."""
    found = preview(
        told(
            parts=[
                part("TEXT", "", type="multipart/mixed", sha256=None),
                part("1", "facture\u202efdp.exe", reasons=["executable"]),
            ]
        ),
        "fr",
    )
    folder, program = found.pieces
    assert ("folder", "", 0, "") == (folder.kind, folder.name, folder.depth, folder.sha256)
    assert ("program", "facturefdp.exe", 1, ("executable",), "2,0\xa0Ko") == (
        program.kind,
        program.name,
        program.depth,
        program.reasons,
        program.size,
    )


def test_a_page_has_an_end() -> None:
    """However many parts there are."""
    found = preview(told(parts=[part(str(n)) for n in range(203)]), "en")
    assert (200, 3) == (len(found.pieces), found.more)


@pytest.mark.parametrize(
    ("media", "name", "kind"),
    [
        ("application/pdf", "facture.pdf.exe", "program"),
        ("application/zip", "a.zip", "archive"),
        ("application/octet-stream", "x.DOCM", "document"),
        ("image/png", "", "picture"),
        ("message/rfc822", "", "message"),
        ("text/plain", "", "text"),
        ("application/octet-stream", "x", "other"),
        ("", "", "other"),
    ],
)
def test_a_part_is_drawn_as_what_would_be_opened(media: str, name: str, kind: str) -> None:
    """The name counts before the type that its sender wrote."""
    assert kind == kind_of(media, name)


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_foreign_becomes_markup(value: str, name: str) -> None:
    """Whatever the header and the names hold is plain text: the page escapes it."""
    found = preview(told(headers=[[name, value]], parts=[part("1", name)]), "fr")
    for text in (found.subject, *found.fields[0], found.pieces[0].name):
        assert not isinstance(text, Markup)
        assert "<" not in escape(text)
