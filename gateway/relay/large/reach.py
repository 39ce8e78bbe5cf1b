"""How a message that may be too large gets to its reader, as far as anybody can know beforehand.

Asked at RCPT, when the size was declared, and again when the content is here; the courier asks the same
with what the next hop says at that moment. A limit that nobody has told is none: the message is taken,
and its sender is told if it proves too large after all. RFC 1870 §6, RFC 5321 §4.5.3.1.
"""

from collections.abc import Iterator
from enum import StrEnum

from gateway.relay.large.hops import Hop
from smtp.address import Address
from smtp.reply import Reply
from trust.addresses import Listed
from trust.errors import HolderError
from trust.identifiers import parse
from trust.sources import TrustList

REASON = "too-large-for-peer"
_MB = 1_000_000


class Way(StrEnum):
    """What is handed to the next hop."""

    WHOLE = "whole"  # the message as it is
    FETCHED = "fetched"  # a stub; their gateway fetches the rest
    READ = "read"  # a stub; a person proves who they are, and fetches it by a browser
    NONE = "none"  # there is none


def way(size: int, hop: Hop | None, *, lends: bool, holder: str) -> Way:
    """Return the way of a message of that size to a next hop; ``hop`` is what is known of it.

    ``lends``: other gateways may fetch from us a message as large as that. ``holder``: who can prove to
    be the recipient, and read it here; "" if nobody, or there is nowhere to prove it.
    """
    if hop is None or hop.takes(size):
        return Way.WHOLE
    if lends and hop.fetches(size):
        return Way.FETCHED
    return Way.READ if holder else Way.NONE


def holder_of(listed: TrustList | None, recipient: Address) -> str:
    """Return the person whom the list, or else a directory, names for an address: ``rpps:…``.

    "": nobody, or no person: nobody logs in as an establishment. What the list says goes before.
    """
    if listed is None:
        return ""
    for found in _known(listed, recipient):
        if found is None or not found.holder:
            continue
        try:
            identifier = parse(found.holder)
        except HolderError:
            return ""
        return str(identifier) if identifier.scheme.person else ""
    return ""


def _known(listed: TrustList, recipient: Address) -> Iterator[Listed | None]:
    yield listed.listed(recipient)
    for directory in listed.directories:
        yield directory.find(recipient)


def too_large(limit: int) -> Reply:
    """Return what a sender is told who can only send less, or another way."""
    return Reply(
        552,
        "5.3.4",
        f"The recipient's server takes no more than {max(1, limit // _MB)} MB at once, and nobody"
        " there can fetch a larger message; it was not sent, send it in several parts or by"
        " another way",
    )
