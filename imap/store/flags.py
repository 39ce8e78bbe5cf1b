"""Flags: the system's are bits in clear, keywords are bits whose words are sealed.

A keyword may say what a message is about, so its word lies sealed with the mailbox and an entry
shows only the bit. Bits suffice for what mail programs and teams use, and setting one is one
statement for a whole range of messages. RFC 3501 §2.3.2, RFC 9051 §2.3.2.
"""

import asyncio
import re
from collections.abc import Iterable
from functools import lru_cache

from imap.errors import Forbidden, Limited
from imap.store.seals import Seals
from vault.database import Database, Statement

SEEN, ANSWERED, FLAGGED, DELETED, DRAFT = 1, 2, 4, 8, 16
SYSTEM = {
    "\\Seen": SEEN,
    "\\Answered": ANSWERED,
    "\\Flagged": FLAGGED,
    "\\Deleted": DELETED,
    "\\Draft": DRAFT,
}
_FIRST, _LAST = 5, 62  # bits of keywords; the highest one would be a sign
_LONGEST = 100
_KEYWORD = re.compile(r"[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+")  # an atom (RFC 3501 §9)
_SYSTEM = {name.lower(): bit for name, bit in SYSTEM.items()}


class Keywords:
    """The table ``keyword``; one a process, so what it remembers is the truth."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database, self._seals = database, seals
        self._words: dict[int, _Words] = {}
        self._adding = asyncio.Lock()

    def names(self, mailbox: int) -> tuple[str, ...]:
        """Return the keywords that a mailbox knows."""
        return tuple(self._of(mailbox).bits.values())

    def shown(self, mailbox: int, mask: int) -> tuple[str, ...]:
        """Return the flags that a mask stands for."""
        return self._of(mailbox).shown(mask)

    def known(self, mailbox: int, flags: Iterable[str]) -> int:
        """Return the mask of those flags that are known; what nobody has need not be removed."""
        words, mask = self._of(mailbox), 0
        for flag in flags:
            mask |= words.mask(flag) or 0
        return mask

    async def mask(self, mailbox: int, flags: Iterable[str]) -> int:
        """Return the mask of flags; a new keyword gets a bit."""
        wanted, words = list(flags), self._of(mailbox)
        if any(words.mask(flag) is None for flag in wanted):
            async with self._adding:
                for flag in wanted:
                    if words.mask(flag) is None:
                        await self._add(mailbox, words, flag)
        return self.known(mailbox, wanted)

    async def _add(self, mailbox: int, words: "_Words", word: str) -> None:
        if not _KEYWORD.fullmatch(word) or len(word) > _LONGEST:
            raise Forbidden("That is no flag: a keyword is an atom without a backslash.")
        free = [bit for bit in range(_FIRST, _LAST + 1) if bit not in words.bits]
        if not free:
            raise Limited(f"A mailbox has at most {_LAST - _FIRST + 1} keywords.")
        sealed = self._seals.keyword(word, words.owner, free[0])
        sql = "INSERT INTO keyword (mailbox, bit, name) VALUES (?, ?, ?)"
        await self._database.commit([Statement(sql, (mailbox, free[0], sealed), expect=1)])
        words.add(free[0], word)

    def _of(self, mailbox: int) -> "_Words":
        if (found := self._words.get(mailbox)) is None:
            ((owner,),) = self._database.read("SELECT key FROM mailbox WHERE id = ?", (mailbox,))
            found = self._words[mailbox] = _Words(owner)
            sql = "SELECT bit, name FROM keyword WHERE mailbox = ? ORDER BY bit"
            for bit, name in self._database.read(sql, (mailbox,)):
                found.add(bit, self._seals.open_keyword(name, owner, bit))
        return found


class _Words:
    """The keywords of one mailbox."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.bits: dict[int, str] = {}
        self._masks = dict(_SYSTEM)
        self.shown = lru_cache(maxsize=256)(self._shown)

    def add(self, bit: int, word: str) -> None:
        self.bits[bit] = word
        self._masks[word.lower()] = 1 << bit
        self.shown.cache_clear()

    def mask(self, flag: str) -> int | None:
        return self._masks.get(flag.lower())

    def _shown(self, mask: int) -> tuple[str, ...]:
        system = (name for name, bit in SYSTEM.items() if mask & bit)
        return (*system, *(word for bit, word in self.bits.items() if mask >> bit & 1))
