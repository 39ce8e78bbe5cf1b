"""What talks with the gateways as strangers do: a mail client, and software that hears receipts."""

import json
import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from gateway.demo.sites import DemoError, Site, User
from gateway.demo.stage import Stage, now


def words(sender: User, to: str, subject: str, text: str) -> bytes:
    """Return a short plain message."""
    built = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    at = now()
    built["Date"] = at
    built["From"], built["To"], built["Subject"] = sender.address, to, subject
    built["Message-ID"] = f"<{at:%Y%m%d%H%M%S%f}@{sender.address.rpartition('@')[2]}>"
    built.set_content(text)
    return bytes(built)


@contextmanager
def client(stage: Stage, site: Site, user: User, door: str) -> Iterator[smtplib.SMTP]:
    """Connect and log in as an ordinary mail client does."""
    by_certificate = door == "submission_certificate"
    context = stage.context(user.cert, user.key) if by_certificate else stage.context()
    port = site.ports[door]
    if door == "submission_starttls":
        line = smtplib.SMTP("127.0.0.1", port, timeout=20)
        line.starttls(context=context)
    else:
        line = smtplib.SMTP_SSL("127.0.0.1", port, timeout=20, context=context)
    with line:
        line.ehlo_or_helo_if_needed()
        if by_certificate:
            line.auth("EXTERNAL", lambda _=None: "")
        else:
            line.login(user.address, user.password)
        yield line


def send(line: smtplib.SMTP, sender: str, to: list[str], body: bytes) -> str:
    """Send one message to recipients who must all be accepted; return the server's last words."""
    line.mail(sender)
    for address in to:
        code, text = line.rcpt(address)
        if code != 250:
            raise DemoError(f"{address} was refused: {code} {text.decode()}")
    code, text = line.data(body)
    if code != 250:
        raise DemoError(f"the message was refused: {code} {text.decode()}")
    return text.decode()


@contextmanager
def listening(mqtt: dict[str, Any], receipts: list[dict[str, Any]]) -> Iterator[None]:
    """Collect the receipts as any software would: an MQTT client on the broker."""
    seen: set[str] = set()
    ready = threading.Event()

    def on_message(_: paho.Client, __: Any, message: paho.MQTTMessage) -> None:
        receipt = json.loads(message.payload)
        if receipt["id"] not in seen:
            seen.add(receipt["id"])
            receipts.append(receipt)

    subscriber = paho.Client(CallbackAPIVersion.VERSION2)
    subscriber.username_pw_set(mqtt["username"], mqtt["password"])
    subscriber.tls_set_context(ssl.create_default_context(cafile=mqtt["ca"]))
    subscriber.on_message = on_message
    subscriber.on_subscribe = lambda *_: ready.set()
    subscriber.connect(mqtt["host"], mqtt["port"])
    subscriber.subscribe(mqtt["topic"], qos=1)
    subscriber.loop_start()
    try:
        if not ready.wait(10):
            raise DemoError("the broker does not answer")
        yield
    finally:
        subscriber.loop_stop()
        subscriber.disconnect()
