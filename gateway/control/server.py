"""The answering end of the control socket, inside the running gateway.

Only the data folder's owner and root can open the socket, and the kernel says which of them it is
(``SO_PEERCRED``): that name is the actor of the journal's entry.
"""

import asyncio
import contextlib
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from gateway.control.line import LONGEST, SOCKET, Answer, Question, listening
from gateway.operations.error import OperationError

Perform = Callable[[str, str, Mapping[str, Any]], Awaitable[object]]  # actor, verb, arguments
Crashed = Callable[[str, BaseException], None]  # loop, error: for the log

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_PATIENCE = 60


def actor_of(uid: int) -> str:
    """Return an operator's name for the journal."""
    try:
        return f"operator:{pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"operator:{uid}"


class Control:
    """The socket and what answers on it."""

    def __init__(self, folder: Path, perform: Perform, crashed: Crashed) -> None:
        self._folder, self._perform, self._crashed = folder, perform, crashed
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(
            self._converse, sock=listening(self._folder), limit=LONGEST
        )

    def stop(self) -> None:
        """Listen no more; answers under way still arrive."""
        if self._server is not None:
            self._server.close()
            (self._folder / SOCKET).unlink(missing_ok=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The boundary of this loop: whatever one question does, the next is answered.
        try:
            async with asyncio.timeout(_PATIENCE):
                line = await reader.readline()
            if line:
                answer = await self._answer(_caller(writer), line)
                writer.write(msgspec.json.encode(answer) + b"\n")
                await writer.drain()
        except (OSError, ValueError, TimeoutError):
            pass  # nobody is left to tell
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, actor: str, line: bytes) -> Answer:
        try:
            question = msgspec.json.decode(line, type=Question)
            result = await self._perform(actor, question.verb, question.arguments)
            return Answer(result=msgspec.to_builtins(result))
        except OperationError as error:
            return Answer(error=str(error), hint=error.hint)
        except msgspec.DecodeError:
            return Answer(error="that is no question", hint="use the sceau command")
        except Exception as error:  # noqa: BLE001 - one bad question never stops the gateway
            self._crashed("control", error)
            return Answer(
                error=f"an unexpected {type(error).__name__} stopped the operation",
                hint="the gateway's log says where; please report it",
            )


def _caller(writer: asyncio.StreamWriter) -> str:
    sock: socket.socket = writer.get_extra_info("socket")
    packed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return actor_of(_CREDENTIALS.unpack(packed)[1])
