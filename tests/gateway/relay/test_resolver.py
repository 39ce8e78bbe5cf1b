"""Where DNS says a domain's mail goes."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from dns.asyncresolver import Resolver as AsyncResolver
from dns.exception import Timeout
from dns.name import from_text
from dns.rdataclass import IN
from dns.rdatatype import MX as MX_TYPE
from dns.rdtypes.ANY.MX import MX
from dns.resolver import NXDOMAIN, NoAnswer, NoNameservers

from gateway.relay.resolver import DNS_FAILED, NO_SUCH_DOMAIN, Dns, shuffled
from gateway.relay.routes import NULL_MX, Hosts
from smtp.reply import Reply


def _new(kind: Any, *values: object) -> Any:
    """Make one of dnspython's values, whose constructors are not typed."""
    return kind(*values)


def mx(preference: int, host: str) -> MX:
    made: MX = _new(MX, IN, MX_TYPE, preference, from_text(host))
    return made


class Answers:
    """A resolver that says what it was told to."""

    def __init__(self, *answers: MX | Exception) -> None:
        self.answers = answers
        self.asked = 0

    def __call__(self) -> AsyncResolver:
        return cast("AsyncResolver", self)

    async def resolve(self, domain: str, kind: str) -> list[MX]:
        self.asked += 1
        assert (domain, kind) == ("chu.example", "MX")
        for answer in self.answers:
            if isinstance(answer, Exception):
                raise answer
        return [answer for answer in self.answers if isinstance(answer, MX)]


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        (
            Answers(mx(20, "b.chu.example."), mx(10, "a.chu.example.")),
            Hosts((("a.chu.example", 25), ("b.chu.example", 25))),
        ),
        (Answers(_new(NoAnswer)), Hosts((("chu.example", 25),))),
        (Answers(mx(0, ".")), NULL_MX),
        (Answers(_new(NXDOMAIN)), NO_SUCH_DOMAIN),
        (Answers(_new(Timeout)), DNS_FAILED),
        (Answers(_new(NoNameservers)), DNS_FAILED),
        (Answers(OSError("no network")), DNS_FAILED),
    ],
)
async def test_mx_then_the_domain_itself_and_never_an_end_for_want_of_dns(
    answers: Answers, found: Hosts | Reply
) -> None:
    """The list vouches for the domain: DNS may delay its mail, not refuse it (RFC 5321 §5.1)."""
    assert found == await Dns(answers).find("chu.example", 25)


async def test_the_resolver_is_made_once_and_when_it_is_needed() -> None:
    """A machine without name servers can still start."""

    def broken() -> AsyncResolver:
        raise OSError("no /etc/resolv.conf")

    make: Callable[[], AsyncResolver] = broken
    assert DNS_FAILED == await Dns(make).find("chu.example", 25)
    answers = Answers(_new(NoAnswer))
    dns = Dns(answers)
    for _ in range(2):
        await dns.find("chu.example", 25)
    assert 2 == answers.asked


def test_equals_are_shuffled_and_nobody_is_lost() -> None:
    """Load spreads, every host is there."""
    assert sorted("abc") == sorted(shuffled("abc"))
