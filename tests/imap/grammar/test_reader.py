"""A command's octets to its value, and nothing but our error for all others."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imap.grammar import reader
from imap.grammar import search as keys
from imap.grammar.command import (
    Authenticate,
    Chosen,
    Command,
    Create,
    Enable,
    Fetch,
    Identify,
    List,
    Login,
    OnFolder,
    OnQuota,
    Rename,
    Resync,
    Rights,
    Search,
    Select,
    Status,
    Store,
    Transfer,
)
from imap.grammar.cursor import Cursor
from imap.grammar.errors import GrammarError
from imap.grammar.fetch import Binary, Body, Item, Section
from imap.grammar.sets import STAR

FLAGS = Item("FLAGS")


def parse(line: bytes) -> Command:
    cursor = Cursor(line)
    return reader.read(cursor, *reader.begin(cursor))


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"a noop", Command("a", "NOOP")),
        (b"a login x y", Login("a", "LOGIN", "x", "y")),
        (b"a authenticate plain", Authenticate("a", "AUTHENTICATE", "PLAIN", None)),
        (b"a authenticate plain =", Authenticate("a", "AUTHENTICATE", "PLAIN", "=")),
        (b"a store 1 flags \\seen x", Store("a", "STORE", ((1, 1),), "", ("\\Seen", "x"))),
        (b"a store 1 flags ()", Store("a", "STORE", ((1, 1),), "", ())),
        (b"a create x", Create("a", "CREATE", "x")),
        (b"a delete x", OnFolder("a", "DELETE", "x")),
        (b"a rename x y", Rename("a", "RENAME", "x", "y")),
        (b"a move 1 x", Transfer("a", "MOVE", ((1, 1),), "x")),
        (b"a uid expunge 1", Chosen("a", "UID EXPUNGE", ((1, 1),))),
        (b'a getquota ""', OnQuota("a", "GETQUOTA", "")),
        (b"a setquota x (storage 5)", OnQuota("a", "SETQUOTA", "x")),
        (
            b"a fetch 1 rfc822.text",
            Fetch("a", "FETCH", ((1, 1),), (Body("RFC822.TEXT", Section(text="TEXT")),)),
        ),
        (b"a id nil", Identify("a", "ID", ())),
        (b'a id ("name" "x" "os" nil)', Identify("a", "ID", ((b"name", b"x"), (b"os", None)))),
        (b"a enable condstore X", Enable("a", "ENABLE", ("CONDSTORE", "X"))),
        (b"a select inbox", Select("a", "SELECT", "INBOX")),
        (b"a select x (condstore)", Select("a", "SELECT", "x", condstore=True)),
        (
            b"a select x (qresync (7 8 1:5 (1,2 3,4)))",
            Select(
                "a",
                "SELECT",
                "x",
                True,
                Resync(7, 8, ((1, 5),), (((1, 1), (2, 2)), ((3, 3), (4, 4)))),
            ),
        ),
        (b"a examine x (qresync (7 8))", Select("a", "EXAMINE", "x", True, Resync(7, 8))),
        (b'a create "a b" (use (\\Sent))', Create("a", "CREATE", "a b", ("\\Sent",))),
        (b'a list "" %', List("a", "LIST", ("%",))),
        (b"a lsub work/ *", List("a", "LSUB", ("work/*",))),
        (
            b'a list (subscribed) "" (a b) return (children status (messages))',
            List(
                "a",
                "LIST",
                ("a", "b"),
                frozenset({"SUBSCRIBED"}),
                frozenset({"CHILDREN", "STATUS"}),
                ("MESSAGES",),
                extended=True,
            ),
        ),
        (b"a status x (unseen unseen size)", Status("a", "STATUS", "x", ("UNSEEN", "SIZE"))),
        (b"a fetch 1 flags", Fetch("a", "FETCH", ((1, 1),), (FLAGS,))),
        (b"a fetch $ (flags)", Fetch("a", "FETCH", None, (FLAGS,))),
        (
            b"a fetch 1 fast",
            Fetch("a", "FETCH", ((1, 1),), (FLAGS, Item("INTERNALDATE"), Item("RFC822.SIZE"))),
        ),
        (
            b'a uid fetch 4:* (body.peek[1.2.header.fields (to "x y")]<5.6> body[]) '
            b"(changedsince 9 vanished)".replace(b'"x y"', b"cc"),
            Fetch(
                "a",
                "UID FETCH",
                ((4, STAR),),
                (
                    Body("BODY", Section((1, 2), "HEADER.FIELDS", ("to", "cc")), True, (5, 6)),
                    Body("BODY"),
                ),
                9,
                vanished=True,
            ),
        ),
        (
            b"a fetch 1 (binary.size[1] binary.peek[1.2]<0.5>)",
            Fetch(
                "a",
                "FETCH",
                ((1, 1),),
                (
                    Binary("BINARY.SIZE", (1,), peek=True),
                    Binary("BINARY", (1, 2), True, (0, 5)),
                ),
            ),
        ),
        (
            b"a store 2,4:7 -flags.silent (\\seen x)",
            Store("a", "STORE", ((2, 2), (4, 7)), "-", ("\\Seen", "x"), silent=True),
        ),
        (
            b"a uid store 1 (unchangedsince 5) flags \\Deleted",
            Store("a", "UID STORE", ((1, 1),), "", ("\\Deleted",), False, 5),
        ),
        (b"a setacl x bob +lr", Rights("a", "SETACL", "x", "bob", "+lr")),
        (b"a deleteacl x bob", Rights("a", "DELETEACL", "x", "bob")),
        (
            b"a search return (min save) charset utf-8 or seen {1}\r\nx".replace(
                b"{1}\r\nx", b"1:2"
            ),
            Search(
                "a",
                "SEARCH",
                keys.Or(keys.Flagged("\\Seen"), keys.Numbers(((1, 2),), by_uid=False)),
                frozenset({"MIN", "SAVE"}),
            ),
        ),
    ],
)
def test_commands(line: bytes, command: Command) -> None:
    """Each command's arguments, whatever their case."""
    assert command == parse(line)


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (b"all", keys.Key()),
        (b"uid 5", keys.Numbers(((5, 5),), by_uid=True)),
        (b"uid $", keys.Numbers(None, by_uid=True)),
        (b"$", keys.Numbers(None, by_uid=False)),
        (b"unkeyword x", keys.Not(keys.Flagged("x"))),
        (b"old", keys.Not(keys.Flagged("\\Recent"))),
        (b"sentsince 1-Feb-2020", keys.Dated(True, ">=", date(2020, 2, 1))),
        (b'on "1-Feb-2020"', keys.Dated(False, "=", date(2020, 2, 1))),
        (b"larger 5", keys.Sized(True, 5)),
        (b"smaller 5", keys.Sized(False, 5)),
        (b"younger 5", keys.Aged(True, 5)),
        (b"older 5", keys.Aged(False, 5)),
        (b"header X-Y z", keys.InField("x-y", "z")),
        (b"subject z", keys.InField("subject", "z")),
        (b"body z", keys.InText("z", header=False)),
        (b"text z", keys.InText("z", header=True)),
        (b"modseq 5", keys.ChangedSince(5)),
        (b'modseq "/flags/\\\\seen" all 5', keys.ChangedSince(5)),
        (
            b"seen (draft flagged)",
            keys.And(
                (
                    keys.Flagged("\\Seen"),
                    keys.And((keys.Flagged("\\Draft"), keys.Flagged("\\Flagged"))),
                )
            ),
        ),
    ],
)
def test_search_keys(words: bytes, key: keys.Key) -> None:
    """Each key of SEARCH."""
    command = parse(b"a search " + words)
    assert isinstance(command, Search)
    assert key == command.key


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"a",
        b"a uid",
        b"+ noop",
        b"a enable",
        b"a select x (other)",
        b"a create x (other (\\Sent))",
        b"a list (other) x y",
        b'a list (recursivematch) "" *',
        b"a list x y z",
        b"a status x ()",
        b"a fetch 0 flags",
        b"a fetch 4294967296 flags",
        b"a fetch 1 ()",
        b"a fetch 1 body[1.]",
        b"a fetch 1 body[mime]",
        b"a fetch 1 body[x]",
        b"a fetch 1 body[header.fields ()]",
        b'a fetch 1 body[header.fields ("a:b")]',
        b"a fetch 1 body[]<0.0>",
        b"a fetch 1 body[" + b"1." * 60 + b"1]",
        b"a fetch 1 flags (vanished)",
        b"a fetch 1 flags (changedsince 99999999999999999999)",
        b"a fetch 1 flags (other)",
        b"a fetch 1 (" + b" ".join([b"flags"] * 200) + b")",
        b"a fetch 1 body[header.fields (" + b" ".join([b"x"] * 200) + b")]",
        b"a fetch 1:2:3 flags",
        b"a store 1 (other 5) flags x",
        b"a store 1 other x",
        b"a store 1 flags \\Recent",
        b'a list "" (' + b"a " * 100 + b"a)",
        b"a store 1 flags " + b"x" * 200,
        b"a fetch 1 (other)",
        b'a list "" * return (other)',
        b"a create x (used (\\\\Sent))",
        b"a create x (use (\\\\Sent) more",
        b"a search header {1}\r\nx",
        b"a search younger 0",
        b"a search xyzzy",
        b"a select (",
        b"a id (nil nil)",
        b"a setacl x bob !!",
        b"a search return (other) all",
        b"a search charset koi8-r all",
        b"a search " + b"not " * 40 + b"all",
        b"a search " + b"seen " * 2000 + b"all",
        b"a search on 31-Feb-2020",
        b"a search subject {5}\r\nabc",
        b"a search subject {3}\r\na\0c",
        b'a search subject "\xff"',
        b"a select " + b"x" * 3000,
        b"a id (" + b" ".join([b'"a" "b"'] * 40) + b")",
        b"a noop more",
        b"a xyzzy",
    ],
)
def test_what_is_no_command(line: bytes) -> None:
    """It is refused by our error, which repeats nothing of it."""
    with pytest.raises(GrammarError) as refused:
        parse(line)
    assert str(refused.value).isascii()


@pytest.mark.parametrize(
    ("item", "label"),
    [
        (b"body[1.mime]", "BODY[1.MIME]"),
        (b'body.peek[header.fields (to "a(b")]<5.6>', 'BODY[HEADER.FIELDS (to "a(b")]<5>'),
        (b"binary[1.2]<5.6>", "BINARY[1.2]<5>"),
        (b"binary.size[]", "BINARY.SIZE[]"),
        (b"rfc822.header", "RFC822.HEADER"),
    ],
)
def test_how_an_answer_names_what_was_asked(item: bytes, label: str) -> None:
    """As it was asked, without how many octets."""
    command = parse(b"a fetch 1 " + item)
    assert isinstance(command, Fetch)
    (found,) = command.items
    assert isinstance(found, Body | Binary)
    assert label == found.label


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        (b"modseq 1", True),
        (b"seen modseq 1", True),
        (b"or seen modseq 1", True),
        (b"not modseq 1", True),
        (b"or seen not draft", False),
    ],
)
def test_whether_the_highest_sequence_is_asked(words: bytes, *, asks: bool) -> None:
    """However deep the key lies."""
    command = parse(b"a search " + words)
    assert isinstance(command, Search)
    assert asks == any(isinstance(each, keys.ChangedSince) for each in keys.every(command.key))


def test_a_command_knows_how_it_names_messages() -> None:
    """By number or by UID, to copy or to move."""
    fetch, move = parse(b"a uid fetch 1 flags"), parse(b"a move 1 x")
    search = parse(b"a uid search all")
    assert isinstance(fetch, Fetch)
    assert isinstance(move, Transfer)
    assert isinstance(search, Search)
    assert (True, False, True, True) == (fetch.by_uid, move.by_uid, move.moving, search.by_uid)


WORDS = st.sampled_from(
    [
        *(b"a UID FETCH SEARCH STORE SELECT LIST STATUS CREATE RENAME COPY ID ENABLE".split()),
        *(
            b'1:* $ ( ) () {3}\r\nabc "x" \\Seen BODY[ ] 1.2.MIME NOT OR RETURN CHARSET UTF-8'.split(
                b" "
            )
        ),
        *(
            b"&AOk- QRESYNC CHANGEDSINCE 5 <0.5> HEADER.FIELDS FLAGS +FLAGS.SILENT 1-Feb-2020".split()
        ),
    ]
)


@given(
    words=st.lists(WORDS | st.binary(max_size=8), max_size=12),
    spaced=st.booleans(),
    utf8=st.booleans(),
)
def test_any_octets_give_a_command_or_our_error(
    words: list[bytes], *, spaced: bool, utf8: bool
) -> None:
    """Nothing that is said can do more than be refused."""
    cursor = Cursor((b" " if spaced else b"").join(words), utf8=utf8)
    try:
        command = reader.read(cursor, *reader.begin(cursor))
    except GrammarError:
        return
    assert command.name in reader.READERS


def test_keys_are_counted() -> None:
    """As many as there are, however they are nested: a search asks as many rows at once."""
    command = parse(b"a search or seen not (from x since 1-jan-2026) 1:3")
    assert isinstance(command, Search)
    assert 8 == len(list(keys.every(command.key)))
