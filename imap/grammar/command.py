"""What a client asks for, as values: one small class a command, made by ``imap.grammar.reader``."""

from dataclasses import dataclass, field
from datetime import datetime

from imap.grammar.fetch import Item
from imap.grammar.search import Key
from imap.grammar.sets import Ranges


@dataclass(frozen=True, slots=True)
class Command:
    """A command; by itself one of those that take nothing: NOOP, CHECK, CLOSE, NAMESPACE ..."""

    tag: str
    name: str  # in capitals; "UID FETCH" is a name too


@dataclass(frozen=True, slots=True)
class Login(Command):
    """LOGIN."""

    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authenticate(Command):
    """AUTHENTICATE; ``initial`` is None where the client waits for a challenge (RFC 4959)."""

    mechanism: str
    initial: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identify(Command):
    """ID: what the client says it is; it is never told to anybody (RFC 2971)."""

    facts: tuple[tuple[bytes, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Enable(Command):
    """ENABLE (RFC 5161)."""

    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resync:
    """What a client knows of a folder that it opens again (RFC 7162 §3.2.5)."""

    uid_validity: int
    modseq: int
    known: Ranges | None = None
    match: tuple[Ranges, Ranges] | None = None  # sequence numbers, and their UIDs


@dataclass(frozen=True, slots=True)
class Select(Command):
    """SELECT or EXAMINE."""

    folder: str
    condstore: bool = False
    resync: Resync | None = None


@dataclass(frozen=True, slots=True)
class OnFolder(Command):
    """A command on one folder: DELETE, SUBSCRIBE, MYRIGHTS, GETACL, GETQUOTAROOT ..."""

    folder: str


@dataclass(frozen=True, slots=True)
class Create(Command):
    """CREATE, perhaps for a special use (RFC 6154)."""

    folder: str
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rename(Command):
    """RENAME."""

    folder: str
    to: str


@dataclass(frozen=True, slots=True)
class List(Command):
    """LIST or LSUB (RFC 5258, RFC 5819, RFC 6154)."""

    patterns: tuple[str, ...]
    selection: frozenset[str] = frozenset()  # SUBSCRIBED, SPECIAL-USE, RECURSIVEMATCH, REMOTE
    returns: frozenset[str] = frozenset()  # SUBSCRIBED, CHILDREN, SPECIAL-USE
    status: tuple[str, ...] = ()
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Status(Command):
    """STATUS."""

    folder: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Announced(Command):
    """APPEND as far as the announcement of a message; the message itself streams past."""

    folder: str
    size: int
    flags: tuple[str, ...] = ()
    date: datetime | None = None
    binary: bool = False  # literal8 (RFC 3516)
    utf8: bool = False  # UTF8 (~{n}) (RFC 6855)


@dataclass(frozen=True, slots=True)
class Chosen(Command):
    """A command on messages of the open folder; ``messages`` None is ``$`` (RFC 5182)."""

    messages: Ranges | None

    @property
    def by_uid(self) -> bool:
        """Whether the messages are named by UID."""
        return self.name.startswith("UID ")


@dataclass(frozen=True, slots=True)
class Fetch(Chosen):
    """FETCH and UID FETCH."""

    items: tuple[Item, ...]
    changed_since: int | None = None
    vanished: bool = False


@dataclass(frozen=True, slots=True)
class Store(Chosen):
    """STORE and UID STORE."""

    mode: str  # "", "+" or "-"
    flags: tuple[str, ...]
    silent: bool = False
    unchanged_since: int | None = None


@dataclass(frozen=True, slots=True)
class Transfer(Chosen):
    """COPY, MOVE and their UID forms."""

    folder: str

    @property
    def moving(self) -> bool:
        """Whether the messages leave the open folder."""
        return self.name.endswith("MOVE")


@dataclass(frozen=True, slots=True)
class Search(Command):
    """SEARCH and UID SEARCH (RFC 4731, RFC 5182)."""

    key: Key
    returns: frozenset[str] | None = None  # None: an answer as before ESEARCH

    @property
    def by_uid(self) -> bool:
        """Whether the answer is in UIDs."""
        return self.name.startswith("UID ")


@dataclass(frozen=True, slots=True)
class Rights(Command):
    """SETACL, DELETEACL and LISTRIGHTS (RFC 4314)."""

    folder: str
    who: str
    rights: str = ""


@dataclass(frozen=True, slots=True)
class OnQuota(Command):
    """GETQUOTA and SETQUOTA (RFC 9208)."""

    root: str
