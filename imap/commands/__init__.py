"""What a client asks for, done: one file a family of commands, functions of a visit.

Each returns the answer to give, or raises: ``MailboxError`` is NO and ``GrammarError`` BAD. What
changed meanwhile is told between the command's own words and its answer.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from imap.commands import (
    copying,
    fetching,
    folders,
    listing,
    quota,
    rights,
    searching,
    selecting,
    storing,
)
from imap.errors import MailboxError
from imap.grammar.command import Command
from imap.grammar.errors import GrammarError
from imap.grammar.writer import NO_ROOM, Answer
from imap.visit import Visit
from smtp.reply import printable
from vault.errors import StorageFull

# Each takes the class of command that the grammar makes under that name.
_PERFORM: dict[str, Callable[[Visit, Any], Awaitable[Answer]]] = {
    "ENABLE": selecting.enable,
    "SELECT": selecting.select,
    "EXAMINE": selecting.select,
    "CLOSE": selecting.close,
    "UNSELECT": selecting.close,
    "CHECK": selecting.nothing,
    "NOOP": selecting.nothing,
    "IDLE": selecting.nothing,
    "IDLE, broken off": selecting.broken_idle,
    "CREATE": folders.create,
    "DELETE": folders.delete,
    "RENAME": folders.rename,
    "SUBSCRIBE": folders.subscribe,
    "UNSUBSCRIBE": folders.subscribe,
    "LIST": listing.list_,
    "LSUB": listing.lsub,
    "STATUS": listing.status,
    "NAMESPACE": listing.namespace,
    "FETCH": fetching.fetch,
    "UID FETCH": fetching.fetch,
    "STORE": storing.store,
    "UID STORE": storing.store,
    "SEARCH": searching.search,
    "UID SEARCH": searching.search,
    "COPY": copying.transfer,
    "UID COPY": copying.transfer,
    "MOVE": copying.transfer,
    "UID MOVE": copying.transfer,
    "EXPUNGE": copying.expunge,
    "UID EXPUNGE": copying.expunge,
    "GETACL": rights.get,
    "MYRIGHTS": rights.mine,
    "LISTRIGHTS": rights.possible,
    "SETACL": rights.change,
    "DELETEACL": rights.change,
    "GETQUOTA": quota.get,
    "GETQUOTAROOT": quota.root,
    "SETQUOTA": quota.change,
}
_SILENT_ON_EXPUNGE = frozenset({"FETCH", "STORE", "SEARCH"})  # RFC 3501 §7.4.1


async def perform(visit: Visit, command: Command) -> Answer:
    """Do what a client asks for and tell what changed; return how it ended."""
    visit.house.count(command.name)
    try:
        answer = await _PERFORM[command.name](visit, command)
    except MailboxError as error:
        answer = Answer("NO", printable(error.words), error.code)
    except StorageFull:
        answer = NO_ROOM
    except GrammarError as error:
        answer = Answer("BAD", f"{str(error)[:1].upper()}{str(error)[1:]}")
    await visit.refresh(
        expunging=command.name not in _SILENT_ON_EXPUNGE, by_uid=command.name.startswith("UID ")
    )
    return answer
