"""Every certificate that a peer may come with, over real TLS: what it hears, and what we note.

A chain that is wrong is a TLS alert, and its reason is in our log; a certificate that is wrong for
the sender, or that its authority has taken back, is a fixed sentence.
"""

import asyncio
import json
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from gateway.app import clock
from gateway.demo.pki import Asking, Authority, Issued
from gateway.demo.revocation import Register
from gateway.operations.perform import perform
from tests.world.lists import Lists
from tests.world.running import DOORS, Running, running, until
from tests.world.site import Site
from tests.world.web import Asked, Web, answer, serving
from trust.chain import fingerprint
from trust.identity import Identity, Way

DR = "dr@chu.example"
HOUR = timedelta(hours=1)
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
SETTINGS = DOORS + '[certificates]\nbridge = true\ninside = ["127.0.0.1"]\nwait = 3\n'


@dataclass
class Scene:
    """A hospital's gateway, the authority of its space, and the hosts where that can be asked."""

    folder: Path
    authority: Authority
    register: Register
    lists: Lists
    web: Web
    life: timedelta = timedelta(days=1)
    chu: Running = field(init=False)

    @property
    def by_crl(self) -> Asking:
        return Asking(crl=(self.web.url("/aci.crl"),))

    @property
    def by_ocsp(self) -> Asking:
        return Asking(ocsp=(self.web.url("/ocsp"),))

    def issue(self, name: str = "mx.labo.example", **how: object) -> Issued:
        how.setdefault("asking", self.by_crl)
        return self.authority.issue(name, **how)  # type: ignore[arg-type]

    async def listed(self, *domains: tuple[str, Issued]) -> None:
        for domain, certificate in domains:
            self.lists.add(domain, certificate)
        await self.publish()

    async def publish(self) -> None:
        offer = self.lists.offer(clock().replace(microsecond=0))
        assert (await self.chu.rooms.keeper.offer("list", offer)).good

    def context(
        self, certificate: Issued | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.maximum_version = version
        context.load_verify_locations(cadata=self.authority.anchors_pem.decode())
        if certificate is not None:
            context.load_cert_chain(*certificate.write(self.folder, "peer"))
        return context

    async def comes(
        self, certificate: Issued | None, sender: str = "bio@labo.example", **how: ssl.TLSVersion
    ) -> str:
        """Come with a certificate; return the answer to RCPT, or why there was no conversation."""
        context = self.context(certificate, **how)
        return await asyncio.to_thread(self._said, context, sender)

    def _said(self, context: ssl.SSLContext, sender: str) -> str:
        try:
            with Line(self.chu.ports["relay"]) as line:
                line.ehlo("peer.example")
                line.starttls(context=context)
                line.ehlo("peer.example")
                code, text = line.mail(sender)
                if code == 250:
                    code, text = line.rcpt(DR)
                return f"{code} {text.decode()}"
        except (ssl.SSLError, smtplib.SMTPServerDisconnected, ConnectionError):
            return "no conversation"

    async def logged(self, event: str) -> list[dict[str, object]]:
        """Return what the log says of an event, once it is written."""
        await self.chu.rooms.notes.write()
        lines = [json.loads(line) for line in self.chu.log.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]

    async def alerted(self, certificate: Issued | None) -> str:
        """Come, and be turned away by TLS; return the reason that our log has, for this certificate."""
        assert "no conversation" == await self.comes(certificate)
        last = (await self.logged("tls.failed"))[-1]
        shown = None if certificate is None else fingerprint(certificate.der)
        assert shown == last.get("certificate")
        return str(last["reason"])

    def look_again(self) -> None:
        """Let the hour pass after which authorities are asked again."""
        rooms = self.chu.rooms
        authorities = rooms.watch._authorities
        for key, finding in authorities._found.items():
            past = type(finding)(finding.standing, clock() - HOUR)
            authorities._found[key] = past
        for key, held in authorities._lists.items():
            authorities._lists[key] = msgspec.structs.replace(held, again=clock() - HOUR)
        rooms.watch.look_again()


class Line(smtplib.SMTP):
    """A client that does not care whose name it reaches."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port, timeout=10)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with made(tmp_path) as scene:
        yield scene


@asynccontextmanager
async def made(folder: Path) -> AsyncIterator[Scene]:
    now = clock().replace(microsecond=0)
    authority = Authority.make(now - timedelta(days=100), "Sante")
    register, lists = Register(authority.issuing), Lists.make(authority)
    site = Site.make(folder / "chu", "chu.example", authority, lists, SETTINGS)
    async with serving() as web:
        scene = Scene(folder, authority, register, lists, web)
        web.pages["/aci.crl"] = lambda _: answer(register.crl(clock(), scene.life))
        web.pages["/ocsp"] = _ocsp(register)
        async with running(site) as scene.chu:
            await scene.listed(("chu.example", site.issued))
            await scene.chu.user(DR)
            yield scene


def _ocsp(register: Register) -> Callable[[Asked], bytes]:
    return lambda asked: answer(register.answer(asked.body, clock()))


# Chains: TLS alerts, their reason in our log.


@pytest.mark.parametrize("version", VERSIONS)
async def test_without_a_certificate_there_is_no_conversation(
    scene: Scene, version: ssl.TLSVersion
) -> None:
    """Nor a word after the handshake that TLS 1.3 lets a client think is done."""
    assert "no conversation" == await scene.comes(None, version=version)
    reason = str((await scene.logged("tls.failed"))[-1]["reason"]).lower()
    assert "certificate" in reason


async def test_tls_13_tells_a_refused_client_nothing(scene: Scene) -> None:
    """Its handshake is done before ours has judged it: what it may read then is an alert."""
    port, context = scene.chu.ports["submission_certificate"], scene.context(None)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    heard = b""
    try:
        heard = await reader.read(1000)
    except (ssl.SSLError, ConnectionError):
        pass
    finally:
        writer.close()
    assert b"" == heard


async def test_an_unknown_authority(scene: Scene) -> None:
    """Whoever signed it, we do not know them."""
    stranger = Authority.make(clock(), "Autre").issue("mx.labo.example")
    await scene.listed(("labo.example", stranger))

    assert "unable to get local issuer certificate" == await scene.alerted(stranger)


async def test_an_authority_of_the_same_name(scene: Scene) -> None:
    """A forged issuer has the right name, and the wrong key."""
    forged = Authority.make(clock() - timedelta(days=9), "Sante").issue("mx.labo.example")
    await scene.listed(("labo.example", scene.issue()))

    assert "certificate" in await scene.alerted(forged)


async def test_an_authority_of_the_system_alone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the machine believes is nothing to us."""
    system = Authority.make(clock(), "System")
    (tmp_path / "system.pem").write_bytes(system.anchors_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))

    assert "issuer" in await scene.alerted(system.issue("mx.labo.example"))


async def test_one_that_expired_names_its_member(scene: Scene) -> None:
    """Mail waits with its sender; our operators read who it is."""
    now = clock()
    old = scene.issue(starts=now - timedelta(days=30), days=20)
    await scene.listed(("labo.example", old))
    assert "certificate has expired" == await scene.alerted(old)

    scene.chu.rooms.watch._seen(old.der, (), "peer")
    await scene.alerted(old)
    assert "labo.example" == (await scene.logged("certificate.unverified"))[-1]["domain"]


async def test_one_that_is_still_to_come(scene: Scene) -> None:
    """Somebody's clock, or a certificate taken into use too early."""
    early = scene.issue(starts=clock() + timedelta(days=3))
    await scene.listed(("labo.example", early))

    assert "certificate is not yet valid" == await scene.alerted(early)


# Identities: fixed sentences.


async def test_the_right_authority_and_the_wrong_domain(scene: Scene) -> None:
    """Any member of the space has a certificate of that authority."""
    labo, other = scene.issue(), scene.issue("mx.autre.example")
    await scene.listed(("labo.example", labo), ("autre.example", other))

    said = await scene.comes(other)
    assert "550 5.7.1 Your certificate does not speak for the sender's domain" in said
    assert "250" == (await scene.comes(labo))[:3]


async def test_a_domain_that_was_removed_a_second_ago(scene: Scene) -> None:
    """On the connection that is open: it ends, and the next one hears why."""
    labo = scene.issue()
    await scene.listed(("labo.example", labo), ("autre.example", scene.issue("mx.autre.example")))
    async with conversation(scene, labo) as line:
        scene.lists.remove("labo.example")
        await scene.publish()
        assert "421" == await line.next()
    assert "550 5.7.1" == (await scene.comes(labo))[:9]


async def test_many_operators_for_a_domain_and_many_domains_for_an_operator(scene: Scene) -> None:
    """Both are usual: five operators for one domain, thousands of domains for one."""
    one, two = scene.issue("mx.un.example"), scene.issue("mx.deux.example")
    await scene.listed(("labo.example", one), ("autre.example", one))
    names = [each.certificate.subject.rfc4514_string() for each in (one, two)]
    scene.lists.change("labo.example", identities=tuple(Identity(Way.DN, n) for n in names))
    await scene.publish()

    assert "250" == (await scene.comes(one))[:3]
    assert "250" == (await scene.comes(two))[:3]
    assert "250" == (await scene.comes(one, "x@autre.example"))[:3]
    assert "550" == (await scene.comes(two, "x@autre.example"))[:3]


@pytest.mark.parametrize(
    ("organisation", "written"),
    [
        ('CRLCC "PAUL STRAUSS"', 'CN=mx.labo.example,O=CRLCC "PAUL STRAUSS",C=FR'),
        ("HOPITAL  DES GRESILLONS", 'C=FR, O="HOPITAL  DES GRESILLONS", CN=mx.labo.example'),
        ("CLCC\u00a0 INSTITUT CURIE", "CN=mx.labo.example,O=CLCC INSTITUT CURIE,C=FR"),
        ("HÔPITAL SAINT-ÉTIENNE", "CN=MX.LABO.EXAMPLE,O=Ho\u0302pital Saint-E\u0301tienne,C=fr"),
    ],
)
async def test_names_are_compared_for_what_they_mean(
    scene: Scene, organisation: str, written: str
) -> None:
    """Quotes, double spaces, no-break spaces, accents, the other order: the same operator."""
    labo = scene.issue(organisation=organisation)
    await scene.listed(("labo.example", labo))
    scene.lists.change("labo.example", identities=(Identity(Way.DN, written),))
    await scene.publish()

    assert "250" == (await scene.comes(labo))[:3]
    close = scene.issue(organisation=f"{organisation} 2")
    assert "550" == (await scene.comes(close))[:3]


# What authorities say.


@pytest.mark.parametrize("how", ["by_crl", "by_ocsp"])
async def test_a_revoked_certificate_is_refused_in_words(scene: Scene, how: str) -> None:
    """The connection by which we learned of it ends (421), and every other hears why."""
    good, bad = (scene.issue(asking=getattr(scene, how)) for _ in range(2))
    await scene.listed(("labo.example", good))
    scene.register.revoke(bad, clock())

    assert "250" == (await scene.comes(good))[:3]
    assert "250" != (await scene.comes(bad))[:3]
    assert "550 5.7.1 Your certificate was revoked" in await scene.comes(bad)
    assert "key-compromise" == (await scene.logged("certificate.revoked"))[-1]["reason"]


async def test_one_that_becomes_revoked_loses_its_open_connection(scene: Scene) -> None:
    """Within a second of our knowing it."""
    labo = scene.issue()
    await scene.listed(("labo.example", labo))
    async with conversation(scene, labo) as line:
        scene.register.revoke(labo, clock(), x509.ReasonFlags.superseded)
        scene.look_again()
        async with asyncio.timeout(1):
            assert "421" == await line.next()
    assert "550" == (await scene.comes(labo))[:3]


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (answer(b"<html>robot?</html>", "403 Forbidden"), "http-error"),
        (answer(b"<html>robot?</html>"), "a-page"),
        (answer(b"", "500 Broken"), "http-error"),
        (b"not http at all\r\n\r\n", ""),
    ],
)
async def test_an_authority_that_gives_no_answer_puts_mail_off(
    scene: Scene, page: bytes, why: str
) -> None:
    """Nobody vouches, so nobody passes; and it is our log that says who was silent."""
    scene.web.pages["/aci.crl"] = page
    labo = scene.issue()
    await scene.listed(("labo.example", labo))

    assert "451 4.7.1 Nobody can say now" in await scene.comes(labo)
    (noted,) = await scene.logged("revocation.unanswered")
    assert "127.0.0.1" == noted["host"]
    assert why in {"", noted["reason"]}
    scene.web.pages["/aci.crl"] = answer(scene.register.crl(clock()))
    scene.chu.rooms.watch._authorities._resting.clear()
    assert "250" == (await scene.comes(labo))[:3]


async def test_an_authority_that_is_down_puts_mail_off(scene: Scene) -> None:
    """Nobody listens there at all."""
    labo = scene.issue(asking=Asking(crl=("http://127.0.0.1:1/aci.crl",)))
    await scene.listed(("labo.example", labo))

    assert "451" == (await scene.comes(labo))[:3]


async def test_a_list_with_a_wrong_signature_is_none(scene: Scene) -> None:
    """Of another authority with the same name: it neither vouches nor revokes."""
    labo = scene.issue()
    other = Register(Authority.make(clock() - timedelta(days=100), "Sante").issuing)
    scene.web.pages["/aci.crl"] = answer(other.crl(clock()))
    await scene.listed(("labo.example", labo))

    assert "451" == (await scene.comes(labo))[:3]


@pytest.mark.parametrize(("late", "code"), [(1, "250"), (3.9, "250"), (4.1, "451"), (100, "451")])
async def test_a_list_that_ran_out_counts_for_the_grace(
    scene: Scene, late: float, code: str
) -> None:
    """Four hours, and then nobody vouches."""
    made_at = clock() - timedelta(days=7) - late * HOUR
    scene.web.pages["/aci.crl"] = answer(scene.register.crl(made_at, timedelta(days=7)))
    labo = scene.issue()
    await scene.listed(("labo.example", labo))

    assert code == (await scene.comes(labo))[:3]


# A Sunday.


async def test_a_bridge_carries_one_expired_certificate_and_no_other(scene: Scene) -> None:
    """Two operators; the same key and name; not the neighbour's, and not after it is gone."""
    now = clock()
    old, neighbour = (
        scene.issue(f"mx.{name}.example", starts=now - timedelta(days=30), days=20)
        for name in ("labo", "autre")
    )
    await scene.listed(("labo.example", old), ("autre.example", neighbour))
    assert "no conversation" == await scene.comes(old)

    rooms = scene.chu.gateway.rooms
    rooms.watch._seen(old.der, (scene.authority.issuing.der,), "peer")
    rooms.watch._seen(neighbour.der, (scene.authority.issuing.der,), "peer")
    scene.look_again()
    await until(lambda: states(scene), {"good"})
    for who in ("operator:anne", "operator:bob"):
        await perform(rooms, who, "trust.bridge", {"domain": "labo.example", "hours": 1})

    assert "250" == (await scene.comes(old))[:3]
    assert "451 4.7.1 Your certificate is outside its dates" in await scene.comes(
        neighbour, "x@autre.example"
    )
    assert "labo.example" == (await scene.logged("bridge.used"))[-1]["domain"]
    stranger = Authority.make(now, "Autre").issue("mx.labo.example")
    assert "no conversation" == await scene.comes(stranger)

    await perform(rooms, "operator:anne", "trust.unbridge", {"domain": "labo.example"})
    assert "no conversation" == await scene.comes(old)


async def test_a_bridge_carries_nobody_over_a_revocation(scene: Scene) -> None:
    """While it stands, and the same second that we learn of it."""
    now = clock()
    old = scene.issue(starts=now - timedelta(days=30), days=20)
    await scene.listed(("labo.example", old))
    rooms = scene.chu.gateway.rooms
    rooms.watch._seen(old.der, (scene.authority.issuing.der,), "peer")
    scene.look_again()
    await until(lambda: states(scene), {"good"})
    for who in ("operator:anne", "operator:bob"):
        await perform(rooms, who, "trust.bridge", {"domain": "labo.example", "hours": 1})
    async with conversation(scene, old) as line:
        scene.register.revoke(old, now)
        scene.look_again()
        async with asyncio.timeout(1):
            assert "421" == await line.next()
    assert "550 5.7.1 Your certificate was revoked" in await scene.comes(old)


async def states(scene: Scene) -> set[str]:
    rows = await scene.chu.ask("certificates.list")
    return {row["state"] for row in rows if row["kind"] == "peer"}


@dataclass
class Conversation:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def next(self) -> str:
        return (await self.reader.readline()).decode()[:3]

    async def ask(self, line: str) -> str:
        self.writer.write(line.encode() + b"\r\n")
        while (said := (await self.reader.readline()).decode())[3:4] == "-":
            pass
        return said[:3]


@asynccontextmanager
async def conversation(scene: Scene, certificate: Issued) -> AsyncIterator[Conversation]:
    """Be welcome, and stay."""
    port = scene.chu.ports["relay"]
    line = Conversation(*await asyncio.open_connection("127.0.0.1", port))
    await line.next()
    assert "250" == await line.ask("EHLO peer.example")
    assert "220" == await line.ask("STARTTLS")
    await line.writer.start_tls(scene.context(certificate))
    assert "250" == await line.ask("EHLO peer.example")
    assert "250" == await line.ask("MAIL FROM:<bio@labo.example>")
    assert "250" == await line.ask(f"RCPT TO:<{DR}>")
    assert "250" == await line.ask("RSET")
    try:
        yield line
    finally:
        line.writer.transport.abort()
