"""The asking end of the control socket; plain blocking calls, so that a command starts fast."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from gateway.control.line import LONGEST, Answer, Question, address
from gateway.operations.error import OperationError


def ask(folder: Path, verb: str, arguments: Mapping[str, Any], seconds: float = 600) -> Any:
    """Have the running gateway perform a verb; return its result.

    Raise ``ConnectionError`` when no gateway listens, ``OperationError`` for what it answers.
    """
    question = msgspec.json.encode(Question(verb, dict(arguments)))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(seconds)
        try:
            with address(folder) as name:
                sock.connect(name)
        except FileNotFoundError as error:
            raise ConnectionRefusedError(*error.args) from None
        sock.sendall(question + b"\n")
        line = _line(sock)
    try:
        answer = msgspec.json.decode(line, type=Answer)
    except msgspec.DecodeError:
        raise OperationError(
            "the gateway stopped before it answered",
            "look at its log; the operation may or may not have been done: see sceau journal export",
        ) from None
    if answer.error:
        raise OperationError(answer.error, answer.hint)
    return answer.result


def _line(sock: socket.socket) -> bytes:
    blocks, size = [], 0
    try:
        while (block := sock.recv(1 << 20)) and size <= LONGEST:
            blocks.append(block)
            size += len(block)
            if block.endswith(b"\n"):
                break
    except TimeoutError:
        return b""
    return b"".join(blocks)
