"""*Today*: the last day as pictures, how things stand, and what waits for somebody.

Everything on it is counted already (``gateway.operations.tally``) or one indexed read, so that it may stand
open on a screen all day: it draws itself anew when something changes. R-C5.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.around import Entry
from gateway.console.checks import Thresholds, checks
from gateway.console.critical import waiting as critical
from gateway.console.critical_words import WORDS as _CRITICAL
from gateway.console.drawing import Row, columns, shares
from gateway.console.frame import HOME, Frame
from gateway.observe.metrics import Standing
from gateway.operations import peers, tally
from gateway.operations.rooms import Rooms
from trust.verification import Outcome

ENTRY = Entry(HOME, "today")
LIVE = f"{HOME}/today/live"
WORDS: Mapping[str, tuple[str, str]] = {
    **_CRITICAL,
    "reference": ("Référence", "Reference"),
    "today": ("Aujourd'hui", "Today"),
    "last-day": ("les dernières 24 heures, heures UTC", "the last 24 hours, in UTC"),
    "live-over": (
        "Votre session est terminée : cette page ne se met plus à jour.",
        "Your session has ended: this page is no longer kept up to date.",
    ),
    "tile-sent": ("{n:envoyé|envoyés} par nos boîtes", "sent by our mailboxes"),
    "tile-came": ("{n:venu|venus} d'ailleurs", "come from elsewhere"),
    "tile-arrived": (
        "{n:remise|remises}, {share}\u202f% en moins de 5\u202fs",
        "{n:delivery|deliveries}, {share}% within 5\u202fs",
    ),
    "tile-arrived-none": ("remise", "deliveries"),
    "tile-refused": (
        "{n:destinataire refusé|destinataires refusés}",
        "{n:recipient|recipients} refused",
    ),
    "tile-held": ("en quarantaine", "in quarantine"),
    "tile-waiting": ("en attente d'un pair", "waiting for a peer"),
    "traffic": ("Messages, heure par heure", "Messages, hour by hour"),
    "traffic-title": (
        "{hour} h : {sent:# envoyé|# envoyés}, {came:# venu|# venus} d'ailleurs",
        "{hour}:00: {sent} sent, {came} come from elsewhere",
    ),
    "sent": ("Envoyés", "Sent"),
    "came": ("Venus d'ailleurs", "Come from elsewhere"),
    "trouble": ("Ce qui n'a pas passé", "What did not pass"),
    "trouble-title": (
        "{hour} h : {refused:# refusé|# refusés}, {failed:# échoué|# échoués}, {login:# connexion échouée|# connexions échouées}, {tls:# échec|# échecs} TLS",
        "{hour}:00: {refused} refused, {failed} failed, {login:# failed log-in|# failed log-ins}, {tls:# TLS failure|# TLS failures}",
    ),
    "refused-count": ("Destinataires refusés", "Recipients refused"),
    "failed-count": ("Remises échouées", "Deliveries failed"),
    "login-count": ("Connexions échouées", "Failed log-ins"),
    "tls-count": ("Échecs TLS", "TLS failures"),
    "hour": ("Heure", "Hour"),
    "as-table": ("En tableau", "As a table"),
    "delay": ("De la prise en charge à l'arrivée", "From acceptance to arrival"),
    "delay-none": ("Rien n'est arrivé encore.", "Nothing has arrived yet."),
    "within-1": ("moins d'une seconde", "within a second"),
    "within-5": ("moins de 5 s", "within 5 s"),
    "within-30": ("moins de 30 s", "within 30 s"),
    "within-300": ("moins de 5 min", "within 5 min"),
    "later": ("davantage", "longer"),
    "standing": ("État de la passerelle", "How the gateway stands"),
    "state-well": ("bien", "good"),
    "state-wait": ("à voir", "see to it"),
    "state-ill": ("mal", "bad"),
    "state-mute": ("sans objet", "not in use"),
    "check-list": ("Liste blanche", "Trust list"),
    "check-offer": ("Version proposée", "Version offered"),
    "check-certificate": ("Notre certificat", "Our certificate"),
    "check-mail": ("File d'attente", "Spool"),
    "check-broker": ("Accusés (MQTT)", "Receipts (MQTT)"),
    "check-scanner": ("Antivirus", "Virus scanner"),
    "scanner-silent": (
        "ne répond pas : les messages l'attendent",
        "does not answer: messages wait for it",
    ),
    "check-disk": ("Disque", "Disk"),
    "check-journal": ("Journal", "Journal"),
    "list-missing": (
        "aucune liste en vigueur : tout le courrier attend",
        "no list is in force: all mail waits",
    ),
    "list-stale": (
        "périmée depuis {span} (version {version})",
        "stale for {span} (version {version})",
    ),
    "list-waits": (
        "un changement attend une décision ; {domains:# domaine attend|# domaines attendent}",
        "a change waits for a decision; {domains:# domain waits|# domains wait}",
    ),
    "list-good": ("version {version}, valable encore {span}", "version {version}, good for {span}"),
    "offer-refused": ("refusée : {outcome}", "turned away: {outcome}"),
    "certificate-good": ("expire dans {span}", "expires in {span}"),
    "certificate-over": ("expiré depuis {span}", "expired {span} ago"),
    "mail-nothing": ("rien n'attend", "nothing waits"),
    "mail-waits": (
        "{waiting:# remise en cours, depuis|# remises en cours, la plus ancienne depuis} {span}",
        "{waiting:# delivery under way, for|# deliveries under way, the oldest for} {span}",
    ),
    "broker-none": ("aucun courtier réglé", "no broker is set"),
    "broker-good": ("tous transmis", "all handed on"),
    "broker-waits": (
        "{waiting:# attend le courtier, depuis|# attendent le courtier, le plus ancien depuis} {span}",
        "{waiting:# waits for the broker, for|# wait for the broker, the oldest for} {span}",
    ),
    "disk-free": ("{free} libres", "{free} free"),
    "journal-signed": ("tête signée il y a {span}", "head signed {span} ago"),
    "stuck": ("Ce qui attend, et pour qui", "What waits, and for whom"),
    "stuck-none": ("Rien n'attend aucun domaine.", "Nothing waits for any domain."),
    "domain": ("Domaine", "Domain"),
    "waiting": ("En attente", "Waiting"),
    "since": ("Depuis", "Since"),
    "said-last": ("Dernière réponse", "Last answer"),
    "patience": ("retenu", "on hold"),
}

_MOMENT = timedelta(seconds=2)
_MOST = 8  # domains shown; the spool's own page has them all
_DELAYS = (*(name for _, name in tally.DELAYS), tally.LATER)
_FAST = {"within-1", "within-5"}
_WAITING = {Outcome.WAITING, Outcome.REJECTED}
_Hours = Sequence[Mapping[str, Any]]


class _Seen(NamedTuple):
    """How things stood a moment ago."""

    at: datetime
    hours: _Hours
    waiting: list[dict[str, Any]]
    standing: Standing


class Today:
    """The page."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._last: _Seen | None = None
        self._looking = asyncio.Lock()

    def routes(self) -> list[BaseRoute]:
        """Return where it is."""
        return [
            Route(HOME, self._page, methods=["GET"]),
            Route(LIVE, self._live, methods=["GET"]),
        ]

    async def _page(self, request: Request) -> Response:
        await self._frame.operator(request)
        drawn = await self._drawn(request)
        return self._frame.page(request, "today.html", WORDS, drawn=drawn, live=LIVE)

    async def _live(self, request: Request) -> Response:
        return self._frame.live(request, lambda: self._drawn(request))

    async def _drawn(self, request: Request) -> str:
        say = self._frame.saying(request, WORDS)
        values = await self._values(say)
        return self._frame.fragment(request, "today-now.html", WORDS, **values)

    async def _seen(self) -> _Seen:
        """Look; however many screens ask, once in a moment."""
        rooms = self._frame.rooms
        async with self._looking:
            last, now = self._last, rooms.clock()
            if last is None or now >= last.at + _MOMENT:
                hours = cast("_Hours", await tally.hours(rooms, hours=24))
                waiting = cast("list[dict[str, Any]]", await peers.peers(rooms))
                self._last = last = _Seen(now, hours, waiting, rooms.metrics.standing())
            return last

    async def _values(self, say: Any) -> dict[str, Any]:
        rooms = self._frame.rooms
        _, hours, waiting, standing = await self._seen()
        total = Counter[str]()
        for each in hours:
            total.update({name: many for name, many in each.items() if name != "hour"})
        delays = shares([(name, total[name]) for name in _DELAYS])
        arrived = sum(each.value for each in delays)
        fast = sum(each.value for each in delays if each.key in _FAST)
        return {
            "critical": critical(rooms),
            "hours": hours,
            "total": total,
            "traffic": columns([_traffic(each, say) for each in hours], height=250),
            "trouble": columns([_trouble(each, say) for each in hours], height=150),
            "delays": delays,
            "arrived": arrived,
            "fast": int(100 * fast / arrived) if arrived else None,
            "held": standing.held,
            "checks": checks(standing, _bounds(rooms), _refused(rooms)),
            "stuck": [each for each in waiting if each["waiting"]][:_MOST],
            "queued": sum(each["waiting"] for each in waiting),
        }


def _traffic(each: Mapping[str, Any], say: Any) -> Row:
    hour, sent, came = each["hour"][11:13], each.get("sent", 0), each.get("came", 0)
    title = say("traffic-title", hour=hour, sent=sent, came=came)
    return Row(hour, title, (("one", sent), ("two", came)))


def _trouble(each: Mapping[str, Any], say: Any) -> Row:
    names = ("refused", "failed", "login-failed", "tls-failed")
    refused, failed, login, tls = (each.get(name, 0) for name in names)
    failed += each.get("expired", 0)
    hour = each["hour"][11:13]
    title = say("trouble-title", hour=hour, refused=refused, failed=failed, login=login, tls=tls)
    return Row(hour, title, (("three", refused), ("two", failed), ("four", login), ("one", tls)))


def _bounds(rooms: Rooms) -> Thresholds:
    settings = rooms.settings
    return Thresholds(
        settings.alerts.stale_before,
        settings.alerts.broker_after,
        settings.alerts.stuck_after,
        settings.vault.reserve,
        bool(settings.receipts.host),
    )


def _refused(rooms: Rooms) -> dict[str, str]:
    """Return the sources whose last offer was turned away."""
    return {
        each.name: str(each.last.outcome)
        for each in rooms.keeper.standing().sources
        if each.last is not None and not each.last.good and each.last.outcome not in _WAITING
    }
