"""Of HTML mail nothing comes through but words, in a few tags of ours."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.reading.markup import safe

_TAGS = re.compile(r"</?([a-z0-9]+)>")
_OURS = frozenset(
    [
        "p",
        "div",
        "blockquote",
        "ul",
        "ol",
        "li",
        "pre",
        "table",
        "tbody",
        "thead",
        "tr",
        "td",
        "th",
        "b",
        "strong",
        "i",
        "em",
        "u",
        "s",
        "sub",
        "sup",
        "code",
        "h3",
        "h4",
        "br",
        "hr",
        "span",
    ]
)
_PIECES = st.sampled_from(
    [
        "<", ">", "'", '"', "&", "<script>", "</script>", "<p>", "</p>", "<b", " onload=x", "<img src=x>",
        "<a href='javascript:x'>", "</a>", "<svg>", "<style>", "<!--", "-->", "<table>", "<td>", "\0",
        "&lt;script&gt;", "<iframe srcdoc='<b>'>", "<math>", "<plaintext>", "<![CDATA[", "<?x", "é",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(_PIECES, st.text(max_size=20)), max_size=40))
def test_any_text_gives_harmless_markup(pieces: list[str]) -> None:
    """Every tag is ours, bare, and ended in its turn; everything else is escaped."""
    found, _ = safe("".join(pieces))
    assert set(_TAGS.findall(found)) <= _OURS
    assert "<" not in _TAGS.sub("", found)
    opened: list[str] = []
    for match in _TAGS.finditer(found):
        if match[1] in {"br", "hr"}:
            continue
        if match[0].startswith("</"):
            assert opened.pop() == match[1]
        else:
            opened.append(match[1])
    assert [] == opened


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>canari()</script>",
        "<style>canari{}</style>",
        "<svg><script>canari</script></svg>",
        "<iframe srcdoc='canari'>canari</iframe>",
        "<textarea>canari</textarea>",
        "<p onclick='canari'>x</p>",
        "<img src='https://canari.example/pixel'>",
        "<form action='https://canari.example'><input value=canari></form>",
        "<link rel=stylesheet href=//canari.example>",
        "<meta http-equiv=refresh content='0;url=//canari.example'>",
        "<base href=//canari.example>",
        "<object data=canari>canari</object>",
        "<div style='background:url(canari)'>x</div>",
    ],
)
def test_what_acts_is_gone(hostile: str) -> None:
    """Scripts, styles, frames, forms, pictures: neither they nor what they hold."""
    assert "canari" not in safe(f"avant {hostile} après")[0]
    assert "après" in safe(f"avant {hostile} après")[0]


def test_a_link_says_where_it_leads() -> None:
    """Beside its words, in clear; not twice where the words say it already."""
    assert "votre banque <span>[link: https://evil.example/]</span> " == str(
        safe("<a href='https://evil.example/'>votre banque</a>")[0]
    )
    same = "<a href='https://chu.example/'>https://chu.example/</a>"
    assert "https://chu.example/" == str(safe(same)[0])
    assert "[image: logo]" == str(safe("<img src=x alt=logo>")[0])


def test_words_keep_their_shape() -> None:
    """Headings, lists and tables stay what they are."""
    found, cut = safe("<h1>T</h1><ul><li>a<li>b</ul><table><tr><td>1<td>2</table>")
    expected = "<h3>T</h3><ul><li>a</li><li>b</li></ul><table><tr><td>1</td><td>2</td></tr></table>"
    assert expected == str(found)
    assert not cut


def test_a_bomb_is_cut_and_says_so() -> None:
    """Depth and length are bounded, and the page can tell."""
    deep, cut = safe("<div>" * 100_000 + "x")
    assert cut
    assert len(deep) < 10_000
    long, cut = safe("<p>mot</p>" * 200_000)
    assert cut
    assert len(long) < 800_000
    assert ("", False) == safe("")


def test_ends_that_nothing_began() -> None:
    """Stray ends, links without words, crossed tags: nothing is left open."""
    assert "<b>a<i>b</i></b>" == str(safe("</p><b>a<i>b</b>")[0]).replace("<p></p>", "")
    assert "" == str(safe("<a></a>")[0]).strip()
    assert "a<br>b" == str(safe("a<br>b</a>")[0])
