"""Octets of one command to its value: a table from the command's name to what reads the rest.

``tag``, a space and the name come first, so that even what is wrong can be answered by its tag.
RFC 3501 §6 and the extensions named beside each reader.

One long file on purpose: it is one table with a few lines beside each name, and nothing else.
"""

from collections.abc import Callable

from imap.grammar import fetch, names, search, sets
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
from imap.grammar.cursor import Cursor, T
from imap.grammar.errors import GrammarError
from imap.grammar.sets import Ranges

_MANY = 1000  # options or capabilities in one list
_PATTERNS = 100

Reader = Callable[[Cursor, str, str], Command]


def begin(cursor: Cursor) -> tuple[str, str]:
    """Read the tag and the name of a command."""
    tag = cursor.tag()
    cursor.space()
    name = cursor.word()
    if name == "UID":
        cursor.space()
        name = f"UID {cursor.word()}"
    return tag, name


def read(cursor: Cursor, tag: str, name: str) -> Command:
    """Read the rest of a command."""
    reader = READERS.get(name)
    if reader is None:
        raise GrammarError("there is no such command")
    command = reader(cursor, tag, name)
    cursor.end()
    return command


def _bare(_cursor: Cursor, tag: str, name: str) -> Command:
    return Command(tag, name)


def _login(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    login = cursor.text()
    cursor.space()
    return Login(tag, name, login, cursor.text())


def _authenticate(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    mechanism = cursor.word()
    initial = cursor.atom() if cursor.skip(b" ") else None
    return Authenticate(tag, name, mechanism, initial)


def _id(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    if cursor.octets[cursor.at : cursor.at + 3].upper() == b"NIL":
        cursor.at += 3
        return Identify(tag, name, ())

    def pair() -> tuple[bytes, bytes | None]:
        field = cursor.string()
        cursor.space()
        return field, cursor.nstring()

    return Identify(tag, name, tuple(_few(cursor.list(pair), 30)))


def _enable(cursor: Cursor, tag: str, name: str) -> Command:
    wanted = []
    while cursor.skip(b" "):
        wanted.append(cursor.word())
    if not wanted:
        raise GrammarError("enable what?")
    return Enable(tag, name, tuple(_few(wanted)))


def _on_folder(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    return OnFolder(tag, name, names.read(cursor))


# Opening a folder: RFC 3501 §6.3.1, RFC 7162 §3.1.8 and §3.2.5.


def _select(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    folder = names.read(cursor)
    condstore, resync = False, None
    if cursor.skip(b" "):
        for found in _few(cursor.list(lambda: _parameter(cursor), empty=False), 2):
            condstore, resync = True, found or resync
    return Select(tag, name, folder, condstore, resync)


def _parameter(cursor: Cursor) -> Resync | None:
    match cursor.word():
        case "CONDSTORE":
            return None
        case "QRESYNC":
            cursor.space()
            return _resync(cursor)
    raise GrammarError("there is no such parameter of SELECT")


def _resync(cursor: Cursor) -> Resync:
    cursor.expect(b"(")
    uid_validity = cursor.nonzero()
    cursor.space()
    modseq = cursor.number64()
    known, match = None, None
    if cursor.ahead(b" ") and not cursor.ahead(b" ("):
        cursor.space()
        known = sets.read(cursor)
    if cursor.skip(b" ("):
        numbers = sets.read(cursor)
        cursor.space()
        match = numbers, sets.read(cursor)
        cursor.expect(b")")
    cursor.expect(b")")
    return Resync(uid_validity, modseq, known, match)


# Folders: RFC 3501 §6.3, RFC 6154.


def _create(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    folder, uses = names.read(cursor), list[str]()
    if cursor.skip(b" ("):
        if cursor.word() != "USE":
            raise GrammarError("there is no such parameter of CREATE")
        cursor.space()
        uses = _few(cursor.list(cursor.flag), 10)
        cursor.expect(b")")
    return Create(tag, name, folder, tuple(uses))


def _rename(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    folder = names.read(cursor)
    cursor.space()
    return Rename(tag, name, folder, names.read(cursor))


# LIST: RFC 3501 §6.3.8, RFC 5258, RFC 5819 (STATUS), RFC 6154 (SPECIAL-USE).

_SELECTION = frozenset({"SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"})
_RETURNS = frozenset({"SUBSCRIBED", "CHILDREN", "SPECIAL-USE"})
STATUS_ITEMS = frozenset(
    {
        "MESSAGES",
        "RECENT",
        "UIDNEXT",
        "UIDVALIDITY",
        "UNSEEN",
        "DELETED",
        "SIZE",
        "HIGHESTMODSEQ",
        "APPENDLIMIT",
    }
)


def _list(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    selection, extended = frozenset[str](), False
    if name == "LIST" and cursor.ahead(b"("):
        selection, extended = frozenset(cursor.list(lambda: _one_of(cursor, _SELECTION))), True
        cursor.space()
    reference = names.read(cursor)
    cursor.space()
    if name == "LIST" and cursor.ahead(b"("):
        patterns = _few(cursor.list(lambda: names.read_pattern(cursor), empty=False), _PATTERNS)
        extended = True
    else:
        patterns = [names.read_pattern(cursor)]
    returns, status = set[str](), tuple[str, ...]()
    if name == "LIST" and cursor.skip(b" "):
        if cursor.word() != "RETURN":
            raise GrammarError("expected RETURN")
        cursor.space()
        returns, status = _list_returns(cursor)
        extended = True
    if "RECURSIVEMATCH" in selection and not selection & {"SUBSCRIBED", "SPECIAL-USE"}:
        raise GrammarError("RECURSIVEMATCH stands with another option")  # RFC 5258 §3.1
    found = tuple([names.normal(reference + pattern) if pattern else "" for pattern in patterns])
    return List(tag, name, found, selection, frozenset(returns), status, extended)


def _list_returns(cursor: Cursor) -> tuple[set[str], tuple[str, ...]]:
    status: list[str] = []

    def option() -> str:
        word = cursor.word()
        if word == "STATUS":
            cursor.space()
            status.extend(_status_items(cursor))
        elif word not in _RETURNS:
            raise GrammarError("there is no such option of LIST")
        return word

    return set(_few(cursor.list(option))), tuple(dict.fromkeys(status))


def _one_of(cursor: Cursor, words: frozenset[str]) -> str:
    word = cursor.word()
    if word not in words:
        raise GrammarError("there is no such option")
    return word


def _status(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    folder = names.read(cursor)
    cursor.space()
    return Status(tag, name, folder, tuple(dict.fromkeys(_status_items(cursor))))


def _status_items(cursor: Cursor) -> list[str]:
    return _few(cursor.list(lambda: _one_of(cursor, STATUS_ITEMS), empty=False), 20)


# Messages: RFC 3501 §6.4, RFC 7162 (modifiers), RFC 6851 (MOVE), RFC 4731 and 5182 (SEARCH).


def _messages(cursor: Cursor) -> Ranges | None:
    cursor.space()
    return None if cursor.skip(b"$") else sets.read(cursor)


def _fetch(cursor: Cursor, tag: str, name: str) -> Command:
    messages = _messages(cursor)
    cursor.space()
    items = fetch.read(cursor)
    changed_since, vanished = None, False
    if cursor.skip(b" ("):
        while True:
            match cursor.word():
                case "CHANGEDSINCE":
                    cursor.space()
                    changed_since = cursor.number64()
                case "VANISHED":
                    vanished = True
                case _:
                    raise GrammarError("there is no such modifier of FETCH")
            if cursor.skip(b")"):
                break
            cursor.space()
    if vanished and (changed_since is None or not name.startswith("UID")):
        raise GrammarError("VANISHED needs UID FETCH and CHANGEDSINCE")  # RFC 7162 §3.2.6
    return Fetch(tag, name, messages, items, changed_since, vanished)


def _store(cursor: Cursor, tag: str, name: str) -> Command:
    messages = _messages(cursor)
    cursor.space()
    unchanged_since = None
    if cursor.skip(b"("):
        if cursor.word() != "UNCHANGEDSINCE":
            raise GrammarError("there is no such modifier of STORE")
        cursor.space()
        unchanged_since = cursor.number64()
        cursor.expect(b")")
        cursor.space()
    mode = cursor.word()
    sign = mode[0] if mode[0] in "+-" else ""
    silent = mode.endswith(".SILENT")
    if mode.removeprefix(sign).removesuffix(".SILENT") != "FLAGS":
        raise GrammarError("STORE changes FLAGS and nothing else")
    cursor.space()
    return Store(tag, name, messages, sign, flags(cursor), silent, unchanged_since)


def flags(cursor: Cursor) -> tuple[str, ...]:
    """Read flags, in parentheses or not; RECENT is nobody's to set."""
    if cursor.ahead(b"("):
        found = cursor.list(cursor.flag)
    else:
        found = [cursor.flag()]
        while cursor.skip(b" "):
            found.append(cursor.flag())
    known = [_flag(flag) for flag in _few(found, 100)]
    return tuple(dict.fromkeys(known))


_SYSTEM = {
    flag.lower(): flag for flag in ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
}


def _flag(flag: str) -> str:
    if not flag.startswith("\\"):
        return flag
    if flag.lower() not in _SYSTEM:
        raise GrammarError("that flag cannot be set")
    return _SYSTEM[flag.lower()]


def _transfer(cursor: Cursor, tag: str, name: str) -> Command:
    messages = _messages(cursor)
    cursor.space()
    return Transfer(tag, name, messages, names.read(cursor))


def _chosen(cursor: Cursor, tag: str, name: str) -> Command:
    return Chosen(tag, name, _messages(cursor))


_SEARCH_RETURNS = frozenset({"MIN", "MAX", "ALL", "COUNT", "SAVE"})


def _search(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    returns = None
    if cursor.octets[cursor.at : cursor.at + 8].upper() == b"RETURN (":
        cursor.at += 7
        asked = cursor.list(lambda: _one_of(cursor, _SEARCH_RETURNS))
        returns = frozenset(asked) or frozenset({"ALL"})
        cursor.space()
    return Search(tag, name, search.read(cursor), returns)


# Rights and room: RFC 4314, RFC 9208.


def _rights(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    folder = names.read(cursor)
    cursor.space()
    who = cursor.text()
    rights = ""
    if name == "SETACL":
        cursor.space()
        rights = cursor.text()
        letters = rights.removeprefix("-") if rights.startswith("-") else rights.removeprefix("+")
        if letters.strip("abcdefghijklmnopqrstuvwxyz0123456789") or len(rights) > 40:
            raise GrammarError("those are no rights")
    return Rights(tag, name, folder, who, rights)


def _quota(cursor: Cursor, tag: str, name: str) -> Command:
    cursor.space()
    root = cursor.text()
    if name == "SETQUOTA":
        cursor.space()

        def limit() -> int:
            cursor.word()
            cursor.space()
            return cursor.number64()

        _few(cursor.list(limit), 10)
    return OnQuota(tag, name, root)


def _few(found: list[T], most: int = _MANY) -> list[T]:
    if len(found) > most:
        raise GrammarError("too many of them")
    return found


READERS: dict[str, Reader] = {
    **dict.fromkeys(
        (
            "CAPABILITY",
            "NOOP",
            "LOGOUT",
            "STARTTLS",
            "NAMESPACE",
            "IDLE",
            "CHECK",
            "CLOSE",
            "UNSELECT",
            "EXPUNGE",
        ),
        _bare,
    ),
    **dict.fromkeys(
        ("DELETE", "SUBSCRIBE", "UNSUBSCRIBE", "GETACL", "MYRIGHTS", "GETQUOTAROOT"), _on_folder
    ),
    **dict.fromkeys(("SELECT", "EXAMINE"), _select),
    **dict.fromkeys(("LIST", "LSUB"), _list),
    **dict.fromkeys(("FETCH", "UID FETCH"), _fetch),
    **dict.fromkeys(("STORE", "UID STORE"), _store),
    **dict.fromkeys(("COPY", "UID COPY", "MOVE", "UID MOVE"), _transfer),
    **dict.fromkeys(("SEARCH", "UID SEARCH"), _search),
    **dict.fromkeys(("SETACL", "DELETEACL", "LISTRIGHTS"), _rights),
    **dict.fromkeys(("GETQUOTA", "SETQUOTA"), _quota),
    "LOGIN": _login,
    "AUTHENTICATE": _authenticate,
    "ID": _id,
    "ENABLE": _enable,
    "CREATE": _create,
    "RENAME": _rename,
    "STATUS": _status,
    "UID EXPUNGE": _chosen,
}
