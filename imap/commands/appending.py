"""APPEND: messages go straight to the vault as they arrive, and into the folder all at once.

OK is said when they are durable, and not before; of an APPEND that fails nothing is kept.
RFC 3501 §6.3.11, RFC 3502 (MULTIAPPEND), RFC 4315 (APPENDUID), RFC 7889 (APPENDLIMIT).
"""

from collections.abc import AsyncIterator

from imap.errors import MailboxError, NoFolder, TooBig
from imap.grammar.command import Announced
from imap.grammar.writer import NO_ROOM, Answer
from imap.principal import settable
from imap.store import Batch
from imap.visit import Visit
from smtp.reply import printable
from vault.errors import StorageFull


class Appending:
    """One APPEND."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._batch: Batch | None = None
        self._name = ""
        self.failed: Answer | None = None

    async def allow(self, announced: Announced) -> Answer | None:
        """Say why a message may not come, or None: it may."""
        if self.failed is not None:
            return self.failed
        try:
            if announced.size > self._visit.house.max_size:
                raise TooBig("The message is larger than any that is taken here")
            if self._batch is None:
                place, folder = self._visit.find(announced.folder, "li")
                quota = self._visit.mailboxes.quota(place.mailbox)
                if quota.limit is not None and quota.used + announced.size > quota.limit:
                    return Answer("NO", "The mailbox is full", "OVERQUOTA")
                self._batch = self._visit.mailboxes.batch(folder.id)
                self._name = announced.folder
        except NoFolder as error:
            return Answer("NO", printable(error.words), "TRYCREATE")
        except MailboxError as error:
            return Answer("NO", printable(error.words), error.code)
        return None

    async def add(self, announced: Announced, blocks: AsyncIterator[bytes]) -> None:
        """Take a message as it streams; what goes wrong is told at the end."""
        assert self._batch is not None
        arrived = announced.date.timestamp() if announced.date else None
        try:
            flags = settable(self._visit.locate(self._name, "li").rights, announced.flags)
            await self._batch.add(flags, arrived, blocks, announced.size)
        except MailboxError as error:
            self.failed = Answer("NO", printable(error.words), error.code)
        except StorageFull:
            self.failed = NO_ROOM

    async def commit(self) -> Answer:
        """Put the messages into the folder; durable when this returns."""
        batch, self._batch = self._batch, None
        assert batch is not None
        if self.failed is not None:
            await batch.discard()
            return self.failed
        try:
            _, folder = self._visit.find(self._name, "li")  # it may have been taken away meanwhile
            done = await batch.commit()
        except MailboxError as error:
            await batch.discard()
            return Answer("NO", printable(error.words), error.code)
        except StorageFull:
            return NO_ROOM
        await self._visit.acted("filed", folder, done.uids)
        return Answer("OK", "Kept", f"APPENDUID {done.uid_validity} {done.uids}")

    async def discard(self) -> None:
        """Forget what came."""
        batch, self._batch = self._batch, None
        if batch is not None:
            await batch.discard()
