"""Whose mailbox lies on which server of the house."""

from gateway.relay.handing.servers import Servers
from gateway.settings.boxes import MailboxServer
from smtp.address import parse


def server(name: str, **more: object) -> MailboxServer:
    return MailboxServer.model_validate(
        {"name": name, "kind": "lmtp", "socket": "/run/dovecot/sceau", **more}
    )


def test_a_mailbox_comes_before_its_domain() -> None:
    """What is said of one mailbox counts more than what is said of all of its domain."""
    servers = Servers.of(
        [
            server("dovecot", domains=["chu.example"]),
            server("other", mailboxes=["Dr@chu.example", "a@labo.example"]),
        ]
    )

    assert "other" == servers.holding(parse("dr@chu.example"))
    assert "dovecot" == servers.holding(parse("ide@chu.example"))
    assert "other" == servers.holding(parse("a@labo.example"))
    assert servers.holding(parse("b@labo.example")) is None
    assert "dovecot" == servers.serving("chu.example")
    assert servers.serving("labo.example") is None


def test_without_servers_all_lies_with_us() -> None:
    """No settings, no detour."""
    assert Servers().holding(parse("dr@chu.example")) is None
