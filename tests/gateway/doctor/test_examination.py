"""An examination tells each ill with its cure, changes nothing, and is stopped by none of them."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.app import clock
from gateway.control.lock import Lock
from gateway.demo.pki import Authority
from gateway.doctor.examination import examine
from gateway.doctor.finding import Finding, Level, looked, ok
from gateway.operations.error import OperationError
from tests.gateway.doctor.conftest import Trial
from tests.vault.people import Person, ended
from tests.world.running import running
from tests.world.site import Site

_ALWAYS = {
    "warn key ring",
    "warn ports",
    "warn dns",
    "warn console",
}  # a trial that is stopped, in no zone


def test_a_new_trial_has_nothing_wrong(trial: Trial) -> None:
    """What init makes passes; what it cannot make is warned of."""
    assert _ALWAYS == set(trial.ills())


def test_it_leaves_no_trace(trial: Trial) -> None:
    """No file appears but what every verb writes, whatever is missing."""
    (trial.folder / "keys" / "ring.json").unlink()
    before = sorted(trial.folder.rglob("*"))
    trial.examined()

    assert before == sorted(trial.folder.rglob("*"))


async def test_a_running_gateway(trial: Trial) -> None:
    """Every port of the settings is tried, by its own protocol, and shows our certificate."""
    issued = Authority.make(clock()).issue("x")
    trial.edit("[setup]", '[setup]\nhost = "127.0.0.1"\n')
    lock = Lock(trial.settings.paths.data)
    assert lock.take("sceau serve")  # as the command does, before a gateway is made
    async with running(Site("essai.example", trial.folder, issued)) as here:
        found = await asyncio.to_thread(trial.examined)
        _renewed(trial)
        since = await asyncio.to_thread(trial.examined)
    lock.release()

    ports = {each.what: each.level for each in found if each.what.startswith("port ")}
    assert {f"port {name}" for name in here.ports} == set(ports)
    assert {Level.OK} == set(ports.values())
    assert 6 == len([each for each in found if each.what == "outside" and each.level is Level.OK])
    assert Level.WARN in {each.level for each in since if each.what == "outside"}
    assert Level.FAIL in {each.level for each in since if each.what.startswith("port ")}


def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    """Then there is nothing else to look at."""
    (found,) = examine(tmp_path / "none.toml", _never, clock())

    assert ("settings", Level.FAIL) == (found.what, found.level)


def _never(*words: object, **more: object) -> object:
    raise AssertionError


def _expired(trial: Trial) -> None:
    _renewed(trial, starts=clock() - timedelta(days=40), days=30)


def _soon(trial: Trial) -> None:
    _renewed(trial, starts=clock(), days=10)


def _early(trial: Trial) -> None:
    _renewed(trial, starts=clock() + timedelta(days=2))


def _stranger(trial: Trial) -> None:
    Authority.make(clock(), "Autre").issue("x", hosts=("x.example",)).write(
        trial.folder / "pki", "gateway"
    )


def _renewed(trial: Trial, **how: object) -> None:
    authority = Authority.make(clock() - timedelta(days=60), "Essai")
    pki = trial.folder / "pki"
    (pki / "anchors.pem").write_bytes(authority.anchors_pem)
    names = ("mx.essai.example", "autoconfig.essai.example")
    issued = authority.issue("mx.essai.example", hosts=names, **how)  # type: ignore[arg-type]
    issued.write(pki, "gateway")


def _key_of_another(trial: Trial) -> None:
    other = Authority.make(clock()).issue("x")
    (trial.folder / "pki" / "gateway.key").write_bytes(other.key_pem)


def _readable(trial: Trial) -> None:
    (trial.folder / "pki" / "gateway.key").chmod(0o644)


def _replaceable(trial: Trial) -> None:
    (trial.folder / "pki").chmod(0o777)


def _no_anchor(trial: Trial) -> None:
    (trial.folder / "pki" / "anchors.pem").write_text("rien")


def _open_data(trial: Trial) -> None:
    trial.settings.paths.data.chmod(0o755)


def _full(trial: Trial) -> None:
    trial.edit("# reserve = 268435456 ", f"reserve = {1 << 60}")


def _nearly_full(trial: Trial) -> None:
    stat = os.statvfs(trial.folder)
    half = stat.f_bavail * stat.f_frsize * 2 // 3
    trial.edit("# reserve = 268435456 ", f"reserve = {half}")


def _no_ring(trial: Trial) -> None:
    (trial.folder / "keys" / "ring.json").unlink()


def _another_domain(trial: Trial) -> None:
    trial.edit('domains = ["essai.example"]', 'domains = ["essai.example", "autre.example"]')


def _no_broker(trial: Trial) -> None:
    trial.edit('# host = "broker.chu-nord.example"', 'host = "127.0.0.1"')
    trial.edit("# port = 8883", "port = 1")


def _no_scanner(trial: Trial) -> None:
    trial.edit('# scanner = "/run/clamav/clamd.ctl"', 'scanner = "nobody.ctl"')


def _bad_ring(trial: Trial) -> None:
    (trial.folder / "keys" / "ring.json").write_text("{}")


def _no_data(trial: Trial) -> None:
    trial.settings.paths.data.rename(trial.folder / "ailleurs")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_expired, {"fail certificate"}),
        (_soon, {"warn certificate"}),
        (_early, {"fail certificate"}),
        (_stranger, {"fail certificate"}),
        (_key_of_another, {"fail certificate"}),
        (_readable, {"fail secrets"}),
        (_replaceable, {"warn secrets"}),
        (_no_anchor, {"fail anchors"}),
        (_open_data, {"fail data"}),
        (_no_data, {"warn data"}),
        (_full, {"fail disk"}),
        (_nearly_full, {"warn disk"}),
        (_no_ring, {"fail key ring"}),
        (_bad_ring, {"fail key ring"}),
        (_another_domain, {"fail our domain", "warn certificate"}),
        (_no_broker, {"fail broker"}),
        (_no_scanner, {"fail scanner"}),
    ],
)
def test_each_ill_is_told(trial: Trial, harm: object, told: set[str]) -> None:
    """By its own line; what it hides is said not to have been looked at."""
    assert callable(harm)
    harm(trial)

    assert told <= set(trial.ills())


def test_a_look_that_breaks_is_a_finding() -> None:
    """A bug in one look, or a refusal, ends that look alone."""

    def bug() -> list[Finding]:
        raise ZeroDivisionError

    def refused() -> list[Finding]:
        raise OperationError("no", "why")

    assert ["it could not be looked at (ZeroDivisionError)"] == [
        each.sentence for each in looked("x", bug)
    ]
    assert [("no", "why")] == [(each.sentence, each.cure) for each in looked("x", refused)]
    assert [ok("x", "well")] == list(looked("x", lambda: [ok("x", "well")]))


def test_keys_for_exported_cases(trial: Trial) -> None:
    """One that nothing can be encrypted for is found before the day it is needed."""
    juge = Person.make(trial.folder / "juge")
    with ended({"juge": juge}):
        (trial.folder / "juge.asc").write_bytes(juge.public)
        (trial.folder / "dpo.asc").write_text("rien")
        trial.edit("[quarantine]", '[quarantine]\nescrow_keys = ["juge.asc", "dpo.asc"]\n')
        found = [each for each in trial.examined() if each.what == "escrow"]
    assert [Level.OK, Level.FAIL] == [each.level for each in found]
    assert "juge is the key of juge <juge@essai.example>" == found[0].sentence
    assert "dpo is not exactly one" in found[1].sentence
