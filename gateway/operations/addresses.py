"""The verb of ``sceau address``: looking an address up before writing to it.

One answer for the command, the web and software: who is found and may be shown, and for a whole
address whether a message to it would leave, in French and English. R-D3.
"""

import asyncio
from typing import Any

from gateway.operations.error import OperationError
from gateway.operations.rooms import Rooms
from gateway.operations.words import address as read_address
from smtp.address import Address, domain_of
from trust import lookup
from trust.directory.entry import Entry
from trust.lookup import Answer, State

WORDS: dict[str, tuple[str, str]] = {
    "listed": (
        "Cette adresse est dans l'espace de confiance : vous pouvez lui écrire.",
        "This address is trusted: you may write to it.",
    ),
    "domain-trusted": (
        "Le domaine est dans l'espace de confiance ; l'annuaire ne dit pas si cette adresse y existe.",
        "The domain is trusted; no directory says whether this address exists there.",
    ),
    "recipient-not-listed": (
        "Ce domaine n'est pas dans l'espace de confiance : le message ne partirait pas.",
        "This domain is not on the trust list: the message would not leave.",
    ),
    "recipient-address-not-listed": (
        "Le domaine est de confiance, mais cette adresse n'y est pas inscrite : vérifiez l'orthographe.",
        "The domain is trusted, but this address in it is not listed: check the spelling.",
    ),
    "recipient-revoked": (
        "Ce domaine a été retiré de l'espace de confiance : joignez le destinataire autrement.",
        "This domain was removed from the trust list: reach the recipient another way.",
    ),
    "recipient-denied": (
        "Votre opérateur a bloqué ce destinataire ; demandez-lui pourquoi.",
        "Your operator has denied this recipient; ask why.",
    ),
    "recipient-suspended": (
        "Ce domaine est suspendu pour le moment ; si c'est urgent, joignez le destinataire autrement.",
        "This domain is suspended for now; if it is urgent, reach the recipient another way.",
    ),
    "recipient-awaits-approval": (
        "Ce domaine attend l'accord de votre opérateur ; le message partirait ensuite.",
        "This domain awaits your operator's approval; the message would leave then.",
    ),
    "no-such-mailbox": (
        "Cette boîte n'existe pas ici : vérifiez l'adresse.",
        "There is no such mailbox here: check the address.",
    ),
    "list-stale": (
        "Notre liste de confiance doit être renouvelée ; le message partirait ensuite.",
        "Our trust list needs renewal; the message would leave then.",
    ),
    "list-missing": (
        "Aucune liste de confiance n'est chargée ; réessayez plus tard.",
        "No trust list is loaded; try again later.",
    ),
}
_OF_THE_SENDER = (
    "Votre propre adresse ne peut pas envoyer pour le moment ; demandez à votre opérateur.",
    "Your own address cannot send at present; ask your operator.",
)


async def search(
    rooms: Rooms, *, q: str, page: int = 1, sender: str | None = None
) -> dict[str, Any]:
    """Answer a question: an address, or words of a name, a place, an establishment."""
    settings = rooms.settings.lookup
    who = read_address(sender) if sender else None
    wanted = lookup.read(q)
    if not wanted:
        raise OperationError("that is too little to look for", "give an address, or a word of it")
    if not 1 <= page <= last_page(rooms):
        raise OperationError(f"there is no page {page}", "ask more exactly instead")
    answer, found = None, tuple[Entry, ...]()
    if isinstance(wanted, tuple):
        found = await _found(rooms, wanted, who)
    else:
        answer = _told(_about(rooms, wanted, who))
    start = (page - 1) * settings.page
    return {
        "answer": answer,
        "results": [_row(entry) for entry in found[start : start + settings.page]],
        "found": len(found),
        "more": len(found) > start + settings.page,
        "page": page,
    }


def last_page(rooms: Rooms) -> int:
    """Return the number of the last page that any question has."""
    settings = rooms.settings.lookup
    return -(-settings.most // settings.page)


async def _found(
    rooms: Rooms, wanted: tuple[str, ...], sender: Address | None
) -> tuple[Entry, ...]:
    listed = rooms.keeper.current
    if listed is None:
        return ()
    most = rooms.settings.lookup.most
    found = await asyncio.to_thread(lookup.search, wanted, sender, listed, rooms.clock(), most)
    return tuple(entry for entry in found if _shown(rooms, entry.address))


def _shown(rooms: Rooms, address: Address) -> bool:
    """Whether what we know ourselves lets an address be shown: of ours, open and not *liste rouge*."""
    if domain_of(address) not in rooms.settings.site.domains:
        return True
    mailbox = rooms.accounts.find(address)
    return mailbox is not None and mailbox.receives and not mailbox.hidden


def _about(rooms: Rooms, wanted: Address, sender: Address | None) -> Answer:
    answer = lookup.about(wanted, sender, rooms.keeper.current, rooms.clock())
    if answer.state is not State.TRUSTED or domain_of(wanted) not in rooms.settings.site.domains:
        return answer
    mailbox = rooms.accounts.find(wanted)
    if mailbox is None or not mailbox.receives:
        return Answer(wanted, State.NOT_TRUSTED, "no-such-mailbox")
    return Answer(wanted, State.TRUSTED, "domain-trusted") if mailbox.hidden else answer


def _told(answer: Answer) -> dict[str, Any]:
    french, english = WORDS.get(answer.reason, _OF_THE_SENDER)
    return {
        "address": answer.address,
        "state": answer.state.value,
        "reason": answer.reason,
        "words": {"fr": french, "en": english},
        "entry": _row(answer.entry) if answer.entry else None,
    }


def _row(entry: Entry) -> dict[str, Any]:
    row = entry._asdict()
    del row["hidden"]
    return row | {"kind": entry.kind.value}
