"""A letter is what was typed, and nothing typed becomes more than that."""

import base64
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

from hypothesis import given
from hypothesis import strategies as st

from gateway.web.reading import letter as letters
from gateway.web.reading.letter import Base64, Letter, Original
from smtp.address import Address
from smtp.message.header import Header

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MARK = "<1@mx.chu.example>"


def _head(letter: Letter, **how: str) -> bytes:
    said = {"name": "Dr Durand", "boundary": "", **how}
    return letters.head(letters.cleaned(letter), said["name"], None, NOW, said["boundary"])


@given(st.text(), st.text(), st.text(), st.text())
def test_nothing_typed_is_a_field(to: str, subject: str, text: str, answers: str) -> None:
    """Whatever is typed, the header has its own fields and no other, each once."""
    letter = Letter("dr@chu.example", MARK, to=to, subject=subject, text=text, answers=answers)
    octets = _head(letter)
    block = octets[: octets.index(b"\r\n\r\n") + 4]
    names = [field.name for field in Header.parse(block).fields]
    assert len(names) == len(set(names))
    assert set(names) <= {
        *("date", "from", "to", "subject", "message-id", "in-reply-to", "references"),
        *("mime-version", "content-type", "content-transfer-encoding"),
    }
    assert all(len(row) <= 998 for row in octets.split(b"\r\n"))
    assert b"\n" not in octets.replace(b"\r\n", b"")


@given(st.text())
def test_a_draft_is_read_as_it_was_written(text: str) -> None:
    """Text survives its way through the Drafts folder."""
    letter = letters.cleaned(Letter("dr@chu.example", MARK, to="a@chu.example", text=text))
    found = message_from_bytes(_head(letter), policy=default).get_content()
    assert letter.text.removesuffix("\n") == found.replace("\r\n", "\n").removesuffix("\n")


@given(st.binary(max_size=400), st.integers(1, 60))
def test_base64_does_not_depend_on_the_blocks(octets: bytes, size: int) -> None:
    """However a file comes, its lines are the same."""
    coder = Base64()
    coded = b"".join(coder.feed(octets[at : at + size]) for at in range(0, len(octets), size))
    coded += coder.finish()
    assert (
        base64.encodebytes(octets).replace(b"\n", b"\r\n").count(b"\r\n") <= len(octets) // 57 + 1
    )
    assert octets == base64.b64decode(coded)
    assert all(len(row) <= 76 for row in coded.split(b"\r\n"))


def test_recipients_are_read_one_by_one() -> None:
    """Commas, semicolons and lines part them; a comma in a name does not."""
    letter = letters.cleaned(
        Letter(
            "dr@chu.example",
            MARK,
            to='"Durand, Ines" <ines@chu.example>; a@chu.example\nnobody',
            cc="<b@chu.example>",
        )
    )
    found = letters.recipients(letter)
    assert ["ines@chu.example", "a@chu.example", None, "b@chu.example"] == [
        one.named.address if one.named else None for one in found
    ]
    assert ["to", "to", "to", "cc"] == [one.field for one in found]


def test_a_header_is_what_others_read() -> None:
    """Names, subjects and addresses as any mail program writes them."""
    letter = Letter(
        "dr@chu.example",
        MARK,
        to="Zoé Martin <zoe@chu.example>, b@chu.example",
        bcc="c@chu.example",
        subject="Résultats",
        answers="<0@x>",
        thread="<a@x> <b@x>",
    )
    read = message_from_bytes(_head(letter, name="Dr Éric"), policy=default)
    assert "Dr Éric <dr@chu.example>" == str(read["from"])
    assert "Zoé Martin <zoe@chu.example>, b@chu.example" == str(read["to"])
    assert "c@chu.example" == str(read["bcc"])
    assert "Résultats" == read["subject"]
    assert "<a@x> <b@x> <0@x>" == " ".join(str(read["references"]).split())


def test_who_really_writes_is_said() -> None:
    """In another person's name, Sender says whose hand it is."""
    letter = Letter("chef@chu.example", MARK, to="a@chu.example")
    octets = letters.head(letter, "", Address("secretaire@chu.example"), NOW, "")
    assert b"Sender: <secretaire@chu.example>\r\n" in octets


def _original(**fields: str) -> Original:
    said = {
        "From": "Ines <ines@chu.example>",
        "To": "dr@chu.example, Zoe <zoe@chu.example>",
        "Cc": "ines@chu.example",
        "Subject": "Avis",
        "Message-ID": "<1@x>",
        "References": "<0@x>",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    raw = "".join(f"{name}: {value}\r\n" for name, value in said.items()).encode() + b"\r\n"
    return Original(Header.skim(raw), "Bonjour\n> avant", "hier")


def test_an_answer_goes_to_who_wrote() -> None:
    """To all means all but oneself, each once; what was said is quoted, the thread goes on."""
    own = frozenset({"dr@chu.example"})
    one = letters.reply(_original(), own, everybody=False, intro="Ines a écrit :")
    everybody = letters.reply(_original(), own, everybody=True, intro="Ines a écrit :")
    elsewhere = letters.reply(
        _original(Reply_To="cabinet@chu.example", Subject="RE: Avis"),
        own,
        everybody=False,
        intro="",
    )
    assert ('"Ines" <ines@chu.example>', "") == (one.to, one.cc)
    assert '"Zoe" <zoe@chu.example>' == everybody.cc
    assert "Re: Avis" == one.subject
    assert "RE: Avis" == elsewhere.subject
    assert "cabinet@chu.example" == elsewhere.to
    assert "\n\nInes a écrit :\n> Bonjour\n>> avant\n" == one.text
    assert ("<1@x>", "<0@x>") == (one.answers, one.thread)


def test_a_message_is_handed_on() -> None:
    """With its head in words and its text; whom it goes to is still to be said."""
    found = letters.forward(_original(), ["-- Transféré --", "De : Ines"])
    assert ("", "Fwd: Avis") == (found.to, found.subject)
    assert found.text.endswith("-- Transféré --\nDe : Ines\n\nBonjour\n> avant")


def test_a_draft_of_any_program_is_taken_up() -> None:
    """Even one whose recipients are no addresses yet."""
    raw = b"To: =?utf-8?q?Zo=C3=A9_quelque_part?=\r\nSubject: x\r\n\r\n"
    found = letters.opened(Header.skim(raw), "dr@chu.example", "t\n")
    assert ("Zoé quelque part", "x", "t", "") == (found.to, found.subject, found.text, found.mark)
    assert letters.marked(MARK) == MARK
    assert letters.marked("x") is None
    assert Letter("dr@chu.example", MARK).empty


def test_files_bear_their_names() -> None:
    """In ASCII as they are, beyond it as RFC 2231 has them; an end closes them."""
    assert b'filename="a b.pdf"' in letters.file_head("a b.pdf", "application/pdf", "x")
    assert b"filename*=utf-8''%C3%A9.pdf" in letters.file_head("é.pdf", "application/pdf", "x")
    assert b"--x--\r\n" == letters.closing("x")
    octets = letters.head(Letter("dr@chu.example", MARK), "", None, NOW, "x")
    assert b'boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain' in octets


def test_lists_without_end_are_bounded() -> None:
    """Of thousands of addresses the first are looked at, each whole; what is no list is nobody."""
    many = ", ".join(f"a{n}@chu.example" for n in range(5000))
    found = letters.reply(_original(To=many), frozenset(), everybody=True, intro="")
    assert found.cc.startswith("a0@chu.example, a1@chu.example")
    none = letters.reply(_original(From="<<>>"), frozenset(), everybody=False, intro="")
    assert "" == none.to
    taken = letters.opened(Header.skim(b"To: a@chu.example, <<>\r\n\r\n"), "dr@chu.example", "")
    assert "a@chu.example, <<>" == taken.to
