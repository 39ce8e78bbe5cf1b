"""What the names in a watched folder mean."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.labs import names
from gateway.labs.names import Answer, Form, Offered


def test_results_have_their_companions() -> None:
    """Answers, companions, half-written and hidden files are not results; unknown kinds are told."""
    lying = [
        "a.pdf",
        "a.pdf.json",
        "b.xml",
        "c.eml",
        "C.EML.accepted.json",
        "d.pdf.json",
        ".hidden.pdf",
        "e.pdf.tmp",
        "f.pdf.PART",
        "g.exe",
        "failed",
        ".claimed",
        "h.pdf~",
    ]
    assert [
        Offered("a.pdf", "a.pdf.json"),
        Offered("b.xml", None),
        Offered("c.eml", None),
        Offered("g.exe", None),
    ] == list(names.offered(lying))


def test_a_kind_is_told_by_the_end_of_a_name() -> None:
    """In capitals too."""
    assert [Form.PDF, Form.CDA, Form.MAIL, None] == [
        names.form(each) for each in ("A.PDF", "b.xml", "c.Eml", "d.docx")
    ]


_OCTETS = st.binary(min_size=1, max_size=255).filter(lambda name: not set(b"/\x00") & set(name))
_NAMES = st.one_of(_OCTETS, _OCTETS.map(lambda name: name[:251] + b".PDF"))


@given(_NAMES.map(lambda name: name.decode("utf-8", "surrogateescape")))
def test_every_answer_and_claim_has_a_name_that_fits(name: str) -> None:
    """Whatever a file is called; what it is stays known, and two files never share an answer."""
    short = names.short(name)
    assert short == names.short(short)
    assert names.form(name) == names.form(short)
    assert short != names.short("x" + name)
    for each in (*(names.answer(short, each) for each in Answer), names.claim("0" * 32, short)):
        assert len(f"{each}.json".encode("utf-8", "surrogateescape")) <= 255
    assert [] == list(names.offered([names.answer(short, Answer.FAILED)]))


def test_a_long_name_keeps_its_beginning_and_its_kind() -> None:
    """A person finds the answer beside the file."""
    assert names.short("a" * 250 + ".PDF").startswith("a" * 120 + "~")
    assert names.short("a" * 250 + ".PDF").endswith(".pdf")
    assert "." not in names.short("é" * 120)


def test_claims_are_found_again() -> None:
    """By their mark; what lies there for another reason is left alone."""
    mark = "0123456789abcdef" * 2
    lying = [
        names.claim(mark, "a.b.pdf"),
        names.claim(mark, "a.b.pdf") + ".json",
        "x.pdf",
        mark,
        mark + ".",
        mark.upper() + ".pdf",
    ]
    assert [(mark, "a.b.pdf")] == list(names.claims(lying))
