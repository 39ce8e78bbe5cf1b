"""Where a recipient is: here, on a server of the house, at listed hosts, or where DNS points.

DNS says only *where*: whoever answers there still shows a certificate, and the trust list says
whether it may have the message. RFC 5321 §5, RFC 7505.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from smtp.reply import Reply
from trust.sources import TrustList

NULL_MX = Reply(556, "5.1.10", "The recipient's domain takes no mail; it was not sent")


@dataclass(frozen=True, slots=True)
class Ours:
    """Our own mailboxes."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A mailbox server of the house, by its name in the settings."""

    server: str


@dataclass(frozen=True, slots=True)
class Hosts:
    """Named places, to be tried in this order."""

    places: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """DNS must say: MX, else A or AAAA."""

    domain: str


Route = Ours | Beside | Hosts | Lookup


def route(domain: str, ours: frozenset[str], listed: TrustList | None, default_port: int) -> Route:
    """Return the way to a domain; the trust list's hosts come before anything DNS could say."""
    if domain in ours:
        return Ours()
    member = listed.member(domain) if listed is not None else None
    if member is not None and member.hosts:
        return Hosts(tuple((host.name, host.port or default_port) for host in member.hosts))
    return Lookup(domain)


def candidates(
    domain: str,
    answers: Sequence[tuple[int, str]],
    default_port: int,
    shuffled: Callable[[Iterable[str]], Sequence[str]],
) -> Hosts | Reply:
    """Return the hosts of MX answers (preference, name), best first, equals in shuffled order.

    No MX at all means the domain itself; a lone MX of "." means that it takes no mail.
    """
    if not answers:
        return Hosts(((domain, default_port),))
    named = [(preference, name.rstrip(".").lower()) for preference, name in answers]
    by_preference: dict[int, list[str]] = {}
    for preference, name in sorted(named):
        if name:
            by_preference.setdefault(preference, []).append(name)
    if not by_preference:
        return NULL_MX
    order = [name for names in by_preference.values() for name in shuffled(names)]
    return Hosts(tuple((name, default_port) for name in order))
