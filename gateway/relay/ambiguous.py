"""A recipient who is a number with several mailboxes, until an operator says which is meant. Pure.

It goes by an address in a domain that can be nobody's (RFC 2606): nothing is ever delivered there,
and what is held for it cannot go on before somebody has put a mailbox in its place. R-D6.
"""

from smtp.address import Address, domain_of, local_of
from trust import identifiers
from trust.errors import HolderError
from trust.identifiers import Identifier, Scheme

REASON = "recipient-ambiguous"
_END = ".invalid"


def standing(holder: Identifier) -> Address:
    """Return the address that stands for a number."""
    return Address(f"{holder.number.lower()}@{holder.scheme.value}{_END}")


def number(who: Address) -> Identifier | None:
    """Return the number that an address stands for; None: it is an address like others."""
    domain = domain_of(who)
    if not domain.endswith(_END) or domain.removesuffix(_END) not in tuple(Scheme):
        return None
    try:
        return identifiers.parse(f"{domain.removesuffix(_END)}:{local_of(who)}")
    except HolderError:
        return None


def shown(who: Address) -> str:
    """Return how a recipient is named to the software that named it."""
    found = number(who)
    return who if found is None else str(found)
