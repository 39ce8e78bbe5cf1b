"""Lives a day of the past in both gateways, before they are started: ``make demo ARGS=--day``.

A process of its own: the gateways' own rooms, doors, couriers and loops, by a clock that goes from
moment to moment of the plan and on by some milliseconds with each look at it. Nothing is written that the
product would not have written; only the time, and who sat at the keyboard, are made up.
"""

import asyncio
import io
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from gateway.app import opened, settings_of
from gateway.demo import day, documents
from gateway.demo.day import Deed, Moment
from gateway.demo.letters import letter, risky
from gateway.observe.logs import open_log
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.receipts.mqtt import Broker
from gateway.receipts.publisher import Publisher
from gateway.relay.carrier import Carrier, dialling
from gateway.relay.courier import Courier
from gateway.relay.resolver import Dns
from gateway.running import checks
from gateway.running.doors import Doors
from gateway.running.examining import inspecting
from gateway.running.housekeeping import sign_journal
from gateway.settings import Settings
from gateway.settings.motion import Relay
from imap.folder import UidSet
from imap.store import INBOX
from smtp import tls
from smtp.address import Address
from smtp.envelope import Draft, Mail, Peer, Recipient, Refusal
from smtp.reply import Reply

_TICK = timedelta(milliseconds=3)  # that pass with each look at the clock
_AT_ONCE = 16  # messages that are handed in together
_PATIENCE = 60  # seconds until receipts are with the broker
_OPERATOR = "operator:anne"
_GUESSER = "203.0.113.66"


@dataclass(slots=True)
class Clock:
    """A clock that goes on when it is looked at."""

    now: datetime

    def __call__(self) -> datetime:
        """Return the time."""
        self.now += _TICK
        return self.now


@dataclass(slots=True)
class House:
    """One gateway, as far as a day of the past needs it."""

    domain: str
    rooms: Rooms
    courier: Courier
    doors: Doors

    async def ask(self, verb: str, **arguments: Any) -> Any:
        """Ask as an operator."""
        return msgspec.to_builtins(await perform(self.rooms, _OPERATOR, verb, arguments))

    def address(self, name: str) -> Address:
        """Return the address of somebody here."""
        return Address(f"{name}@{self.domain}")

    async def hand_in(self, peer: Peer, sender: Address, to: Sequence[str], body: bytes) -> Reply:
        """Walk a transaction through the one door in, as a connection does."""
        intake = self.doors.intake
        await intake.met(peer)
        draft = Draft(peer, Mail(sender))
        said = intake.mail(draft)
        for each in to if said.positive else ():
            recipient = Recipient(Address(each))
            said = intake.rcpt(draft, recipient)
            if said.positive:
                draft = replace(draft, recipients=(*draft.recipients, recipient))
            else:
                draft = replace(draft, refused=(*draft.refused, Refusal(recipient, said)))
        if draft.recipients:
            return await intake.accept(draft, _blocks(body))
        await intake.abandoned(draft)
        return said

    async def submit(self, name: str, to: str, subject: str, body: bytes | None = None) -> None:
        """Send as somebody here does from a mail program."""
        sender = self.address(name)
        peer = Peer("10.1.0.7", tls="TLSv1.3", login=sender, listener="submission")
        content = body or letter(sender, to, subject, self.rooms.clock())
        await self.hand_in(peer, sender, [to], content)


async def _blocks(body: bytes) -> AsyncIterator[bytes]:
    yield body


@asynccontextmanager
async def house(config: Path, domain: str, clock: Clock) -> AsyncIterator[House]:
    """Open a gateway without its web pages, and everything that moves mail in it."""
    settings = _calm(settings_of(config))
    checks.data_folder(settings.paths.data)
    context = tls.client_context(settings.tls.certificate, settings.tls.key, settings.tls.anchors)
    async with AsyncExitStack() as stack:
        log = open_log(io.StringIO(), "error")
        rooms = await stack.enter_async_context(opened(settings, log, clock))
        carrier = Carrier(
            rooms.desk,
            Dns(),
            settings.relay,
            dialling(settings.site.host, context, settings.relay),
            {},
        )
        courier = Courier(rooms.desk, rooms.notices, carrier, settings.relay)
        rooms = replace(rooms, wake=courier.hasten)
        doors = Doors(rooms, courier)
        await doors.open()
        looking = inspecting(rooms, courier.ring)
        loops = [courier.run, looking.run, rooms.notes.run, doors.intake.unheard.run]
        if settings.receipts.host:
            broker = Broker.of(settings)
            loops.append(Publisher(rooms.outbox, broker.connected, clock, rooms.notes.tell).run)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each()) for each in loops]
            yield House(domain, rooms, courier, doors)
            await doors.stop()
            await courier.stop(5)
            await looking.stop(5)
            await doors.intake.unheard.settle()
            for task in tasks:
                task.cancel()
        await rooms.notes.write()
        await sign_journal(rooms)


def _calm(settings: Settings) -> Settings:
    """Return the settings with the ordinary waits between attempts: demonstrations have short ones."""
    retry = Relay().retry
    return settings.model_copy(update={"relay": settings.relay.model_copy(update={"retry": retry})})


def _unsent(each: House) -> bool:
    return bool(each.rooms.settings.receipts.host and each.rooms.outbox.waiting())


@dataclass(slots=True)
class Past:
    """Both houses, and those outside."""

    clock: Clock
    labo: House
    hopital: House
    outside: dict[str, Any]  # folder of certificates, domains
    done: int = 0

    async def live(self, begins: datetime) -> None:
        """Live through the plan; what falls into the same minutes happens together."""
        together: list[Moment] = []
        for moment in day.plan():
            if together and moment.minute != together[0].minute:
                await self._happen(together, begins)
                together = []
            together.append(moment)
        await self._happen(together, begins)

    async def _happen(self, moments: list[Moment], begins: datetime) -> None:
        at = begins + timedelta(minutes=moments[0].minute)
        self.clock.now = max(self.clock.now, at)
        for start in range(0, len(moments), _AT_ONCE):
            some = moments[start : start + _AT_ONCE]
            await asyncio.gather(*(self._do(moment) for moment in some))
        await self._settle()
        for each in (self.labo, self.hopital):
            await sign_journal(each.rooms)
        self.done += len(moments)

    async def _settle(self) -> None:
        """Wait until nothing is due in either house, nor looked into."""
        houses = (self.labo, self.hopital)
        while True:
            for each in houses:
                each.courier.ring()
                await each.courier.rested.wait()
            if not any(_looked_into(each.rooms) for each in houses) and all(
                each.courier.rested.is_set() for each in houses
            ):
                return
            await asyncio.sleep(0.01)

    async def _do(self, moment: Moment) -> None:
        match moment.deed:
            case Deed.RESULT:
                await self._result(moment)
            case Deed.ANSWER:
                to = self.labo.address(moment.whom)
                await self.hopital.submit(moment.who, to, "Re: résultats")
            case Deed.INSIDE:
                to = self.hopital.address(moment.whom)
                await self.hopital.submit(moment.who, to, "Avis")
            case Deed.OUTSIDE:
                await self.hopital.submit(moment.who, self.outside["outsider"], "Compte rendu")
            case Deed.SLIP:
                await self.hopital.submit(moment.who, self.labo.address("dr.martn"), "Question")
            case Deed.SILENT:
                await self.hopital.submit(moment.who, self.outside["silent"], "Transfert")
            case Deed.STRANGER | Deed.SUSPENDED | Deed.RISKY:
                await self._knock(moment)
            case Deed.GUESS:
                peer = Peer(_GUESSER, tls="TLSv1.3", listener="submission")
                who = self.hopital.address(moment.who)
                await self.hopital.doors.logins.password(who, f"azerty{moment.number}", peer)
            case Deed.READ:
                await self._read(moment)
            case Deed.DECIDE:
                await self._decide()
            case Deed.DENY | Deed.ALLOW:
                why = "clé volée, dit au téléphone" if moment.deed is Deed.DENY else "clé retrouvée"
                what = self.outside["domains"]["peer"]
                await self.hopital.ask(f"trust.{moment.deed}", what=what, reason=why)

    async def _result(self, moment: Moment) -> None:
        sender, to = self.labo.address(moment.who), self.hopital.address(moment.whom)
        found = documents.result(moment.number, self.clock())
        peer = Peer("10.2.0.9", tls="TLSv1.3", login=sender, listener="submission_certificate")
        await self.labo.hand_in(peer, sender, [to], documents.message(found, sender, (to,)))

    async def _knock(self, moment: Moment) -> None:
        """Come as another operator's gateway does."""
        role = {Deed.STRANGER: "unlisted", Deed.SUSPENDED: "suspended"}.get(moment.deed, "peer")
        domain = self.outside["domains"][role]
        leaf, *above = _certificates(Path(self.outside["pki"]) / f"{role}.crt")
        peer = Peer(
            "198.51.100.20",
            helo=f"mx.{domain}",
            tls="TLSv1.3",
            certificate=leaf,
            listener="relay",
            issuers=tuple(above),
        )
        sender = Address(f"{moment.who or 'info'}@{domain}")
        to = self.hopital.address(moment.whom or "accueil")
        if moment.deed is Deed.RISKY:
            body = risky(sender, to, moment.number, self.clock())
        else:
            body = letter(sender, to, "Transfert", self.clock())
        await self.hopital.hand_in(peer, sender, [to], body)

    async def _read(self, moment: Moment) -> None:
        """Open the newest messages of a mailbox, as a mail program does."""
        rooms, who = self.hopital.rooms, self.hopital.address(moment.who)
        principal = self.hopital.doors.principals.of(who)
        folder = principal and rooms.mailboxes.find(principal.own, INBOX)
        if not principal or not folder or not folder.exists:
            return
        last = folder.uid_next - 1
        uids = UidSet.of(range(max(1, last - 2), last + 1))
        peer = Peer("10.1.0.8", tls="TLSv1.3", login=who, listener="imap")
        await self.hopital.doors.witness.read(principal, peer, folder, uids)

    async def _decide(self) -> None:
        """Release one case and refuse another, each with a note."""
        cases = (await self.hopital.ask("quarantine.list"))["cases"]
        notes = (
            ("release", "Vu avec l'expéditeur, document attendu."),
            ("refuse", "Non sollicité."),
        )
        for (verb, note), case in zip(notes, cases, strict=False):
            await self.hopital.ask(f"quarantine.{verb}", case=case["id"], note=note)


def _looked_into(rooms: Rooms) -> bool:
    return bool(rooms.database.read("SELECT 1 FROM delivery WHERE state = 'inspecting' LIMIT 1"))


def _certificates(path: Path) -> list[bytes]:
    found = load_pem_x509_certificates(path.read_bytes())
    return [each.public_bytes(Encoding.DER) for each in found]


async def _found(each: House, files: list[str], people: list[list[str]]) -> list[dict[str, Any]]:
    """Bring the list in and make the mailboxes, as an operator did that morning."""
    await each.rooms.keeper.restore()
    octets, *signatures = files
    await each.ask("trust.import", octets=octets, signatures=signatures)
    made = []
    for name, kind in people:
        address = each.address(name)
        found = await each.ask("mailbox.add", address=address, kind=kind)
        secret = await each.ask("mailbox.password", address=address)
        made.append({"name": name, "key": found["key"], "password": secret["password"]})
    return made


async def lived(told: dict[str, Any]) -> dict[str, Any]:
    """Live the day that the demonstration describes; return who was made, and how much happened."""
    begins = datetime.fromisoformat(told["begins"])
    clock = Clock(begins)
    async with AsyncExitStack() as stack:
        labo, hopital = [
            await stack.enter_async_context(house(Path(site["config"]), site["domain"], clock))
            for site in told["sites"]
        ]
        made = {
            site["name"]: await _found(each, told["list"], site["people"])
            for each, site in zip((labo, hopital), told["sites"], strict=True)
        }
        past = Past(clock, labo, hopital, told["outside"])
        await past.live(begins)
        async with asyncio.timeout(_PATIENCE):
            # The broker's answers ring no bell of ours.
            while _unsent(labo) or _unsent(hopital):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    return {"people": made, "moments": past.done, "until": clock.now.astimezone(UTC).isoformat()}


def main() -> None:
    """Read on stdin what to live through, write on stdout what came of it."""
    os.umask(0o077)
    told = json.load(sys.stdin)
    try:
        import uvloop as loops
    except ImportError:
        loops = asyncio  # type: ignore[misc]
    with asyncio.Runner(loop_factory=loops.new_event_loop) as runner:
        json.dump(runner.run(lived(told)), sys.stdout)


if __name__ == "__main__":
    main()
