"""The verbs of ``sceau token``: what software shows instead of a password."""

from datetime import timedelta
from typing import Any

from gateway.accounts.credentials import Credential
from gateway.accounts.mailboxes import Mailbox
from gateway.accounts.tokens import Scope
from gateway.operations import mailbox as mailboxes
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import mailbox as find
from gateway.operations.words import told

_LONGEST = 1100  # days: three years, as certificates have


async def add(
    rooms: Rooms, *, address: str, scopes: list[str], days: int = 365, label: str = ""
) -> object:
    """Give a mailbox's software a token; this answer alone holds it."""
    owner = find(rooms, address)
    try:
        wanted = {Scope(each) for each in scopes}
    except ValueError:
        known = ", ".join(Scope)
        raise OperationError("a token is for something that is known", f"it is: {known}") from None
    if not wanted or not 1 <= days <= _LONGEST:
        raise OperationError("a token is for something, and for a time", f"1 to {_LONGEST} days")
    expires = rooms.clock() + timedelta(days=days)
    made, text = await rooms.credentials.add_token(owner, wanted, expires, label)
    return _row(owner, made) | {"token": text}


async def list_(rooms: Rooms, *, address: str = "") -> object:
    """Return the tokens of a mailbox, or of all."""
    owners = [find(rooms, address)] if address else rooms.accounts.mailboxes()
    return [
        _row(owner, each)
        for owner in owners
        for each in rooms.credentials.of(owner)
        if each.kind == "token"
    ]


async def revoke(rooms: Rooms, *, address: str, credential: str) -> object:
    """End a token now."""
    return await mailboxes.revoke(rooms, address=address, credential=credential)


def _row(owner: Mailbox, token: Credential) -> dict[str, Any]:
    return {
        "address": owner.address,
        "credential": token.id,
        "label": token.label,
        "scopes": sorted(token.scopes),
        "created": told(token.created),
        "expires": told(token.expires),
        "revoked": told(token.revoked),
    }
