"""Where DNS says a domain's mail goes: MX, else the domain itself.

Its answers are never trusted: whoever is found there must show a certificate that the trust list
names for the domain. RFC 5321 §5.1, RFC 7505.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from dns.asyncresolver import Resolver as AsyncResolver
from dns.exception import DNSException
from dns.rdtypes.ANY.MX import MX
from dns.resolver import NXDOMAIN, NoAnswer

from gateway.relay.routes import Hosts, candidates
from smtp.reply import Reply

DNS_FAILED = Reply(
    451, "4.4.3", "The recipient's domain could not be looked up; it will be tried again"
)
NO_SUCH_DOMAIN = Reply(
    451, "4.1.2", "The recipient's domain is not known to DNS now; it will be tried again"
)


class Resolver(Protocol):
    """Who knows where a domain's mail goes."""

    async def find(self, domain: str, default_port: int) -> Hosts | Reply:
        """Return the hosts in order, or why there are none."""


class Dns:
    """DNS, by the system's name servers."""

    def __init__(self, make: Callable[[], AsyncResolver] = AsyncResolver) -> None:
        self._make = make
        self._resolver: AsyncResolver | None = None  # made when it is first needed

    async def find(self, domain: str, default_port: int) -> Hosts | Reply:
        """Return the hosts in order, or why there are none.

        A listed domain that DNS does not know is put off, not given up: the list vouches for it.
        """
        try:
            if self._resolver is None:
                self._resolver = self._make()
            answer = await self._resolver.resolve(domain, "MX")
        except NoAnswer:
            return candidates(domain, [], default_port, shuffled)
        except NXDOMAIN:
            return NO_SUCH_DOMAIN
        except (DNSException, OSError):
            return DNS_FAILED
        answers = [(r.preference, r.exchange.to_text()) for r in answer if isinstance(r, MX)]
        return candidates(domain, answers, default_port, shuffled)


def shuffled(names: Iterable[str]) -> Sequence[str]:
    """Return the names in an order that nobody can foresee."""
    order = list(names)
    secrets.SystemRandom().shuffle(order)
    return order
