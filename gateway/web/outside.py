"""Where a stranger may send us: to the public network's web servers, and no further.

Authorities are asked at the addresses that stand in certificates, and who issues those is not always
ours: a list may lend its anchors. So a name there must not become a request into our own network.
What is looked at is the very address that is then connected to, never a name that may lead elsewhere
a moment later. RFC 6890, R-A5.
"""

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from trust.fetching import FetchError, FetchState

_PORTS: Final = frozenset({80, 443})
_TRIES: Final = 4  # addresses of one name
_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address lies in its end


@dataclass(frozen=True, slots=True)
class Outside:
    """Hosts of our own network that may be asked all the same, at any port; by name, as asked."""

    inside: frozenset[str] = frozenset()

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return where a host may be connected to; ``FetchError`` if nowhere."""
        listed = host.lower().rstrip(".") in self.inside
        if not listed and port not in _PORTS:
            raise FetchError(FetchState.BAD_ADDRESS, f"{host} is not asked at port {port}")
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise FetchError(FetchState.UNREACHABLE, f"there is no address of {host}") from None
        addresses = dict.fromkeys(str(one[4][0]) for one in found)
        public = [one for one in addresses if listed or is_public(one)]
        if not public:
            raise FetchError(FetchState.BAD_ADDRESS, f"{host} lies inside, and is not asked")
        return tuple(public[:_TRIES])


def is_public(address: str) -> bool:
    """Return whether an address is one of the public network, whatever it is written as.

    No tunnel is (6to4, Teredo): what lies in such an address is another one, and nobody publishes there.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and (within := _within(found)) is not None:
        found = within
    elif found.version == 6 and (found not in _UNICAST or found.sixtofour or found.teredo):
        return False
    return found.is_global and not (found.is_multicast or found.is_reserved)


def _within(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that is meant by one of IPv6."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped
