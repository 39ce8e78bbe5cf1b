"""The verbs of ``sceau mailbox`` about how a person comes to their account's pages, and what they are told.

A first invitation is one operator's to give. Once a person has a factor, what replaces it takes two, or
whoever can type a command could be anybody. Whatever changes there, the mailbox's owner has mail.
"""

from collections.abc import Mapping
from datetime import datetime

from gateway.accounts.mailboxes import Mailbox
from gateway.operations.consent import agreed
from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import mailbox as find
from gateway.operations.words import told
from vault.database import Statement
from vault.errors import VaultError

# What the owner reads, in French and in English.
_NOTICES: Mapping[str, tuple[str, str]] = {
    "invited": (
        "Une invitation à choisir de nouveaux moyens de connexion a été remise pour votre compte.",
        "An invitation to choose new ways to log in was handed out for your account.",
    ),
    "set-up": (
        "De nouveaux moyens de connexion ont été choisis ; ceux d'avant ne valent plus.",
        "New ways to log in were chosen; what was there before is worth nothing any more.",
    ),
    "added": (
        "Un moyen de connexion a été ajouté à votre compte.",
        "A way to log in was added to your account.",
    ),
    "removed": (
        "Un moyen de connexion a été supprimé de votre compte.",
        "A way to log in was removed from your account.",
    ),
    "passphrase": (
        "La phrase de passe de votre compte a été changée.",
        "Your account's passphrase was changed.",
    ),
    "device": (
        "Un mot de passe d'appareil a été créé dans votre compte.",
        "A device's password was created in your account.",
    ),
    "guessed": (
        "Quelqu'un connaît votre phrase de passe, mais n'a pas donné le bon code.",
        "Somebody knows your passphrase, but did not give the right code.",
    ),
}
_SUBJECT = "Sceau: votre compte / your account"


async def invite(rooms: Rooms, *, address: str) -> object:
    """Give a code by which a person sets their passphrase and first factor; this answer alone holds it.

    Where there are factors already, two operators must ask, and those end when the code is used.
    """
    owner = find(rooms, address)
    if not owner.sends:
        raise OperationError(f"{address} is {owner.status}: nobody logs in there")
    if not rooms.settings.account.enabled:
        raise OperationError("the account's pages are off", "[account] enabled turns them on")
    replaces = bool(rooms.factors.of(owner))
    row = {"address": owner.address, "replaces": replaces}
    if replaces and not await agreed(rooms, "mailbox.invite", owner.key):
        return row | {"status": "waiting", "code": None, "link": None, "until": None}
    also = await noticing(rooms, owner, "invited") if replaces else []
    code, until = await rooms.invitations.make(owner, replaces=replaces, also=also)
    rooms.wake()
    link = f"{origin(rooms)}/account/invitation?code={code}"
    return row | {"status": "made", "code": code, "link": link, "until": told(until)}


async def factors(rooms: Rooms, *, address: str) -> object:
    """Return what a person logs in to their account's pages with; no secret is in it."""
    return [
        {
            "factor": each.id,
            "kind": each.kind.value,
            "label": each.label,
            "created": told(each.created),
            "used": told(each.used),
        }
        for each in rooms.factors.of(find(rooms, address))
    ]


async def noticing(rooms: Rooms, owner: Mailbox, what: str, where: str = "") -> list[Statement]:
    """Return the statements that tell a mailbox's owner by mail what was done to their account.

    Nothing, if it cannot be written: the journal has it, and what somebody does for their safety
    must not wait for a disk's reserve.
    """
    french, english = _NOTICES[what]
    at = _moment(rooms.clock())
    place = f" ({where})" if where else ""
    words = (
        f"{french}\n{at}{place}\n\nSi ce n'était pas vous, prévenez votre administrateur.\n\n"
        f"{english}\n{at}{place}\n\nIf it was not you, tell your administrator.\n"
    )
    try:
        return await rooms.notices.alerting(owner.address, _SUBJECT, words)
    except VaultError:
        return []


def origin(rooms: Rooms) -> str:
    """Return where browsers find the account's pages, as far as the settings say."""
    settings = rooms.settings
    if settings.account.origin:
        return settings.account.origin
    web = settings.listen.web
    return address_of(
        settings.setup.host or settings.site.host, settings.setup.web or (web.port if web else 443)
    )


def address_of(host: str, port: int) -> str:
    """Return the origin of a host and a port, as browsers write it."""
    return f"https://{host}" if port in {0, 443} else f"https://{host}:{port}"


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
