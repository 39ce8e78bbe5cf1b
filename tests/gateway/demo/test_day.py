"""The demonstration's day: the same each time, busy, and lived by the product itself."""

import base64
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.app import opened
from gateway.demo import day, past
from gateway.demo.day import Deed, Moment
from gateway.demo.pki import Authority
from gateway.demo.sites import free_ports
from gateway.observe.logs import open_log
from smtp.address import Address
from tests.world.lists import Lists
from tests.world.site import Site
from trust.members import Status
from vault.standalone import check

NOW = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - real handshakes compare with the real clock
BEGAN = NOW - timedelta(hours=24)


def test_the_plan_is_an_ordinary_day() -> None:
    """Thousands of things, in order, the same each time, each kind among them."""
    plan = list(day.plan())
    assert plan == list(day.plan())
    assert plan == sorted(plan, key=lambda moment: moment.minute)
    counted = Counter(moment.deed for moment in plan)
    assert set(Deed) == set(counted)
    assert counted[Deed.RESULT] > 1000
    assert counted[Deed.ANSWER] > 100 < counted[Deed.INSIDE]
    by_hour = Counter(moment.minute // 60 for moment in plan)
    assert by_hour[9] > 10 * by_hour[3]


_SHORT = (
    Moment(0, Deed.RESULT, 1, "resultats", "dr.durand"),
    Moment(0, Deed.ANSWER, 2, "dr.durand", "dr.martin"),
    Moment(0, Deed.INSIDE, 3, "dr.durand", "accueil"),
    Moment(0, Deed.OUTSIDE, 4, "dr.durand"),
    Moment(0, Deed.SLIP, 5, "dr.durand"),
    Moment(5, Deed.SILENT, 6, "dr.durand"),
    Moment(5, Deed.STRANGER, 7),
    Moment(5, Deed.SUSPENDED, 8, "dr.roux", "accueil"),
    *(Moment(5, Deed.RISKY, n, "documents", "accueil") for n in range(5)),
    Moment(10, Deed.GUESS, 9, "dr.durand"),
    Moment(10, Deed.READ, 10, "dr.durand"),
    Moment(15, Deed.DECIDE, 11),
    Moment(20, Deed.DENY, 12),
    Moment(25, Deed.ALLOW, 13),
)
_RULE = """
[[quarantine.rule]]
reasons = ["executable", "script", "macros", "archive-*"]
action = "hold"
senders = ["documents@partenaire.example"]
"""


async def test_a_day_is_lived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Yesterday's mail, refusals, cases and log-ins, written by the product, in a whole journal."""
    monkeypatch.setattr("gateway.demo.day.plan", lambda: iter(_SHORT))
    authority = Authority.make(BEGAN)
    lists = Lists.make(authority)
    ports = dict(zip(("labo", "chu", "peer"), free_ports(3, None), strict=True))
    sites = []
    for name in ("labo", "chu"):
        relay = f"\n[listen.relay]\nport = {ports[name]}\n{_RULE}"
        site = Site.make(tmp_path / name, f"{name}.example", authority, lists, relay)
        lists.add(site.domain, site.issued, [("127.0.0.1", ports[name])])
        sites.append(site)
    for role, domain in (
        ("peer", "partenaire"),
        ("suspended", "clinique"),
        ("unlisted", "inconnu"),
    ):
        issued = authority.issue(f"mx.{domain}.example")
        issued.write(tmp_path / "pki", role)
        status = Status.SUSPENDED if role == "suspended" else Status.ACTIVE
        if role != "unlisted":
            place = [("127.0.0.1", ports["peer"])]
            lists.add(f"{domain}.example", issued, place, status=status)
    people = {"labo": day.LABORATORY, "chu": day.HOSPITAL}

    told = await past.lived(
        {
            "begins": BEGAN.isoformat(),
            "list": [base64.b64encode(each).decode() for each in lists.published(BEGAN)],
            "sites": [
                {
                    "name": site.domain.partition(".")[0],
                    "domain": site.domain,
                    "config": str(site.config),
                    "people": people[site.domain.partition(".")[0]],
                }
                for site in sites
            ],
            "outside": {
                "pki": str(tmp_path / "pki"),
                "domains": {
                    "peer": "partenaire.example",
                    "suspended": "clinique.example",
                    "unlisted": "inconnu.example",
                },
                "outsider": "dr.dupont@grand-public.example",
                "silent": "accueil@partenaire.example",
            },
        }
    )

    assert (len(_SHORT), len(day.HOSPITAL)) == (told["moments"], len(told["people"]["chu"]))
    assert datetime.fromisoformat(told["until"]) < BEGAN + timedelta(minutes=40)
    key, lines = await _exported(sites[1])
    assert 0 == check(lines, key)["purged"]
    rows = [json.loads(line) for line in lines[1:-1]]
    events = Counter(row["event"] for row in rows)
    assert 6 == events["delivery.held"]  # the suspended member's, at the door, among them
    for event in (
        *("message.accepted", "delivery.delivered", "delivery.deferred"),
        *("recipient.refused", "delivery.failed", "login.failed", "mailbox.read", "trust.denied"),
        *("case.released", "case.refused", "trust.allowed", "peer.unreachable"),
    ):
        assert events[event], event
    assert Address("dr.durand@chu.example") in {row["who"] for row in rows}


async def _exported(site: Site) -> tuple[bytes, list[str]]:
    async with opened(site.settings, open_log(io.StringIO())) as rooms:
        rows = await rooms.exporting.rows(0, 10_000)
        lines = [rooms.exporting.begins(0), *rows, rooms.exporting.ends()]
        return rooms.ring.public_key, [json.dumps(line) for line in lines]
