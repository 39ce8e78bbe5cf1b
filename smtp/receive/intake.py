"""What a server asks of those above it: who takes the mail, and who knows its people.

``gateway`` fills these in; nothing here calls upward. The limits of a door are here too.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from smtp.address import Address
from smtp.envelope import Draft, Peer, Recipient
from smtp.reply import Reply


class Intake(Protocol):
    """Who takes the mail: asked at MAIL, at each RCPT, and given the message."""

    async def met(self, peer: Peer) -> None:
        """A peer has shown a certificate: return when it may be asked about, soon in any case."""

    def mail(self, draft: Draft) -> Reply:
        """May this transaction begin? Cheap and at once."""

    def rcpt(self, draft: Draft, recipient: Recipient) -> Reply:
        """May this recipient be added? A refusal is kept in the draft. Cheap and at once."""

    async def accept(self, draft: Draft, body: AsyncIterator[bytes]) -> Reply:
        """Take the message or refuse it; a positive reply needs the body read to its end.

        ``BodyError`` out of the body is to be let through. A refusal may come early: the rest
        of the message is read past, and the reply given at its end.
        """

    def heard(self, draft: Draft, *, certain: bool) -> None:
        """A message was taken: its sender has surely read the reply, or left and may not have."""

    async def abandoned(self, draft: Draft) -> None:
        """A recipient was refused, and then no message came: its sender may not know why."""


class Authenticator(Protocol):
    """Who knows which mailbox a password, a certificate or a token opens."""

    async def password(self, login: str, password: str, peer: Peer) -> Address | Reply:
        """Return the mailbox, or the refusal."""

    async def certificate(self, authzid: str, peer: Peer) -> Address | Reply:
        """Return the mailbox that ``peer.certificate`` opens, or the refusal."""

    async def token(self, login: str, token: str, peer: Peer) -> Address | Reply:
        """Return the mailbox that an issuer's access token opens, or the refusal."""


OnEvent = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one door bears. Times in seconds."""

    max_connections: int = 1000
    max_connections_per_address: int = 100  # of one IPv4 address or IPv6 /64
    idle_timeout: float = 300.0  # RFC 5321 §4.5.3.2.7: not less than five minutes
    handshake_timeout: float = 30.0
    grace: float = 30.0  # for messages in hand when the door closes
