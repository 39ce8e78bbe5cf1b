"""Walks through the pages that are about the operators themselves: who they are, what was done, how much."""

import json
from pathlib import Path

from tests.gateway.console import stage
from tests.gateway.console.walking import Walker
from tests.gateway.web.account.browser import PASSPHRASE

TODAY, JOURNAL, INDICATORS = "/console", "/console/journal", "/console/indicators"
SETTINGS, FACTORS = "/console/settings", "/console/factors"
CITIZENS, _PATIENT = "/console/citizens", "185017507500161"
OPERATORS = f"{SETTINGS}/operators"
_OTHER = "encore quatre mots à moi"


async def operators(one: Walker, other: Walker, folder: Path) -> None:
    """Invited by one, come by themselves; given another role, let go, taken back."""
    del folder
    await one.at(SETTINGS, "mx.chu.example")
    await one.presses("#all", "append_limit")
    await one.sends(SETTINGS, "append_limit", q="append")
    await one.presses(f"a[href='{OPERATORS}']", "anne")
    await one.sends("/operators/invite", number=1, name="lea", role="administrator")
    await other.at(f"/console/invitation?code={await one.secret()}")
    await other.sends("/invitation")
    chosen = {"passphrase": PASSPHRASE, "again": PASSPHRASE, "code": await other.code()}
    await other.sends("/choose", number=1, **chosen)
    assert "lea" in await other.page.inner_text("header")
    await one.at(OPERATORS, "lea")
    await one.sends("/operators/invite", "paul", number=2, name="paul", role="viewer")
    for who, verb, fields, said in (
        (one, "role", {"role": "reviewer"}, "Un second exploitant"),
        (other, "role", {"role": "reviewer"}, "C'est fait."),
        (one, "suspend", {}, "C'est fait."),
        (one, "resume", {}, "Un second exploitant"),
        (other, "resume", {}, "C'est fait."),
    ):
        await who.at(OPERATORS)
        form = who.page.locator(f"tr:has(th:text('paul')) form[action$='/{verb}']")
        await who.fills(form, **fields)
        await who.presses(form.locator("button"), said)


async def citizens(one: Walker, other: Walker, folder: Path) -> None:
    """Asked about by number; an objection noted, and withdrawn."""
    del other, folder
    await one.at(CITIZENS, "Aucune opposition")
    await one.sends(CITIZENS, "ni une adresse, ni un matricule", address=stage.HOSTILE)
    await one.sends(CITIZENS, "peut recevoir des messages", address=_PATIENT)
    await one.sends("/oppose", "L'opposition est inscrite", stage.HOSTILE, reason=stage.HOSTILE)
    await one.sends("/allow", "L'opposition est levée", "•••@patient", reason="par téléphone")
    assert _PATIENT not in await one.page.inner_text("main")
    assert _PATIENT not in one.page.url


async def journal(one: Walker, other: Walker, folder: Path) -> None:
    """Searched by what a row is; whole; taken away, each line as it is written."""
    del other
    await one.at(JOURNAL)
    await one.sends(JOURNAL, "operation.mailbox.close", event="operation.mailbox.close")
    await one.sends(JOURNAL, stage.HOSTILE, "case.noted", actor="operator:anne", event="case.noted")
    await one.sends(JOURNAL, "Aucune ligne.", who="personne@chu.example", event="")
    await one.sends("/verify", "Le journal est entier")
    lines = (await one.takes("form[action$='/export'] button", folder)).splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert len(lines) > 100


async def indicators(one: Walker, other: Walker, folder: Path) -> None:
    """A month, and the files that say the same."""
    del other
    await one.at(INDICATORS)
    month = await one.page.input_value("#month")
    await one.sends(INDICATORS, month, month=month)
    for each, months in ((0, 1), (1, 12)):
        table = (await one.takes(f"a[download] >> nth={each}", folder)).decode().splitlines()
        assert "month,indicator,kind,count" == table[0]
        assert months == len({line.partition(",")[0] for line in table[1:]})
        assert f"{month},mailboxes-active,APP,1" in table


async def today(one: Walker, other: Walker, folder: Path) -> None:
    """Every room can be gone to from the first page, in French and in English."""
    del other, folder
    await one.at("/")
    assert one.page.url.endswith(TODAY)
    assert "fr" == await one.page.get_attribute("html", "lang")
    await one.presses("header a[hreflang=en]", "Today")
    assert "en" == await one.page.get_attribute("html", "lang")
    await one.presses("header a[hreflang=fr]", "Aujourd'hui")
    await one.at("/nulle-part")
    await one.presses("main a", "Aujourd'hui")


async def door(one: Walker, other: Walker, folder: Path) -> None:
    """An app more, another passphrase, an app less; out, in again, and asked again for what matters."""
    del one, folder
    desk = other.desk
    await other.at(TODAY)
    await other.presses("header a.me")
    await other.presses(f"a[href='{FACTORS}/app']")
    seed = (await other.page.inner_text(".seed")).replace(" ", "")
    await other.sends("/factors/app", stage.HOSTILE, label=stage.HOSTILE, code=await other.code())
    await other.presses(f"a[href='{FACTORS}/passphrase']")
    await other.sends("/factors/passphrase", passphrase=_OTHER, again=_OTHER)
    await other.presses("header form button")
    assert "/console/logout" in other.page.url
    await desk.forget_codes("lea")
    await other.at(SETTINGS)
    await other.sends("/login", address="lea", passphrase=PASSPHRASE, code=desk.place.code(seed))
    await other.sends("/login", address="lea", passphrase=_OTHER, code=desk.place.code(seed))
    assert other.page.url.endswith(SETTINGS)
    visitors = desk.place.chu.gateway._webs.console.visitors
    fresh, visitors._fresh = visitors._fresh, visitors._fresh * 0
    await other.at(f"{FACTORS}/app")
    visitors._fresh = fresh
    await desk.forget_codes("lea")
    await other.sends("/confirm", code=desk.place.code(seed))
    assert other.page.url.endswith(f"{FACTORS}/app")
    await other.at(FACTORS, stage.HOSTILE)
    await other.sends("/factors/remove", stage.HOSTILE)
