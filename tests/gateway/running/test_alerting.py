"""Operators who are not looking are told: by mail, by a webhook, and by a heartbeat that falls silent."""

import base64
import io
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.app import clock as now
from gateway.app import opened
from gateway.demo.pki import Authority
from gateway.observe.alerts import Condition, Level, signature
from gateway.observe.logs import open_log
from gateway.operations.perform import perform
from gateway.operations.rooms import Rooms
from gateway.receipts.receipt import Kind as Told
from gateway.relay.delivery import State
from gateway.running.alerting import Alerting
from gateway.running.conditions import conditions
from smtp.address import Address
from smtp.envelope import Notify, Recipient
from tests.gateway.operations.conftest import held, spooled
from tests.world.clock import START, Clock
from tests.world.lists import Lists
from tests.world.running import running, until
from tests.world.site import Site
from tests.world.web import answer, serving
from trust.addresses import Kind
from trust.bridges import Bridge, Bridges
from trust.fetching import NO_HEADERS, Fetched, FetchError, FetchState, NotModified
from trust.identity import Certificate
from trust.overlay import Overlay

FAR = START + timedelta(days=365)
HOOK, BEAT = "https://hook.example/sceau", "https://beat.example/ping"
_ALERTS = f"""
[alerts]
mail = ["garde@labo.example"]
webhook = "{HOOK}"
webhook_secret_file = "hook.secret"
heartbeat = "{BEAT}"
"""


class Web:
    """Where a webhook and a heartbeat arrive, or do not."""

    def __init__(self) -> None:
        self.down = False
        self.posts: list[tuple[bytes, Mapping[str, str]]] = []
        self.beats = 0

    def _answer(self) -> Fetched:
        if self.down:
            raise FetchError(FetchState.UNREACHABLE, "nobody listens")
        return Fetched(b"")

    async def get(
        self,
        url: str,
        *,
        limit: int,
        within: float,
        anchors: bytes = b"",
        etag: str = "",
        plain: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Fetched | NotModified:
        del limit, within, etag, plain, headers
        assert (BEAT, True) == (url, anchors.startswith(b"-----BEGIN"))
        answer = self._answer()
        self.beats += 1
        return answer

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        media_type: str,
        limit: int,
        within: float,
        anchors: bytes = b"",
        plain: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Fetched:
        del limit, within, plain, anchors
        assert (HOOK, "application/cloudevents+json") == (url, media_type)
        answer = self._answer()
        self.posts.append((body, headers))
        return answer

    @property
    def told(self) -> list[tuple[str, str]]:
        documents = [json.loads(body) for body, _ in self.posts]
        return [(each["type"].rpartition(".")[2], each["subject"]) for each in documents]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make(START)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lists(authority: Authority) -> Lists:
    return Lists.make(authority)


@pytest.fixture
def site(tmp_path: Path, authority: Authority, lists: Lists) -> Site:
    made = Site.make(tmp_path / "labo", "labo.example", authority, lists, _ALERTS)
    secret = made.folder / "hook.secret"
    secret.write_bytes(b"partage\n")
    secret.chmod(0o600)
    lists.add("labo.example", made.issued)
    lists.add("chu.example", authority.issue("mx.chu.example"))
    return made


@pytest.fixture
async def rooms(site: Site, clock: Clock, lists: Lists) -> AsyncIterator[Rooms]:
    async with opened(site.settings, open_log(io.StringIO()), clock) as rooms:
        await rooms.accounts.add(Address("garde@labo.example"), Kind.ORG)
        await rooms.keeper.offer("list", lists.offer())
        yield rooms


@pytest.fixture
def web() -> Web:
    return Web()


def alerting(rooms: Rooms, web: Web, expires: datetime = FAR) -> Alerting:
    return Alerting.of(rooms, web, lambda: expires)


def mails(rooms: Rooms) -> list[str]:
    rows = rooms.database.read("SELECT id FROM message WHERE door = 'report' ORDER BY id")
    return [copy.message.summary.subject for (one,) in rows for copy in rooms.spool.copies(one)]


async def test_all_is_well(rooms: Rooms, web: Web, clock: Clock) -> None:
    """Nothing is told, and the heartbeat is heard; not more often than was asked."""
    watch = alerting(rooms, web)
    await watch.round()
    await watch.round()
    assert ([], [], 1) == (web.told, mails(rooms), web.beats)
    clock.advance(seconds=300)
    await watch.round()
    assert 2 == web.beats


async def test_a_peer_is_told_that_its_certificate_ends(rooms: Rooms, web: Web) -> None:
    """Its postmaster can renew it; our own certificate, and those of mailboxes, are our affair."""
    watch = alerting(rooms, web)
    for kind in ("peer", "ours", "mailbox"):
        facts = {"kind": kind, "domain": "chu.example, clinique.example", "reason": "7 days"}
        rooms.notes.tell("certificate.expires", facts)
    await watch.round()
    await watch.round()

    rows = rooms.database.read("SELECT id FROM message WHERE door = 'report' ORDER BY id")
    sent = [copy.recipient for (one,) in rows for copy in rooms.spool.copies(one)]
    told = [one for one in sent if one.address.startswith("postmaster@")]
    assert [Recipient(Address("postmaster@chu.example"), frozenset({Notify.NEVER}))] == told


async def test_a_list_grows_old(rooms: Rooms, web: Web, clock: Clock) -> None:
    """A day before, and when it is too late; by mail and by webhook; and the heart falls silent."""
    watch = alerting(rooms, web)
    clock.advance(days=29, hours=1)
    await watch.round()
    assert [("raised", "list-stale/list")] == web.told
    beats = web.beats
    clock.advance(days=1)
    await watch.round()
    assert ("worse", "list-stale/list") in web.told
    assert {"[labo] warning: list stale", "[labo] alarm: worse: list stale"} <= set(mails(rooms))
    assert beats == web.beats
    assert beats == 1


async def test_a_restart_repeats_nothing(rooms: Rooms, web: Web, clock: Clock) -> None:
    """What was told is kept, sealed."""
    clock.advance(days=31)
    await alerting(rooms, web).round()
    await alerting(rooms, web).round()
    assert 1 == len(web.posts)
    ((facts,),) = rooms.database.read("SELECT facts FROM alarm")
    assert b"stale" not in facts


async def test_a_webhook_that_is_down_loses_nothing(rooms: Rooms, web: Web, clock: Clock) -> None:
    """What it did not take comes in order when it is back, also after a restart; mail goes meanwhile."""
    web.down = True
    clock.advance(days=31)
    await alerting(rooms, web).round()
    assert 1 == len(mails(rooms))
    web.down = False
    await alerting(rooms, web).round()
    assert [("raised", "list-stale/list")] == web.told
    await alerting(rooms, web).round()
    assert 1 == len(web.posts)


async def test_a_webhook_is_signed(rooms: Rooms, web: Web, clock: Clock) -> None:
    """Whoever shares the secret can tell ours from another's."""
    clock.advance(days=31)
    await alerting(rooms, web).round()
    ((body, headers),) = web.posts
    assert {"Sceau-Signature": signature(b"partage", body, clock())} == headers


async def test_a_heartbeat_that_nobody_hears(rooms: Rooms, web: Web) -> None:
    """It is tried again at the next look."""
    web.down = True
    watch = alerting(rooms, web)
    await watch.round()
    web.down = False
    await watch.round()
    assert 1 == web.beats


async def test_what_happened_is_told(rooms: Rooms, web: Web) -> None:
    """An alarm in the log is one outside too: without the address that it is about."""
    watch = alerting(rooms, web)
    facts = {"who": Address("dr@labo.example"), "domain": "chu.example", "reason": "x"}
    rooms.notes.tell("peer.wrong_certificate", facts)
    rooms.notes.tell("trust.unsigned", {"source": "list", "reason": "said by its source"})
    rooms.notes.tell("message.accepted", {})
    await watch.round()
    assert [("raised", "peer-wrong-certificate")] == web.told
    ((body, _),) = web.posts
    assert b"domain chu.example, reason x" in body
    assert b"dr@labo" not in body


async def test_a_mail_can_be_read(rooms: Rooms, web: Web, clock: Clock) -> None:
    """From our postmaster; automatic, so that nothing answers it."""
    clock.advance(days=31)
    await alerting(rooms, web).round()
    ((number,),) = rooms.database.read("SELECT id FROM message WHERE door = 'report'")
    (copy,) = rooms.spool.copies(number)
    assert "postmaster@labo.example" == copy.message.mail.mail_from
    content = await rooms.vault.read(f"delivery/{copy.delivery.id}")
    head, _, body = content.partition(b"\r\n\r\n")
    assert b"Auto-Submitted: auto-generated" in head
    assert "What to do: get a newer list" in base64.b64decode(body).decode()


async def names(rooms: Rooms, expires: datetime = FAR) -> dict[str, Level]:
    return {each.name: each.level for each in conditions(rooms, expires)}


@pytest.mark.parametrize(("days", "level"), [(61, None), (60, 1), (30, 2), (7, 3), (0, 3), (-1, 3)])
async def test_our_certificate(rooms: Rooms, days: int, level: int | None) -> None:
    """Sixty, thirty and seven days ahead."""
    found = await names(rooms, START + timedelta(days=days))
    assert level == found.get("certificate-expires")


async def test_what_is_wrong_with_the_lists(
    rooms: Rooms, lists: Lists, clock: Clock, authority: Authority
) -> None:
    """A failing source, an attack, a change that waits: each in its own words."""
    assert {} == await names(rooms)
    offer = lists.offer()
    await rooms.keeper.offer("list", type(offer)(offer.content, ()))
    assert {"list-unsigned": Level.ALARM} == await names(rooms)
    for number in range(50):
        lists.add(f"d{number}.example", authority.issue("mx.chu.example"))
    await perform(
        rooms,
        "operator:anne",
        "trust.import",
        dict(zip(("octets", "signatures"), _imported(lists), strict=True)),
    )
    assert {"change-waits": Level.ALARM} == await names(rooms)
    (condition,) = conditions(rooms, FAR)
    assert "domains whose mail is put off meanwhile: 50" in condition.sentence
    del clock


def _imported(lists: Lists) -> tuple[str, list[str]]:
    content, signed = lists.published(START)
    return base64.b64encode(content).decode(), [base64.b64encode(signed).decode()]


async def test_cases_that_nobody_looks_at(rooms: Rooms, clock: Clock) -> None:
    """After some hours, and louder on the day before the first of them expires."""
    await held(rooms)
    await held(rooms)
    assert {} == await names(rooms)
    clock.advance(hours=5)
    assert {"case-waits": Level.WARNING} == await names(rooms)
    (condition,) = conditions(rooms, FAR)
    assert "Held messages wait for a person: 2, the oldest for 5 hours" in condition.sentence
    clock.advance(days=28, hours=20)
    assert Level.ALARM is (await names(rooms))["case-waits"]


async def test_no_list_at_all(site: Site, clock: Clock) -> None:
    """All mail with others waits: said as loudly as anything."""
    async with opened(site.settings, open_log(io.StringIO()), clock) as rooms:
        assert {"list-missing": Level.ALARM} == await names(rooms)


async def test_a_list_that_cannot_be_read_any_more(rooms: Rooms) -> None:
    """Beside others it is not merely late: what it may have named waits already."""
    rooms.keeper._watches["list"].edition = None
    assert {"list-missing": Level.ALARM} == await names(rooms)
    (condition,) = conditions(rooms, FAR)
    assert "nothing is refused for it" in condition.sentence
    assert "list" == condition.about


@dataclass(frozen=True, slots=True)
class Shown:
    """What members last showed."""

    ends: dict[str, datetime]

    def all(self) -> list[SimpleNamespace]:
        found = [SimpleNamespace(domain=name, expires=end) for name, end in self.ends.items()]
        return sorted(found, key=lambda met: met.expires)

    def domains(self, met: SimpleNamespace) -> tuple[str, ...]:
        return (met.domain.rpartition("/")[2],)


@pytest.mark.parametrize(
    ("days", "level"), [(31, None), (30, 1), (7, 2), (-1, 2), (-7, None), (-8, None)]
)
async def test_a_members_certificate(rooms: Rooms, days: int, level: int | None) -> None:
    """Before its mail waits, and for a week after; not of ours, which has its own."""
    end = START + timedelta(days=days)
    shown = Shown({"chu.example": end, "labo.example": START})
    found = await names(replace(rooms, watch=shown))  # type: ignore[arg-type]
    assert level == found.get("member-certificate-expires")
    renewed = Shown({"chu.example": end, "new/chu.example": FAR})
    assert {} == await names(replace(rooms, watch=renewed))  # type: ignore[arg-type]


async def test_a_bridge_is_seen(rooms: Rooms, authority: Authority) -> None:
    """While it stands, and not after."""
    shown = Certificate.parse(authority.issue("mx.chu.example").der)
    bridge = Bridge(
        "chu.example",
        shown.spki_sha256,
        shown.subject,
        START,
        START + timedelta(hours=1),
        "operator:anne",
        "operator:brice",
    )
    rooms.keeper.overlaid(Overlay(bridges=Bridges.of([bridge])))
    assert {"bridge-in-use": Level.WARNING} == await names(rooms)
    rooms.clock.advance(hours=1)  # type: ignore[attr-defined]
    assert {} == await names(rooms)


async def test_mail_that_is_stuck(rooms: Rooms, clock: Clock) -> None:
    """What waits for a peer; what waits for a person has its own place."""
    await spooled(rooms, state=State.HELD)
    clock.advance(hours=3)
    assert {} == await names(rooms)
    await spooled(rooms)
    clock.advance(hours=3)
    (condition,) = conditions(rooms, FAR)
    assert "The oldest message has waited for 3 hours." == condition.sentence


async def test_a_broker_that_is_down(site: Site, clock: Clock, lists: Lists) -> None:
    """Receipts wait, none is lost; somebody should look."""
    text = site.config.read_text("utf-8") + '[receipts]\nhost = "broker.example"\n'
    site.config.write_text(text, "utf-8")
    async with opened(site.settings, open_log(io.StringIO()), clock) as rooms:
        await rooms.keeper.offer("list", lists.offer())
        await rooms.accounts.add(Address("bio@labo.example"), Kind.APP)
        copy = await spooled(rooms)
        receipt = rooms.books.receipt(copy, copy.delivery, "", Told.ACCEPTED)
        await rooms.database.commit(receipt)
        clock.advance(minutes=11)
        assert {"broker-down": Level.WARNING} == await names(rooms)


async def test_a_laboratorys_door_that_is_away(rooms: Rooms) -> None:
    """Results wait where nobody looks: somebody should, but not for a moment's absence."""
    now = rooms.clock()
    rooms.desk.away["outbox sortie"] = now - timedelta(minutes=9)
    assert {} == await names(rooms)
    rooms.desk.away["outbox sortie"] = now - timedelta(minutes=11)
    assert {"door-away": Level.WARNING} == await names(rooms)
    rooms.desk.away.clear()


async def test_a_scanner_that_is_silent(rooms: Rooms) -> None:
    """Messages wait for it, and then for a person: somebody should look before."""
    inspections = rooms.desk.screening.inspections
    assert inspections is not None
    inspections.silent = "it is not reached"
    assert {"scanner-silent": Level.WARNING} == await names(rooms)
    inspections.silent = ""
    assert {} == await names(rooms)


async def test_the_disk(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the reserve is touched, and when it is."""
    reserve = rooms.settings.vault.reserve
    usage = shutil.disk_usage(rooms.settings.paths.data)

    def left(free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))

    left(2 * reserve - 1)
    assert {"disk-full": Level.WARNING} == await names(rooms)
    left(reserve - 1)
    assert {"disk-full": Level.ALARM} == await names(rooms)


def test_conditions_are_no_secrets() -> None:
    """The words leave the house: the type has no place for an address of a patient."""
    assert {"name", "level", "sentence", "cure", "about", "lasts"} == set(
        Condition.__struct_fields__
    )


async def test_a_disk_that_fails_is_told(rooms: Rooms, web: Web) -> None:
    """Just when nothing can be written any more, somebody must hear of it."""
    watch = alerting(rooms, web)
    await rooms.database.close()
    await watch.round()
    await watch.round()
    assert [("raised", "database-failing")] == web.told


async def test_a_gateway_that_runs_tells_over_https(tmp_path: Path) -> None:
    """The whole way: without a list in force, a webhook hears of it, and no heartbeat is heard."""
    authority = Authority.make(now().replace(microsecond=0))
    async with serving(authority) as web:
        web.pages = {"/hook": answer(b""), "/beat": answer(b"")}
        section = f"""
[alerts]
webhook = "{web.url("/hook", "localhost")}"
heartbeat = "{web.url("/beat", "localhost")}"
anchors = "alerts.pem"
"""
        lists = Lists.make(authority)
        site = Site.make(tmp_path / "labo", "labo.example", authority, lists, section)
        (site.folder / "alerts.pem").write_bytes(web.anchors)
        async with running(site) as labo:

            async def heard() -> set[str]:
                return {json.loads(each.body)["subject"] for each in web.asked}

            await until(heard, {"list-missing"})
            lists.add("labo.example", site.issued)
            offer = lists.offer(now().replace(microsecond=0))
            assert (await labo.rooms.keeper.offer("list", offer)).good
            labo.gateway._alerting._bell.set()
            await until(lambda: _paths(web), {"/hook", "/beat"})


async def _paths(web: object) -> set[str]:
    return {each.path for each in web.asked}  # type: ignore[attr-defined]
