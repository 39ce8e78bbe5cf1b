"""One mail transaction after another: who from, who to, and the content that ends each of them.

Pure. Whatever comes of the content, there is one answer, and then the transaction is over: a RCPT
or DATA that follows needs a MAIL of its own. RFC 5321 §3.3, RFC 3030 §2.
"""

from dataclasses import dataclass

from smtp import reply
from smtp.data import ChunkScanner, DataScanner
from smtp.envelope import Draft, Recipient, Refusal
from smtp.receive.command import CommandError, Lines
from smtp.receive.content import Content
from smtp.receive.events import Abandoned, ContentBegun, ContentEnded, ContentFailed
from smtp.receive.outlet import Outlet
from smtp.reply import Reply

_PATIENCE = 4  # times the size limit is read on, to find the end of what was refused ...
_FLOOR = 64 << 20  # ... and never less than this


@dataclass(slots=True)
class Transaction:
    """The draft and its content, if there is any at the moment."""

    outlet: Outlet
    max_size: int
    draft: Draft | None = None
    content: Content | None = None
    reading: bool = False  # what comes now is content, not commands
    waiting: bool = False  # the verdict is owed
    promised: Draft | None = None  # the last message, if it was taken and nothing was said since
    _discarded: int = 0

    @property
    def kept(self) -> bool:
        """Whether the shell has a message in hand."""
        return self.content is not None and self.content.begun

    def note(self, recipient: Recipient, said: Reply) -> None:
        """Add a recipient to those accepted, or to those refused."""
        draft = self.draft
        assert draft is not None
        accepted, refused = draft.recipients, draft.refused
        if said.positive:
            accepted = (*accepted, recipient)
        else:
            refused = (*refused, Refusal(recipient, said))
        self.draft = Draft(draft.peer, draft.mail, accepted, refused)

    def drop(self) -> None:
        """Forget the draft; tell whoever was refused a recipient and then sent nothing."""
        draft, self.draft = self.draft, None
        if draft is not None and draft.refused and not self.kept:
            self.outlet.tell(Abandoned(draft))

    # Its content.

    def begin_data(self) -> None:
        """DATA."""
        if self.draft is None or self.content is not None:
            raise CommandError(reply.BAD_SEQUENCE)
        if not self.draft.recipients:
            raise CommandError(reply.NO_RECIPIENTS)
        self.outlet.say(reply.START_DATA)
        self._begin(DataScanner(), None)
        self.reading = True

    def begin_chunk(self, size: int, fault: Reply | None, *, last: bool) -> None:
        """BDAT: its octets follow at once, and with a fault they are read only to be refused."""
        content = self.content
        if content is None:
            content = self._begin(ChunkScanner(), fault or self._fault())
        failed = content.expect(size, last=last)
        if failed is not None:
            self.outlet.tell(failed)
        self.reading = True
        if content.complete:
            self._end(content)

    def read(self, lines: Lines) -> int:
        """Read what there is of the content; return how many octets."""
        content, block = self.content, lines.take_all()
        if not block or content is None:
            return 0
        before = content.size
        event = content.take(block)
        if event is not None:
            self.outlet.tell(event)
        if content.failure is not None:
            self._discarded += content.size - before
            if self._discarded > max(_FLOOR, _PATIENCE * self.max_size):
                self.outlet.say(reply.TOO_MUCH)
        if content.complete:
            lines.put_back(content.rest)
            self._end(content)
        return len(block)

    def judge(self, verdict: Reply) -> None:
        """Take the verdict, which may be there before the content has ended."""
        content = self.content
        if content is None or not content.begun or content.verdict is not None:
            raise AssertionError("nobody asked for a verdict")
        content.verdict = verdict
        if self.waiting:
            self._conclude(content, verdict)

    def give_up(self) -> bool:
        """A command ends the message between two chunks; return whether the verdict is owed."""
        content = self.content
        if content is not None and content.verdict is None:
            content.silent = self.waiting = True
            self.outlet.tell(ContentFailed("reset"))
        else:
            self.content = None
        return self.waiting

    def _fault(self) -> Reply | None:
        if self.draft is None:
            return reply.BAD_SEQUENCE
        return None if self.draft.recipients else reply.NO_RECIPIENTS

    def _begin(self, scanner: DataScanner | ChunkScanner, fault: Reply | None) -> Content:
        self.content = content = Content(scanner, self.max_size, failure=fault)
        if fault is None and self.draft is not None:
            content.begun = True
            self.outlet.tell(ContentBegun(self.draft))
        return content

    def _end(self, content: Content) -> None:
        self.reading = False
        failed = content.finish()
        if failed is not None:
            self.outlet.tell(failed)
        elif content.last and content.failure is None:
            self.outlet.tell(ContentEnded())
        said = content.verdict if content.begun else content.failure
        if said is not None:
            self._conclude(content, said)
        elif content.last or content.failure is not None:
            self.waiting = True
        else:
            self.outlet.say(reply.CHUNK_OK)

    def _conclude(self, content: Content, verdict: Reply) -> None:
        if content.begun:
            taken = verdict.positive and content.failure is None
            self.promised, self.draft = self.draft if taken else None, None
        self.content, self.waiting = None, False
        if not content.silent:
            self.outlet.say(content.failure or verdict)
