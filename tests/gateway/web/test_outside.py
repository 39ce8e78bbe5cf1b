"""A name that a stranger wrote leads to the public network, and no further."""

import socket

import pytest

from gateway.web.outside import Outside, is_public
from trust.fetching import FetchError

_PUBLIC = ["9.9.9.9", "185.24.1.1", "2001:4860:4860::8888", "64:ff9b::909:909"]
_OURS = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "192.0.2.1",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2002:909:909::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2001:0:a00:1::1",
    "2001:db8::1",
    "100::1",
    "here",
    "1.2.3",
]


@pytest.mark.parametrize("address", _PUBLIC)
def test_the_public_network(address: str) -> None:
    """Authorities publish there."""
    assert is_public(address)


@pytest.mark.parametrize("address", _OURS)
def test_whatever_is_nearer(address: str) -> None:
    """Loopback, private, shared, of the link, of the cloud's host, multicast; in IPv6's clothes too."""
    assert not is_public(address)


class Names:
    """A name service that says what a test wants; it takes the place of the system's."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    def __call__(self, host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        if not self.addresses:
            raise socket.gaierror
        kind = socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 6, "", (one, port)) for one in self.addresses]


@pytest.mark.parametrize(
    ("host", "port", "addresses", "found"),
    [
        ("pki.example", 80, ("9.9.9.9",), ("9.9.9.9",)),
        ("pki.example", 443, ("10.0.0.1", "9.9.9.9", "9.9.9.9"), ("9.9.9.9",)),
        ("pki.example", 80, ("10.0.0.1", "127.0.0.1"), "bad-address"),
        ("pki.example", 25, ("9.9.9.9",), "bad-address"),
        ("pki.example", 80, (), "unreachable"),
        ("PKI.chu.example.", 8080, ("10.0.0.1",), ("10.0.0.1",)),
        ("not.pki.chu.example", 80, ("10.0.0.1",), "bad-address"),
        (
            "many.example",
            80,
            tuple(f"9.9.9.{n}" for n in range(9)),
            tuple(f"9.9.9.{n}" for n in range(4)),
        ),
    ],
)
async def test_only_the_addresses_count(
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    port: int,
    addresses: tuple[str, ...],
    found: tuple[str, ...] | str,
) -> None:
    """Of those a name has the public ones are taken; of a host that the settings list, all."""
    monkeypatch.setattr(socket, "getaddrinfo", Names(*addresses))
    outside = Outside(frozenset({"pki.chu.example"}))
    if isinstance(found, tuple):
        assert found == await outside.addresses(host, port)
        return
    with pytest.raises(FetchError) as caught:
        await outside.addresses(host, port)
    assert found == caught.value.state
