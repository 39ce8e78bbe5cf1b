"""Work for another process, as ``trust.apart`` is given it."""

import time

from trust.book import Buffer
from trust.errors import ListError


def join(*parts: Buffer) -> bytes:
    return b"".join(bytes(part[:]) for part in parts)


def refuse(given: Buffer) -> bytes:
    raise ListError(f"{len(given)} octets are no list")


def break_off(given: Buffer) -> bytes:
    raise RuntimeError(bytes(given[:]).decode())


def swell(_given: Buffer) -> bytes:
    return bytes(64 << 30)


def dawdle(_given: Buffer) -> bytes:
    time.sleep(60)
    return b""
