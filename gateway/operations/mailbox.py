"""The verbs of ``sceau mailbox``."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.accounts.mailboxes import AccountError, Mailbox, Status
from gateway.accounts.tokens import Scope
from gateway.operations import folders, parts
from gateway.operations.account import noticing
from gateway.operations.consent import agreed
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.veil import veiled
from gateway.operations.words import address as read_address
from gateway.operations.words import mailbox as find
from gateway.operations.words import told
from imap.store import INBOX, PAGE, Entry
from smtp.address import Address, domain_of
from smtp.message import fields
from trust import identifiers
from trust.addresses import Kind
from trust.errors import HolderError


async def add(
    rooms: Rooms, *, address: str, kind: str = "PER", name: str = "", holder: str = ""
) -> object:
    """Make a mailbox with its INBOX, in one of our domains."""
    wanted = read_address(address)
    if domain_of(wanted) not in rooms.settings.site.domains:
        ours = ", ".join(rooms.settings.site.domains)
        raise OperationError(f"{domain_of(wanted)} is not ours", f"our domains are: {ours}")
    whose = _holder(holder)
    try:
        made = await rooms.accounts.add(wanted, Kind(kind.upper()), whose, name)
    except ValueError:
        raise OperationError(f"{kind} is no kind", "it is PER, ORG, APP or CAB") from None
    except AccountError as error:
        raise OperationError(str(error)) from None
    return row(made)


async def describe(
    rooms: Rooms,
    *,
    address: str,
    name: str | None = None,
    holder: str | None = None,
    hidden: bool | None = None,
) -> object:
    """Say anew whose a mailbox is, and whether directories may have it; nothing else changes."""
    found = find(rooms, address)
    try:
        changed = await rooms.accounts.describe(
            found,
            name=found.name if name is None else name,
            holder=found.holder if holder is None else _holder(holder),
            hidden=found.hidden if hidden is None else hidden,
        )
    except AccountError as error:
        raise OperationError(str(error)) from None
    return row(changed)


async def list_(rooms: Rooms) -> object:
    """Return every mailbox; a patient's without the number in its address."""
    rows = [row(each) for each in rooms.accounts.mailboxes()]
    return veiled(rows, rooms.settings.journal.citizens)


async def show(
    rooms: Rooms,
    *,
    address: str,
    folder: str = INBOX,
    content: bool = False,
    limit: int = PAGE,
    before: int | None = None,
) -> object:
    """Return what lies in a folder, the newest last; with ``content``, each message's octets too.

    At most ``limit`` entries; ``before`` a UID for those that came earlier.
    """
    owner, found = folders.named(rooms, address, folder).mailbox, list[Entry]()
    while (wanted := min(PAGE, limit - len(found))) > 0:
        page = rooms.mailboxes.latest(owner, folder, before=before, limit=wanted)
        found[:0] = page
        if len(page) < wanted:
            break
        before = page[0].uid
        await asyncio.sleep(0)  # mail goes on between two pages
    return [await _entry(rooms, entry, folder, content=content) for entry in found]


async def message(rooms: Rooms, *, address: str, uid: int, folder: str = INBOX) -> object:
    """Return one message with its octets, and what it is made of."""
    entry = _one(rooms, address, uid, folder)
    whole = await _entry(rooms, entry, folder, content=True)
    return whole | {"parts": await parts.of(rooms.mailboxes, entry)}


async def part(rooms: Rooms, *, address: str, uid: int, number: str, folder: str = INBOX) -> object:
    """Return one part of a message, decoded."""
    found = await parts.one(rooms.mailboxes, _one(rooms, address, uid, folder), number)
    return {"part": number, "content": base64.b64encode(found).decode()}


async def password(
    rooms: Rooms,
    *,
    address: str,
    label: str = "",
    days: int | None = None,
    scopes: list[str] | None = None,
) -> object:
    """Give the mailbox an application password; this answer alone holds it.

    It ends after so many days, and is for these scopes alone; else it is for all, until it is revoked.
    Who has a second factor makes their own with it: an operator needs another one's consent, and the
    owner is told.
    """
    owner = find(rooms, address)
    themselves = rooms.actor == f"mailbox:{owner.key}"  # on their account's pages
    guarded = not themselves and bool(rooms.factors.of(owner))
    if guarded and not await agreed(rooms, "mailbox.password", owner.key):
        return {"address": owner.address, "credential": None, "password": None}
    expires = rooms.clock() + timedelta(days=days) if days else None
    try:
        wanted = [Scope(each) for each in scopes or ()]
    except ValueError:
        raise OperationError(
            "a password is for something that is known", f"it is: {', '.join(Scope)}"
        ) from None
    also = await noticing(rooms, owner, "device", rooms.actor) if guarded else []
    made, text = await rooms.credentials.add_password(owner, label, expires, wanted, also)
    return {
        "address": owner.address,
        "credential": made.id,
        "expires": told(made.expires),
        "scopes": sorted(made.scopes),
        "password": text,
    }


async def certificate(rooms: Rooms, *, address: str, certificate: bytes, label: str = "") -> object:
    """Let the holder of a certificate log in to the mailbox."""
    owner = find(rooms, address)
    try:
        made = await rooms.credentials.add_certificate(owner, _der(certificate), label)
    except AccountError as error:
        raise OperationError(str(error)) from None
    return {
        "address": owner.address,
        "credential": made.id,
        "fingerprint": made.secret,
        "expires": told(made.expires),
    }


async def credentials(rooms: Rooms, *, address: str) -> object:
    """Return what the mailbox may be opened with, and what no longer opens it."""
    return [
        {
            "credential": each.id,
            "kind": each.kind,
            "label": each.label,
            "scopes": sorted(each.scopes),
            "created": told(each.created),
            "expires": told(each.expires),
            "revoked": told(each.revoked),
        }
        for each in rooms.credentials.of(find(rooms, address))
    ]


async def revoke(rooms: Rooms, *, address: str, credential: str) -> object:
    """End one password or certificate, and the connections of its mailbox."""
    owner = find(rooms, address)
    try:
        await rooms.credentials.revoke(owner, credential)
    except AccountError as error:
        raise OperationError(str(error)) from None
    rooms.leave(owner.address)
    return {"address": owner.address, "credential": credential, "status": "revoked"}


async def suspend(rooms: Rooms, *, address: str) -> object:
    """Let nobody log in to the mailbox."""
    return await _change(rooms, address, Status.SUSPENDED)


async def resume(rooms: Rooms, *, address: str) -> object:
    """End a suspension."""
    return await _change(rooms, address, Status.ACTIVE)


async def close(rooms: Rooms, *, address: str, successor: str | None = None) -> object:
    """Close the mailbox for good; senders are told of its successor, if it has one."""
    heir = read_address(successor) if successor else None
    if heir is not None and not heir.isascii():
        raise OperationError(f"{successor} fits into no reply", "name one in plain letters")
    return await _change(rooms, address, Status.CLOSED, heir)


def _holder(text: str) -> str:
    try:
        return str(identifiers.parse(text)) if text else ""
    except HolderError as error:
        raise OperationError(
            f"{text} names no holder: {error}",
            "write it like rpps:10003456786, finess:540002698 or siret:44306184100047",
        ) from None


def _one(rooms: Rooms, address: str, uid: int, folder: str) -> Entry:
    entry = rooms.mailboxes.entry(find(rooms, address).id, uid, folder)
    if entry is None:
        raise OperationError(
            f"there is no message {uid} in {folder}", f"see sceau mailbox show {address}"
        )
    return entry


async def _change(
    rooms: Rooms, address: str, status: Status, successor: Address | None = None
) -> object:
    try:
        changed = await rooms.accounts.set_status(find(rooms, address), status, successor)
    except AccountError as error:
        raise OperationError(str(error)) from None
    rooms.leave(changed.address)  # who shares it hears of it too, be it that it opens again
    return row(changed)


def row(mailbox: Mailbox) -> dict[str, Any]:
    """Return a mailbox as every answer shows it."""
    return {
        "address": mailbox.address,
        "key": mailbox.key,
        "kind": mailbox.kind.value,
        "status": mailbox.status.value,
        "name": mailbox.name,
        "holder": mailbox.holder,
        "hidden": mailbox.hidden,
        "successor": mailbox.successor,
        "created": told(mailbox.created),
    }


async def _entry(rooms: Rooms, entry: Entry, folder: str, *, content: bool) -> dict[str, Any]:
    shown = {
        "uid": entry.uid,
        "folder": folder,
        "arrived": told(entry.arrived),
        "from": fields.words(entry.summary.sender),
        "subject": fields.words(entry.summary.subject),
        "size": entry.size,
        "flags": list(entry.flags),
        "message_id": entry.summary.message_id,
        "message": entry.summary.message,
    }
    if content:
        shown["content"] = base64.b64encode(await rooms.mailboxes.read(entry)).decode()
    return shown


def _der(octets: bytes) -> bytes:
    if not octets.lstrip().startswith(b"-----BEGIN"):
        return octets
    try:
        return x509.load_pem_x509_certificate(octets).public_bytes(Encoding.DER)
    except ValueError:
        raise OperationError("that file holds no certificate", "give it in PEM or DER") from None
