"""Command lines: read whole or refused, whatever they are made of."""

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtp import reply
from smtp.address import parse
from smtp.envelope import Body, Mail, Notify, Recipient, Ret
from smtp.receive import command
from smtp.receive.command import MAIL_PARAMETERS, MAX_LINE, CommandError, Lines
from smtp.reply import Reply

OFFERED = MAIL_PARAMETERS | {"XTRANSFER", "XLARGE", "AUTH"}


def refusal(act: str, *args: object, **kwargs: object) -> Reply:
    with pytest.raises(CommandError) as caught:
        getattr(command, act)(*args, **kwargs)
    assert str(caught.value.reply) == str(caught.value)
    return caught.value.reply


def recipient(argument: str, *, smtputf8: bool = False, postmaster: str = "") -> Recipient:
    return command.recipient(argument, smtputf8=smtputf8, postmaster=postmaster)


# Lines.


@given(st.lists(st.binary(max_size=12), max_size=12), st.lists(st.integers(0, 99), max_size=6))
def test_lines_do_not_depend_on_how_they_were_cut(parts: list[bytes], cuts: list[int]) -> None:
    """Any split gives the same lines and the same faults."""
    wire = b"\r\n".join(parts) + b"\r\n"
    edges = [0, *sorted(cut % len(wire) for cut in cuts), len(wire)]
    whole, cut = Lines(), Lines()
    whole.push(wire)
    seen: list[list[bytes | Reply]] = [drained(whole), []]
    for start, end in itertools.pairwise(edges):
        cut.push(wire[start:end])
        seen[1] += drained(cut)
    assert seen[0] == seen[1]
    assert 0 == len(whole) == len(cut)


def drained(lines: Lines) -> list[bytes | Reply]:
    taken: list[bytes | Reply] = []
    while True:
        try:
            line = lines.take()
        except CommandError as error:
            taken.append(error.reply)
        else:
            if line is None:
                return taken
            taken.append(line)


def test_a_line_ends_in_crlf_and_nothing_else() -> None:
    """A bare LF is refused with what stands before it: it never begins a second command."""
    lines = Lines()
    lines.push(b"RSET\nQUIT\r\nNOOP\r\n")
    assert [reply.SYNTAX, b"QUIT", b"NOOP"] == drained(lines)


def test_a_line_too_long_is_refused_once_and_not_kept() -> None:
    """Its octets are forgotten as they come; the next line is a line."""
    lines = Lines()
    for _ in range(5):
        lines.push(b"x" * MAX_LINE)
        assert [] == drained(lines)
    assert len(lines) <= MAX_LINE
    lines.push(b"\r\nNOOP\r\n")
    assert [reply.LINE_TOO_LONG, b"NOOP"] == drained(lines)


def test_an_endless_line_ends_the_conversation() -> None:
    """After 64 KiB nobody listens on."""
    lines = Lines()
    lines.push(b"x" * 70_000)
    with pytest.raises(CommandError) as caught:
        lines.take()
    assert reply.TOO_MUCH == caught.value.reply


def test_content_takes_all_and_gives_back_what_is_not_its_own() -> None:
    """What follows the final dot is read as commands, in its place."""
    lines = Lines()
    lines.push(b"DATA\r\nbody")
    assert b"DATA" == lines.take()
    assert b"body" == lines.take_all()
    assert b"" == lines.take_all()
    lines.push(b"T\r\n")
    lines.put_back(b"QUI")
    assert b"QUIT" == lines.take()
    lines.push(b"a\r\nb\r\n")
    assert b"a" == lines.take()
    lines.push(b"c\r\n")
    assert [b"b", b"c"] == drained(lines)


# Verbs and names.


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"noop", ("NOOP", "")),
        (b"MAIL FROM:<A@b.example>  ", ("MAIL", "FROM:<A@b.example>")),
        (b"AUTH  PLAIN", ("AUTH", "PLAIN")),
        (b"", ("", "")),
    ],
)
def test_a_line_is_a_verb_and_an_argument(line: bytes, parts: tuple[str, str]) -> None:
    """The verb in capitals, the argument as it was written."""
    assert parts == command.split(line)


@pytest.mark.parametrize("line", [b"NO\0OP", b"NOOP \x7f", b"NOOP\rX", b"NOOP \xff", b"A\tB"])
def test_control_characters_and_broken_utf8_are_refused(line: bytes) -> None:
    """No line has what could end a line elsewhere."""
    assert reply.SYNTAX == refusal("split", line)


@pytest.mark.parametrize("name", ["mx.labo.example", "[192.0.2.1]", "[IPv6:2001:db8::1]", "pc_1"])
def test_a_client_has_a_name(name: str) -> None:
    """A domain, an address literal, or what a badly configured machine calls itself."""
    assert name == command.client_name(name)


@pytest.mark.parametrize("name", ["", "a b", "é", "x" * 256, "<x>", "a;b", "a(b)"])
def test_a_name_that_would_not_fit_a_received_field_is_refused(name: str) -> None:
    """It is written into the message's trace."""
    assert reply.SYNTAX == refusal("client_name", name)


# MAIL.


def test_mail_in_full() -> None:
    """Every parameter there is."""
    argument = (
        "FROM:<Dr.Martin@Labo.Example> SIZE=123 BODY=8bitmime SMTPUTF8 RET=HDRS"
        " ENVID=Ab+2B+3D XTRANSFER=01J.2 XLARGE=500000 AUTH=<>"
    )
    expected = Mail(
        mail_from=parse("Dr.Martin@labo.example"),
        size=123,
        body=Body.EIGHT_BIT,
        smtputf8=True,
        ret=Ret.HDRS,
        envid="Ab+=",
        transfer="01J.2",
        large=500_000,
    )
    assert expected == command.mail(argument, OFFERED)


@pytest.mark.parametrize("argument", ["FROM:<>", "from: <>", "FROM:<>  ", "FROM:<> BODY=7BIT"])
def test_the_null_reverse_path(argument: str) -> None:
    """``<>`` is nobody, and not an address."""
    assert Mail(None) == command.mail(argument, OFFERED)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("", reply.SYNTAX),
        ("FROM", reply.SYNTAX),
        ("TO:<a@b.example>", reply.SYNTAX),
        ("FROM:<a@b.example> > SIZE=1", reply.UNKNOWN_PARAMETER),
        ("FROM:<a@b.example>SIZE=1", reply.SYNTAX),
        ("FROM:< >", reply.SYNTAX),
        ("FROM:<a@b>", reply.BAD_SENDER_ADDRESS),
        ("FROM:<postmaster>", reply.BAD_SENDER_ADDRESS),
        ("FROM:<é@b.example>", reply.NEEDS_SMTPUTF8),
        ("FROM:<a@é.example>", reply.NEEDS_SMTPUTF8),
        ("FROM:<a@b.example> BINARYMIME", reply.UNKNOWN_PARAMETER),
        ("FROM:<a@b.example> BODY=BINARYMIME", reply.SYNTAX),
        ("FROM:<a@b.example> BODY", reply.SYNTAX),
        ("FROM:<a@b.example> BODY=", reply.SYNTAX),
        ("FROM:<a@b.example> SMTPUTF8=", reply.SYNTAX),
        ("FROM:<a@b.example> SMTPUTF8 SMTPUTF8", reply.SYNTAX),
        ("FROM:<a@b.example> SIZE=-1", reply.SYNTAX),
        ("FROM:<a@b.example> SIZE=٣", reply.SYNTAX),
        ("FROM:<a@b.example> RET=full,hdrs", reply.SYNTAX),
        ("FROM:<a@b.example> ENVID=" + "x" * 101, reply.SYNTAX),
        ("FROM:<a@b.example> ENVID=+00", reply.SYNTAX),
        ("FROM:<a@b.example> ENVID=+0D+0A", reply.SYNTAX),
        ("FROM:<a@b.example> ENVID=+2", reply.SYNTAX),
        ("FROM:<a@b.example> ENVID=+E9", reply.SYNTAX),
        ("FROM:<a@b.example> ENVID=a=b", reply.SYNTAX),
        ("FROM:<a@b.example> XTRANSFER=" + "x" * 65, reply.SYNTAX),
        ("FROM:<a@b.example> XTRANSFER=a/b", reply.SYNTAX),
        ("FROM:<a@b.example> AUTH=+0", reply.SYNTAX),
    ],
)
def test_a_mail_command_that_is_refused(argument: str, said: Reply) -> None:
    """Each fault has its own words."""
    assert said == refusal("mail", argument, OFFERED)


def test_a_parameter_that_was_not_offered_is_unknown() -> None:
    """XTRANSFER on a submission listener is somebody else's word."""
    assert reply.UNKNOWN_PARAMETER == refusal("mail", "FROM:<> XTRANSFER=1", MAIL_PARAMETERS)


# RCPT.


def test_rcpt_in_full() -> None:
    """Every parameter there is."""
    expected = Recipient(
        parse("b@x.example"),
        frozenset({Notify.SUCCESS, Notify.DELAY}),
        "rfc822;B+b@X.example",
    )
    argument = "TO:<b@X.example> NOTIFY=success,DELAY ORCPT=RFC822;B+2Bb@X.example"
    assert expected == recipient(argument)


def test_postmaster_needs_no_domain() -> None:
    """RFC 5321 §4.5.1: in any case of letters; without one configured it is no address."""
    made = recipient("TO:<PostMaster>", postmaster="admin@x.example")
    assert "admin@x.example" == made.address
    assert reply.BAD_ADDRESS == refusal(
        "recipient", "TO:<postmaster>", smtputf8=False, postmaster=""
    )


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("TO:<>", reply.BAD_ADDRESS),
        ("TO:<@x.example:b@y.example>", reply.BAD_ADDRESS),
        ("TO:<é@x.example>", reply.NEEDS_SMTPUTF8),
        ("TO:<b@x.example> SIZE=1", reply.UNKNOWN_PARAMETER),
        ("TO:<b@x.example> NOTIFY=", reply.SYNTAX),
        ("TO:<b@x.example> NOTIFY=SOMETIMES", reply.SYNTAX),
        ("TO:<b@x.example> NOTIFY=SUCCESS,", reply.SYNTAX),
        ("TO:<b@x.example> NOTIFY=SUCCESS,NEVER", reply.SYNTAX),
        ("TO:<b@x.example> NOTIFY=DELAY,DELAY", reply.SYNTAX),
        ("TO:<b@x.example> ORCPT=b@x.example", reply.SYNTAX),
        ("TO:<b@x.example> ORCPT=rfc822;", reply.SYNTAX),
        ("TO:<b@x.example> ORCPT=;b@x.example", reply.SYNTAX),
        ("TO:<b@x.example> ORCPT=rfc822;" + "x" * 500, reply.SYNTAX),
        ("TO:<b@x.example> ORCPT=rfc822;b+00", reply.SYNTAX),
        (r"TO:<b@x.example> ORCPT=utf-8;\x{00}", reply.SYNTAX),
        (r"TO:<b@x.example> ORCPT=utf-8;\x{07}", reply.SYNTAX),
        (r"TO:<b@x.example> ORCPT=utf-8;\x{7F}", reply.SYNTAX),
        (r"TO:<b@x.example> ORCPT=utf-8;\x{D800}", reply.SYNTAX),
        (r"TO:<b@x.example> ORCPT=utf-8;\x{e9}", reply.SYNTAX),
        (r"TO:<b@x.example> ORCPT=utf-8;\x{110000}", reply.SYNTAX),
        (r"TO:<b@x.example> ORCPT=utf-8;a+2Bb", reply.SYNTAX),
        (r"TO:<b@x.example> ORCPT=utf-8;a\b", reply.SYNTAX),
        ("TO:<b@x.example> ORCPT=utf-8;é@x.example", reply.SYNTAX),
        ("TO:<b@x.example> ORCPT=rfc822;é@x.example", reply.SYNTAX),
    ],
)
def test_a_rcpt_command_that_is_refused(argument: str, said: Reply) -> None:
    """Each fault has its own words."""
    assert said == refusal("recipient", argument, smtputf8=False, postmaster="")


@pytest.mark.parametrize(
    ("text", "original"),
    [
        (r"Ren\x{E9}@x.example", "utf-8;René@x.example"),
        (r"a\x{2B}b\x{3D}\x{5C}", "utf-8;a+b=\\"),
        (r"\x{1F3E5}@x.example", "utf-8;🏥@x.example"),
        ("René@x.example", "utf-8;René@x.example"),
    ],
)
def test_an_international_original_recipient(text: str, original: str) -> None:
    """RFC 6533 §3: encoded, or under SMTPUTF8 as it is."""
    made = recipient(f"TO:<b@x.example> ORCPT=UTF-8;{text}", smtputf8=True)
    assert original == made.orcpt


# BDAT.


@pytest.mark.parametrize(
    ("argument", "chunk"),
    [("0", (0, False)), ("12 LAST", (12, True)), ("7  last", (7, True))],
)
def test_a_chunk(argument: str, chunk: tuple[int, bool]) -> None:
    """How many octets, and whether they are the last."""
    assert chunk == command.chunk(argument)


@pytest.mark.parametrize("argument", ["", "x", "-1", "1 FIRST", "1LAST", "9" * 21, "٣", "0x10"])
def test_no_chunk(argument: str) -> None:
    """What is not a plain number cannot be counted."""
    assert reply.SYNTAX == refusal("chunk", argument)


# Any bytes.


@given(
    st.sampled_from(["FROM:", "TO:", "from:"]),
    st.text(max_size=60),
    st.sampled_from(["", " SIZE=", " ENVID=", " ORCPT=utf-8;", " ORCPT=rfc822;", " NOTIFY="]),
    st.text(max_size=40),
)
@example("FROM:", '<"' + "\\" * 30, "", "")
def test_any_text_gives_a_value_or_our_error(
    prefix: str, path: str, parameter: str, value: str
) -> None:
    """Whatever is typed, nothing but ``CommandError`` comes out, and no control character in."""
    text = f"{prefix}<{path}>{parameter}{value}"
    try:
        made: Mail | Recipient = (
            command.mail(text, OFFERED)
            if prefix.lower() == "from:"
            else command.recipient(text, smtputf8=True, postmaster="")
        )
    except CommandError:
        return
    assert not re.search(r"[\0-\x1f\x7f]", repr(made))


@given(st.binary(max_size=60))
def test_any_bytes_split_or_are_refused(line: bytes) -> None:
    """The first step takes all bytes there are."""
    try:
        verb, argument = command.split(line)
    except CommandError:
        return
    assert verb.isprintable()
    assert argument.isprintable()


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_xtext_comes_back(text: str) -> None:
    """What another server encoded is what we read."""
    encoded = "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in text)
    assert text == command.decode_xtext(encoded)
