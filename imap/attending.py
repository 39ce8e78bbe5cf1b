"""Does what one client's session asks for: log-ins, commands, messages that are appended, IDLE.

One task a command; what it says goes out as the line takes it. What runs for a command is not
cancelled by its connection: a client that is gone does not stop a commit in mid-course. The one
boundary: what is unexpected becomes a fixed sentence. RFC 2177 (IDLE).
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Protocol

from imap.commands import perform
from imap.commands.appending import Appending
from imap.errors import BrokenOff
from imap.events import (
    AppendEnded,
    AppendFailed,
    Asked,
    Event,
    IdleBegun,
    IdleEnded,
    LoginAsked,
    MessageAsked,
    MessageBlock,
    MessageEnded,
)
from imap.grammar.command import Announced, Command
from imap.grammar.writer import Answer
from imap.principal import Principal
from imap.session import Session
from imap.state import State, Turn
from imap.visit import House, Visit
from smtp import reply
from smtp.address import Address
from smtp.receive.body import Body, BodyError
from smtp.receive.intake import Authenticator
from smtp.receive.login import CertificateClaim, Claim, PasswordClaim
from smtp.reply import Reply

_RIGHTS_CHANGED = Reply(421, "4.7.0", "What you may do here has changed; connect again")
_LAST_WORD = 1.0  # seconds for the command in hand of somebody who lost their rights
_BROKEN = Answer("NO", "Something failed here; please try again", "SERVERBUG")


class Doorkeeper(Authenticator, Protocol):
    """Who knows as well what a password is for."""

    def is_whole(self, login: str, password: str) -> bool:
        """Whether a right password is for everything, and not for reading alone."""


class Room(Protocol):
    """What the door provides."""

    @property
    def house(self) -> House:
        """The mailboxes, and what goes with them."""

    @property
    def authenticator(self) -> Doorkeeper:
        """Who knows passwords, certificates and tokens."""

    def run(self, work: Coroutine[object, object, None]) -> None:
        """Run it to its end, whatever becomes of the connection it is for."""

    def on_event(self, event: str, facts: Mapping[str, object], /) -> None:
        """Take note of something."""


class Line(Protocol):
    """What the connection does."""

    def pump(self) -> None:
        """Carry on: there may be more to do, and something to write."""

    def write(self) -> None:
        """Write what was said."""

    async def flow(self) -> None:
        """Write what was said, and wait until the client has taken most of it."""

    def regulate(self) -> None:
        """Read on, or not: what waits to be worked off has changed."""

    def retire(self, said: Reply) -> None:
        """Say goodbye as soon as no command is in hand."""

    def abort(self) -> None:
        """Close without another word."""


class Attendant:
    """Attends to one client."""

    def __init__(self, room: Room, machine: Session, line: Line) -> None:
        self._room, self._machine, self._line = room, machine, line
        self._visit: Visit | None = None
        self._append: Appending | None = None
        self._body: Body | None = None
        self._added = _settled()
        self._idling = False
        self._updates: asyncio.Future[None] | None = None  # telling what changed, to one who idles
        self._unlisten: Callable[[], None] = lambda: None

    @property
    def queued(self) -> int:
        """How many octets of a message wait to be taken."""
        return self._body.queued if self._body is not None else 0

    @property
    def taking(self) -> bool:
        """Whether a message is arriving."""
        return self._body is not None

    def leave(self) -> None:
        """The client is gone."""
        self._idling = False
        self._unlisten()
        if self._visit is not None:
            self._visit.leave()

    def act(self, event: Event) -> None:
        """Do what the session asks."""
        match event:
            case Asked(command):
                self._room.run(self._perform(command))
            case LoginAsked(claim):
                self._room.run(self._log_in(claim))
            case MessageAsked(announced):
                self._room.run(self._may_come(announced))
            case MessageBlock(block) if self._body is not None:
                self._body.put(block)
            case MessageEnded() if self._body is not None:
                self._body.finish()
            case AppendEnded():
                self._room.run(self._commit())
            case AppendFailed():
                self._room.run(self._give_up())
            case IdleBegun():
                self._idling = True
                self._ring()
            case IdleEnded(command):
                self._idling = False
                self._room.run(self._perform(command))
            case _:
                pass

    async def _perform(self, command: Command) -> None:
        visit = self._visit
        assert visit is not None
        if self._updates is not None:
            await self._updates
        try:
            answer = await perform(visit, command)
        except ConnectionAbortedError:
            return
        except BrokenOff as error:
            self._broken(error)
            self._line.abort()
            return
        except Exception as error:  # noqa: BLE001 - the boundary: the client hears a fixed sentence
            answer = self._broken(error)
        self._machine.utf8 = visit.utf8
        if self._machine.state is not State.LOGOUT:
            self._machine.turn(Turn.SHUT if visit.folder is None else Turn.OPENED)
        self._done(answer)

    def _done(self, answer: Answer) -> None:
        self._machine.done(answer)
        self._line.pump()

    # Logging in.

    async def _log_in(self, claim: Claim) -> None:
        said: Address | Reply
        try:
            said = await self._claimed(claim)
            principal = None if isinstance(said, Reply) else self._room.house.rights.of(said)
        except Exception as error:  # noqa: BLE001 - the boundary: the client hears a fixed sentence
            self._broken(error)
            said, principal = reply.LOCAL_ERROR, None
        if isinstance(said, Reply) or principal is None:
            self._machine.refused(said if isinstance(said, Reply) else reply.BAD_CREDENTIALS)
        else:
            self._machine.logged_in(said)
            self._enter(principal, whole=self._is_whole(claim))
        self._line.pump()

    def _is_whole(self, claim: Claim) -> bool:
        keeper = self._room.authenticator
        return not isinstance(claim, PasswordClaim) or keeper.is_whole(claim.login, claim.password)

    def _enter(self, principal: Principal, *, whole: bool) -> None:
        house, machine = self._room.house, self._machine
        self._visit = Visit(
            house, principal, machine.peer, machine.say, self._line.flow, self._ring
        )
        self._visit.whole = whole
        if machine.state is not State.LOGOUT:  # who left while the log-in was judged hears nothing
            self._unlisten = house.rights.listen(principal, self._reconsider)

    def _reconsider(self) -> None:
        """What it may do has changed: go by that, or let it go if it opened what it has lost."""
        visit = self._visit
        if visit is None:
            return
        principal = self._room.house.rights.of(visit.principal.login)
        if principal is None or not visit.reconsider(principal):
            self._line.retire(_RIGHTS_CHANGED)
            # In the middle of what it asked for it hears no more of it.
            asyncio.get_running_loop().call_later(_LAST_WORD, self._line.abort)

    async def _claimed(self, claim: Claim) -> Address | Reply:
        room, peer = self._room, self._machine.peer
        if isinstance(claim, PasswordClaim):
            return await room.authenticator.password(claim.login, claim.password, peer)
        if isinstance(claim, CertificateClaim):
            return await room.authenticator.certificate(claim.authzid, peer)
        return await room.authenticator.token(claim.login, claim.token, peer)

    # Appending.

    async def _may_come(self, announced: Announced) -> None:
        await self._added
        assert self._visit is not None
        if self._append is None:
            self._append = Appending(self._visit)
        try:
            refusal = await self._append.allow(announced)
        except Exception as error:  # noqa: BLE001 - the boundary: the client hears a fixed sentence
            refusal = self._broken(error)
        if refusal is not None:
            await self._forget()
            self._done(refusal)
            return
        self._body = Body(self._line.regulate)
        self._added = asyncio.get_running_loop().create_future()
        self._room.run(self._add(announced, self._append, self._body))
        self._machine.go_on()
        self._line.pump()

    async def _add(self, announced: Announced, append: Appending, body: Body) -> None:
        try:
            await append.add(announced, body)
        except BodyError:
            pass  # given up: whoever waits for it knows
        except Exception as error:  # noqa: BLE001 - the boundary: the client hears a fixed sentence
            append.failed = self._broken(error)
        body.discard()
        self._body = None
        self._added.set_result(None)
        self._line.regulate()

    async def _commit(self) -> None:
        await self._added
        append, self._append = self._append, None
        assert append is not None
        assert self._visit is not None
        try:
            answer = await append.commit()
            await self._visit.refresh()
        except Exception as error:  # noqa: BLE001 - the boundary: the client hears a fixed sentence
            answer = self._broken(error)
        self._done(answer)

    async def _give_up(self) -> None:
        if self._body is not None:
            self._body.fail("closed")
        await self._added
        await self._forget()

    async def _forget(self) -> None:
        append, self._append = self._append, None
        if append is not None:
            await append.discard()

    # Telling a client that waits.

    def _ring(self) -> None:
        if self._idling and self._updates is None and self._visit is not None:
            self._updates = asyncio.get_running_loop().create_future()
            self._room.run(self._update(self._visit, self._updates))

    async def _update(self, visit: Visit, updates: "asyncio.Future[None]") -> None:
        try:
            while self._idling and visit.rung:
                await visit.refresh()
                self._line.write()
        except Exception as error:  # noqa: BLE001 - the boundary: it is told with the next command
            self._broken(error)
        self._updates = None
        updates.set_result(None)

    def _broken(self, error: Exception) -> Answer:
        peer = self._machine.peer
        facts = {"listener": peer.listener, "ip": peer.ip, "error": type(error).__name__}
        self._room.on_event("session.error", {**facts, "exception": error})
        return _BROKEN


def _settled() -> "asyncio.Future[None]":
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future
