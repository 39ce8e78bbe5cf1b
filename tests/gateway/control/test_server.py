"""The control socket: its owner's only, every caller named, no question stops the gateway."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.control.client import ask
from gateway.control.line import SOCKET, listening
from gateway.control.server import Control, actor_of
from gateway.operations.error import OperationError

_crashes: list[str] = []


async def _perform(actor: str, verb: str, arguments: Mapping[str, Any]) -> object:
    if verb == "fail":
        raise OperationError("no such message", "look it up with sceau spool list")
    if verb == "crash":
        raise RuntimeError("canary")
    return {"actor": actor, "verb": verb, "arguments": dict(arguments)}


def _crashed(loop: str, error: BaseException) -> None:
    _crashes.append(f"{loop} {type(error).__name__}")


@asynccontextmanager
async def _control(folder: Path) -> AsyncIterator[Control]:
    _crashes.clear()
    control = Control(folder, _perform, _crashed)
    await control.open()
    try:
        yield control
    finally:
        control.stop()


async def _ask(folder: Path, verb: str, **arguments: Any) -> Any:
    return await asyncio.to_thread(ask, folder, verb, arguments, 5)


async def test_a_question_is_answered_and_its_caller_named(tmp_path: Path) -> None:
    """The journal's actor is who the kernel says, not who the caller says."""
    async with _control(tmp_path):
        result = await _ask(tmp_path, "spool.list", limit=3)

    me = actor_of(os.geteuid())
    assert {"actor": me, "verb": "spool.list", "arguments": {"limit": 3}} == result


async def test_the_socket_is_for_its_owner_alone(tmp_path: Path) -> None:
    """No window in which others could connect, whatever the umask."""
    before = os.umask(0)
    try:
        async with _control(tmp_path):
            mode = (tmp_path / SOCKET).stat().st_mode & 0o777
    finally:
        os.umask(before)

    assert 0o600 == mode
    assert not (tmp_path / SOCKET).exists()


async def test_what_could_not_be_done_comes_back_with_its_hint(tmp_path: Path) -> None:
    """The operator reads the same words as if it had run here."""
    async with _control(tmp_path):
        with pytest.raises(OperationError, match="no such message") as caught:
            await _ask(tmp_path, "fail")

    assert "look it up with sceau spool list" == caught.value.hint


async def test_a_bug_is_told_without_its_text_and_the_next_question_answered(
    tmp_path: Path,
) -> None:
    """One bad question never stops the gateway, nor shows what it choked on."""
    async with _control(tmp_path):
        with pytest.raises(OperationError, match="an unexpected RuntimeError") as caught:
            await _ask(tmp_path, "crash")
        assert "still" == (await _ask(tmp_path, "still"))["verb"]

    assert ["control RuntimeError"] == _crashes
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("line", [b"not json\n", b'{"verb": 1}\n', b'{"verb":"a","x":1}\n'])
async def test_a_line_that_is_no_question_is_refused(tmp_path: Path, line: bytes) -> None:
    """Strict in what it takes."""
    async with _control(tmp_path):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / SOCKET))
        writer.write(line)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert answer.startswith(b'{"error":"that is no question"')


async def test_a_caller_that_hangs_up_harms_nobody(tmp_path: Path) -> None:
    """A command stopped with Ctrl-C leaves the gateway as it was."""
    async with _control(tmp_path):
        _, writer = await asyncio.open_unix_connection(str(tmp_path / SOCKET))
        writer.close()
        await writer.wait_closed()
        assert "still" == (await _ask(tmp_path, "still"))["verb"]


def test_without_a_gateway_the_connection_is_refused(tmp_path: Path) -> None:
    """The command then takes the lock and does it itself."""
    with pytest.raises(ConnectionRefusedError):
        ask(tmp_path, "spool.list", {})

    listening(tmp_path).close()  # what a crash leaves behind

    with pytest.raises(ConnectionRefusedError):
        ask(tmp_path, "spool.list", {})


async def test_a_data_folder_may_lie_deep(tmp_path: Path) -> None:
    """A socket's name is short; a folder's path need not be."""
    folder = tmp_path.joinpath(*["a-rather-long-name-of-a-folder"] * 6)
    folder.mkdir(parents=True)
    async with _control(folder):
        assert "deep" == (await _ask(folder, "deep"))["verb"]


def test_a_gateway_that_dies_before_it_answers_is_said_so(tmp_path: Path) -> None:
    """The operator must not believe that it was done, nor that it was not."""
    with listening(tmp_path), pytest.raises(OperationError, match="stopped before it answered"):
        ask(tmp_path, "x", {}, seconds=0.02)


def test_an_unknown_user_is_named_by_number() -> None:
    """A user may have been removed while logged in."""
    assert "operator:4000000" == actor_of(4000000)
