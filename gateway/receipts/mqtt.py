"""A line to the MQTT broker: the one importer of aiomqtt.

MQTT 5, QoS 1, many messages in flight. What aiomqtt's own ``publish`` leaves out is done here on
the connection it keeps: a batch costs no task and no timer a message, and the broker's reason code
is heard, because a broker whose ACL refuses a receipt acknowledges it all the same and it would
silently be lost. Only the configured anchors are believed, never the system's.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS
from paho.mqtt.client import Client as Paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway.settings import Settings

_CONNECT_TIMEOUT = 10.0
_ANSWER_TIMEOUT = 30.0
_GOODBYE = 2.0
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aRSA+SHA1"  # with TLS 1.3's own; R-A2


class BrokerError(Exception):
    """The broker cannot be reached or will not have us; the message is for the operator."""


class Answer(Enum):
    """What became of one publication."""

    TAKEN = "taken"
    REFUSED = "refused"  # the broker's ACL or limits: the others may still pass
    UNHEARD = "unheard"  # the line broke first: it may have been taken


@dataclass(frozen=True, slots=True)
class Publication:
    """One message for one topic."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how we log in."""

    host: str
    port: int
    anchors: Path
    username: str
    password_file: Path | None
    client: str  # our client identifier: one line at a time has it

    @classmethod
    def of(cls, settings: Settings) -> "Broker":
        """Return the broker of the settings; without anchors of its own, ours are asked."""
        receipts = settings.receipts
        return cls(
            host=receipts.host,
            port=receipts.port,
            anchors=receipts.anchors or settings.tls.anchors,
            username=receipts.username,
            password_file=receipts.password_file,
            client=f"sceau-{settings.site.name}",
        )

    @asynccontextmanager
    async def connected(self) -> "AsyncIterator[Line]":
        """Open a line, and close it; the password and the anchors are read anew each time."""
        try:
            password = self.password_file.read_text("utf-8").strip() if self.password_file else None
            line = Line(
                self.host,
                self.port,
                username=self.username or None,
                password=password,
                identifier=self.client,
                protocol=aiomqtt.ProtocolVersion.V5,
                clean_start=True,  # the outbox is our session
                tls_context=_context(self.anchors),
                timeout=_CONNECT_TIMEOUT,
                socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            )
            await line.__aenter__()
        except (aiomqtt.MqttError, OSError, ssl.SSLError, UnicodeDecodeError) as error:
            raise BrokerError(f"{self.host}:{self.port}: {error}") from None
        try:
            yield line
        finally:
            await line.hang_up()


class Line(aiomqtt.Client):
    """One connection to the broker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._silent = False

    @property
    def lost(self) -> bool:
        """Whether the connection is gone, or as good as gone."""
        return self._silent or self._disconnected.done()

    async def send(self, batch: Sequence[Publication]) -> list[Answer]:
        """Publish a batch in its order and return what became of each."""
        answers = [self._begin(publication) for publication in batch]
        pending = {answer for answer in answers if not answer.done()}
        while pending and not self.lost:
            watched: set[asyncio.Future[Any]] = {*pending, self._disconnected}
            done, _ = await asyncio.wait(
                watched,
                timeout=_ANSWER_TIMEOUT,
                return_when=asyncio.FIRST_COMPLETED,
            )
            self._silent = not done
            pending = {answer for answer in pending if not answer.done()}
        self._answers.clear()
        return [answer.result() if answer.done() else Answer.UNHEARD for answer in answers]

    def _begin(self, publication: Publication) -> asyncio.Future[Answer]:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if self.lost:
            answer.set_result(Answer.UNHEARD)
            return answer
        sent = self._client.publish(publication.topic, publication.payload, qos=1)
        if sent.rc == MQTT_ERR_SUCCESS:
            self._answers[sent.mid] = answer
        else:
            answer.set_result(Answer.UNHEARD)
        return answer

    def _on_publish(
        self,
        client: Paho,
        userdata: Any,
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        super()._on_publish(client, userdata, mid, reason_code, properties)
        self._acknowledge_at_once()
        if (answer := self._answers.pop(mid, None)) is not None and not answer.done():
            answer.set_result(Answer.REFUSED if reason_code.is_failure else Answer.TAKEN)

    def _acknowledge_at_once(self) -> None:
        # A broker without TCP_NODELAY holds its next answer back until our kernel has acknowledged
        # this one, which Linux puts off for 40 ms: 1,300 receipts a second become 14,000.
        line = self._client.socket()
        if isinstance(line, socket.socket) and hasattr(socket, "TCP_QUICKACK"):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    async def hang_up(self) -> None:
        """Close the connection; one that is gone already, or does not answer, is no error."""
        self.timeout = _GOODBYE
        with suppress(aiomqtt.MqttError):
            await self.__aexit__(None, None, None)
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()  # it was heard; asyncio need not complain of it


class _Socket(ssl.SSLSocket):
    """A TLS socket that is closed when its handshake fails; paho would leave it to chance."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - ssl's own
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _context(anchors: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
    context.sslsocket_class = _Socket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.load_verify_locations(anchors)
    return context
