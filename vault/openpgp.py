"""Sealing something for people outside: OpenPGP, for named keys alone, by GnuPG.

What is handed out (an escrow export) is encrypted while it streams: clear octets go through a pipe
into GnuPG and nowhere else; what it writes only those can read who have one of the private keys.
The public keys lie in a GnuPG home made for this one time; no other key, agent or network takes
part. RFC 9580; doc/DETAILS of GnuPG.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gnupg

from vault.errors import VaultError

_OPTIONS = [
    "--no-options",
    "--no-autostart",
    "--disable-dirmngr",
    "--no-auto-key-retrieve",
    "--no-auto-key-locate",
    "--trust-model=always",  # the keys were given by the operator; nobody else is here
]
_HOW = ["--batch", "--no-tty", "--quiet", "--cipher-algo=AES256", "--compress-algo=none"]
_SHORTEST = {"1": 2048, "2": 2048, "18": 255, "25": 255}  # RSA, ECDH: bits that suffice


class OpenPgpError(VaultError):
    """It was not encrypted; the message says why, for the operator."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key that something is encrypted for."""

    name: str  # as the operator calls it
    fingerprint: str
    holder: str  # as the key says


async def encrypt(
    content: AsyncIterator[bytes], keys: Mapping[str, bytes], target: Path
) -> tuple[Key, ...]:
    """Write the content, encrypted for these public keys, to a new file; return the keys.

    They are given by name, each in armour or not. Either the file is whole and on the disk, or it
    is not there and ``OpenPgpError`` says why.
    """
    with tempfile.TemporaryDirectory(prefix="sceau-openpgp-") as folder:
        home = Path(folder)
        found = await asyncio.to_thread(_home, home, keys)
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            await _piped(content, home, (key.fingerprint for key in found), fd)
            await asyncio.to_thread(os.fsync, fd)
        except BaseException:
            await asyncio.to_thread(target.unlink)
            raise
        finally:
            os.close(fd)
    return found


def checked(keys: Mapping[str, bytes]) -> tuple[Key, ...]:
    """Return the keys, if something can be encrypted for each of them; else ``OpenPgpError``."""
    with tempfile.TemporaryDirectory(prefix="sceau-openpgp-") as folder:
        return _home(Path(folder), keys)


async def _piped(
    content: AsyncIterator[bytes], home: Path, fingerprints: Iterable[str], fd: int
) -> None:
    recipients = [f"--recipient={fingerprint}" for fingerprint in fingerprints]
    process = await asyncio.create_subprocess_exec(
        "gpg",
        f"--homedir={home}",
        *_OPTIONS,
        *_HOW,
        *recipients,
        "--encrypt",
        stdin=asyncio.subprocess.PIPE,
        stdout=fd,
        stderr=asyncio.subprocess.PIPE,
    )
    stdin, stderr = process.stdin, process.stderr
    assert stdin is not None
    assert stderr is not None
    saying = asyncio.ensure_future(stderr.read())
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # it says itself why it ended
            async for block in content:
                stdin.write(block)
                await stdin.drain()
        stdin.close()
        said = (await saying).decode("utf-8", "replace")
        if await process.wait():
            raise OpenPgpError(f"GnuPG did not encrypt it: {_line(said)}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if not saying.done():
            await saying


def _home(home: Path, keys: Mapping[str, bytes]) -> tuple[Key, ...]:
    """Make a GnuPG home of these keys; return them, each one checked."""
    if not keys:
        raise OpenPgpError("no key is named that could read it")
    try:
        gpg = gnupg.GPG(gnupghome=str(home), options=_OPTIONS)
    except (OSError, ValueError):
        raise OpenPgpError("GnuPG is not installed: apt-get install gnupg") from None
    return tuple(_imported(gpg, name, key) for name, key in keys.items())


def _imported(gpg: gnupg.GPG, name: str, key: bytes) -> Key:
    result = gpg.import_keys(key)
    if int(result.sec_read or 0):
        raise OpenPgpError(f"{name} is a private key; only the public one belongs here")
    fingerprints = set(result.fingerprints)
    if len(fingerprints) != 1:
        raise OpenPgpError(f"{name} is not exactly one OpenPGP public key")
    (found,) = gpg.list_keys(keys=list(fingerprints))
    if "E" not in found["cap"]:
        raise OpenPgpError(f"nothing can be encrypted for {name}: it has expired, or only signs")
    if not any(_strong(each) for each in _encrypting(found)):
        raise OpenPgpError(f"{name} must be RSA of 2048 bits or elliptic, or more")
    return Key(name, str(found["fingerprint"]), next(iter(found["uids"]), ""))


def _encrypting(key: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    each: list[Mapping[str, Any]] = [key, *key.get("subkey_info", {}).values()]
    return [one for one in each if "e" in one["cap"]]


def _strong(key: Mapping[str, Any]) -> bool:
    return int(key["length"] or 0) >= _SHORTEST.get(key["algo"], 1 << 20)


def _line(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1].removeprefix("gpg: ")[:200] if lines else "it did not say why"
