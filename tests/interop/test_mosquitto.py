"""Receipts at a real broker: over TLS, by password, at least once, in order, each to its owner."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from threading import Event
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.demo.sites import running, wait_for
from tests.interop.conftest import QUICK, Pair
from tests.interop.mail import compose, eventually, message_id, receipts, states, submission
from tests.interop.postfix import free_port
from tests.interop.site import Federation, Site, User

EXAMPLE = Path(__file__).parents[2] / "config"
GATEWAY_PASSWORD = "gateway-password-of-the-test"


class Broker:
    """mosquitto as ``config/mosquitto.conf`` and ``config/mosquitto.acl`` set it up."""

    def __init__(self, federation: Federation) -> None:
        self.folder = federation.folder / "broker"
        self.folder.mkdir()
        self.port = free_port()
        self.log = self.folder / "mosquitto.log"
        self._anchors = federation.anchors
        own = federation.credential("localhost", "localhost", "127.0.0.1")
        text = (EXAMPLE / "mosquitto.conf").read_text("utf-8")
        text = re.sub(r"(?m)^listener .*", f"listener {self.port} 127.0.0.1", text)
        text = re.sub(r"(?m)^certfile .*", f"certfile {own.crt}", text)
        text = re.sub(r"(?m)^keyfile .*", f"keyfile {own.key}", text)
        text = text.replace("/etc/mosquitto/sceau", str(self.folder))
        text = text.replace("/var/lib/mosquitto/", f"{self.folder}/")
        self.config = self.folder / "mosquitto.conf"
        self.config.write_text(f"user root\nlog_dest stderr\n{text}", "utf-8")
        (self.folder / "passwords").touch(mode=0o600)
        shutil.copy(EXAMPLE / "mosquitto.acl", self.folder / "acl")
        (self.folder / "acl").chmod(0o600)
        self.password("gateway-labo", GATEWAY_PASSWORD)

    def password(self, name: str, password: str) -> None:
        """Let a user log in."""
        accounts = str(self.folder / "passwords")
        words = ["mosquitto_passwd", "-b", accounts, name, password]
        subprocess.run(words, check=True, capture_output=True)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run the broker."""
        binary = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        with running([binary, "-c", str(self.config)], self.log) as process:
            wait_for(self.port, process, self.log)
            yield

    @contextmanager
    def listening(self, name: str, password: str, topic: str) -> Iterator["Listener"]:
        """Subscribe with QoS 1, as a laboratory's software does."""
        listener = Listener()
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.tls_set(str(self._anchors))
        client.username_pw_set(name, password)
        client.on_subscribe = lambda *_: listener.ready.set()
        client.on_message = lambda _, __, message: listener.heard.put(message)
        client.connect("localhost", self.port)
        client.loop_start()
        try:
            client.subscribe(topic, qos=1)
            assert listener.ready.wait(20), "the broker confirmed no subscription"
            yield listener
        finally:
            client.disconnect()
            client.loop_stop()


@dataclass(frozen=True, slots=True)
class Listener:
    """A subscriber, and what it has been told."""

    heard: Queue[paho.MQTTMessage] = field(default_factory=Queue)
    ready: Event = field(default_factory=Event)
    topics: set[str] = field(default_factory=set)  # of all that was heard

    def take(self, messages: list[str]) -> list[dict[str, Any]]:
        """Return the receipts of these messages, up to the last "delivered", each id once.

        With each come the ``qos`` and ``topic`` that it came by.
        """
        found: dict[str, dict[str, Any]] = {}
        waited = set(messages)
        try:
            while waited:
                message = self.heard.get(timeout=30)
                event = json.loads(message.payload)
                self.topics.add(message.topic)
                if event["subject"] in messages:
                    event = {"qos": message.qos, "topic": message.topic, **event}
                    found.setdefault(event["id"], event)
                if event["type"].endswith(".delivered"):
                    waited.discard(event["subject"])
        except Empty:
            pass  # what is missing shows in what is returned
        return list(found.values())


@pytest.fixture(scope="module")
def broker(federation: Federation) -> Broker:
    return Broker(federation)


@pytest.fixture(scope="module")
def pair(federation: Federation, broker: Broker) -> Iterator[Pair]:
    """Both gateways; the laboratory's pushes its receipts."""
    secret = broker.folder / "labo.password"
    secret.touch(mode=0o600)
    secret.write_text(GATEWAY_PASSWORD)
    pushing = {
        "host": "localhost",
        "port": broker.port,
        "anchors": str(federation.anchors),
        "username": "gateway-labo",
        "password_file": str(secret),
    }
    labo = Site(federation, "labo", "labo.example", {**QUICK, "receipts": pushing})
    hopital = Site(federation, "hopital", "chu-nord.example", QUICK)
    listed = federation.publish()
    labo.found(listed)
    hopital.found(listed)
    with labo, hopital:
        made = Pair(labo, hopital, labo.user("resultats", "APP"), hopital.user("dr.durand"))
        broker.password(made.robot.key, "software-password")
        yield made


def _topic(user: User) -> str:
    return f"sceau/v1/receipts/labo/{user.key}"


def _send(pair: Pair, *subjects: str) -> list[str]:
    """Submit a message for each subject; return their Message-IDs."""
    robot, doctor = pair.robot.address, pair.doctor.address
    sent = [compose(robot, doctor, subject) for subject in subjects]
    with submission(pair.labo, pair.robot) as line:
        for content in sent:
            line.sendmail(robot, [doctor], content)
    return [message_id(content) for content in sent]


def _by_message(events: list[dict[str, Any]]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for event in events:
        kinds.setdefault(event["subject"], []).append(event["type"].rpartition(".")[2])
    return kinds


STORY = ["accepted", "relayed", "delivered"]


def test_software_hears_the_whole_story_of_its_message(pair: Pair, broker: Broker) -> None:
    """QoS 1, on the mailbox's own topic, in the order in which it happened."""
    with (
        broker.serving(),
        broker.listening(pair.robot.key, "software-password", _topic(pair.robot)) as software,
    ):
        sent = _send(pair, "Recu en direct")
        told = software.take(sent)

    assert {sent[0]: STORY} == _by_message(told)
    assert {(1, _topic(pair.robot))} == {(event["qos"], event["topic"]) for event in told}


def test_while_the_broker_is_down_nothing_is_lost_and_mail_goes_on(
    pair: Pair, broker: Broker
) -> None:
    """What happened meanwhile is told afterwards, in order for each message."""
    sent = _send(pair, *(f"Sans courtier {n}" for n in range(5)))
    eventually(lambda: states(pair.labo), lambda seen: set(seen) == {"delivered"})
    unsent = [row["subject"] for row in receipts(pair.labo, pair.robot) if row["sent"] is None]
    with (
        broker.serving(),
        broker.listening(pair.robot.key, "software-password", _topic(pair.robot)) as software,
    ):
        told = software.take(sent)

    assert [3] * 5 == [unsent.count(message) for message in sent]
    assert dict.fromkeys(sent, STORY) == _by_message(told)


def test_software_sees_its_own_mailbox_only(pair: Pair, broker: Broker) -> None:
    """The example's access rules: a neighbour's receipts stay silent, one's own come."""
    neighbour = pair.labo.user("voisin")
    broker.password(neighbour.key, "neighbours-password")
    with (
        broker.serving(),
        broker.listening(neighbour.key, "neighbours-password", "sceau/v1/receipts/#") as spy,
    ):
        _send(pair, "Pas pour le voisin")
        with submission(pair.labo, neighbour) as line:
            content = compose(neighbour.address, pair.doctor.address, "Du voisin")
            line.sendmail(neighbour.address, [pair.doctor.address], content)
        told = spy.take([message_id(content)])

    assert {message_id(content): STORY} == _by_message(told)
    assert {_topic(neighbour)} == spy.topics


def test_no_address_and_no_subject_reaches_the_broker(pair: Pair, broker: Broker) -> None:
    """A broker is no place at rest: only opaque keys and codes are published."""
    with (
        broker.serving(),
        broker.listening(pair.robot.key, "software-password", _topic(pair.robot)) as software,
    ):
        sent = _send(pair, "Sujet confidentiel")
        told = json.dumps(software.take(sent)).lower()

    assert "accepted" in told
    for secret in ("confidentiel", pair.doctor.address, "dr.durand", "resultats@"):
        assert secret not in told
