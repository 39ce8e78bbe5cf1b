"""The quarantine's pages: who may see what, for which reason; and that a decision is what was seen."""

from pathlib import Path

from gateway.accounts.operators import Role
from tests.gateway.console import stage
from tests.gateway.console.chromium import DESK, PHONE, seen
from tests.gateway.console.desk import Operators, console
from tests.vault.people import Person, ended

QUEUE = "/console/quarantine"
CITIZEN = "123456789012345@patient.chu.example"
THREE = ("accueil@chu.example", "dr.durand@chu.example", CITIZEN)
SECRETS = ("DESMAUX", "Potassium", "123456789012345", "facture")


async def states(desk: Operators, case: str) -> list[str]:
    """Return how each copy of a case stands."""
    return [
        one["state"] for one in (await desk.place.chu.ask("quarantine.show", case=case))["copies"]
    ]


async def test_nothing_of_a_message_is_shown_without_a_reason(tmp_path: Path) -> None:
    """Neither in the queue nor on its page, nor to who only looks; each look is written down."""
    async with console(tmp_path) as desk:
        case = await stage.suspicious(desk.place.chu.rooms, THREE)
        viewer, _ = await desk.seated("vera", Role.VIEWER)
        chief, _ = await desk.seated("rene", Role.REVIEWER)
        for browser in (viewer, chief):
            for path in (QUEUE, f"{QUEUE}?state=all&reason=disguised", f"{QUEUE}/{case}"):
                await browser.open(path)
                assert "bio@labo.example" in browser.page.text
                assert [] == [word for word in SECRETS if word in browser.page.text], path
        ticket = chief.form(f"{QUEUE}/{case}/look")["ticket"]
        look = {"ticket": ticket, "reason": "pour voir"}
        for made_up in (look, look | {"ticket": ""}):
            answer = await viewer.client.post(f"{QUEUE}/{case}/look", data=made_up)
            assert 403 == answer.status_code
        await chief.send(f"{QUEUE}/{case}/look", reason="  ")
        assert (409, False) == (chief.page.status_code, "DESMAUX" in chief.page.text)
        assert "content.viewed" not in await desk.journal()
        await chief.send(f"{QUEUE}/{case}/look", reason="Le labo a téléphoné")
        shown = chief.page.text
        told = await desk.journal()
        await chief.open(f"{QUEUE}/{case}")
        await chief.send(f"{QUEUE}/{case}/note", text="Mme DESMAUX rappelle")
        assert "DESMAUX" in chief.page.text
        for path in (f"{QUEUE}/{case}", "/console/journal"):
            await viewer.open(path)
            assert (False, True) == ("DESMAUX" in viewer.page.text, "•••" in viewer.page.text), path
            assert "Le labo a téléphoné" not in viewer.page.text
    assert "Mme DESMAUX" in shown
    assert "Potassium : 4,1 mmol/l" in shown
    assert "facture_img src=x onerror=alert(1)_.pdf.exe" in shown
    assert not {"<script>alert", "<img", 'href="https://pirate'} & {
        each for each in ("<script>alert", "<img", 'href="https://pirate') if each in shown
    }
    assert "no-store" in chief.page.headers["cache-control"]
    ((actor, detail),) = told["content.viewed"]
    assert ("operator:rene", "Le labo a téléphoné", case) == (
        actor,
        detail["reason"],
        detail["case"],
    )


async def test_a_decision_is_about_whom_was_seen(tmp_path: Path) -> None:
    """Some, or all; never nobody; and never without a note."""
    async with console(tmp_path) as desk:
        case = await stage.suspicious(desk.place.chu.rooms, THREE)
        chief, _ = await desk.seated("rene", Role.REVIEWER)
        at = f"{QUEUE}/{case}"
        await chief.open(at)
        form = chief.form(f"{at}/decide")
        ticks = [name for name in form if name.startswith("copy-")]
        assert 3 == len(ticks)
        base = {"ticket": form["ticket"], "act": "release", "tell": "Bonjour"}
        for note, sent, status in (
            ("bien", {}, 400),
            ("", {ticks[0]: "on"}, 409),
            ("bien", {"copy-nothing": "on"}, 400),
        ):
            answer = await chief.client.post(f"{at}/decide", data=base | {"note": note} | sent)
            assert status == answer.status_code
            assert "Bonjour" in answer.text, "what was typed stays"
        assert ["held"] * 3 == await states(desk, case)
        await chief.send(f"{at}/decide", act="release", note="Le labo confirme")
        assert ["held"] * 3 != await states(desk, case)


async def test_some_are_released_and_others_refused(tmp_path: Path) -> None:
    """A citizen too, whose address no page has shown."""
    async with console(tmp_path) as desk:
        case = await stage.suspicious(desk.place.chu.rooms, THREE)
        chief, _ = await desk.seated("rene", Role.REVIEWER)
        at = f"{QUEUE}/{case}"
        await chief.open(at)
        form = chief.form(f"{at}/decide")
        ticks = [name for name in form if name.startswith("copy-")]
        sent = {"ticket": form["ticket"], "act": "release", "note": "à lui", ticks[2]: "on"}
        answer = await chief.client.post(f"{at}/decide", data=sent)
        assert f"{QUEUE}?said=released" == answer.headers["location"]
        assert ["held", "held", "released"] == await states(desk, case)
        await chief.open(at)
        await chief.send(f"{at}/decide", act="refuse", note="non")
        assert b"said=refused" == chief.page.url.query
        assert ["refused", "refused", "released"] == await states(desk, case)
        await chief.open(at)
        assert f'action="{at}/decide"' not in chief.page.text
        assert "à lui" in chief.page.text


async def test_a_copy_of_another_case_is_none_of_this_one(tmp_path: Path) -> None:
    """Neither decided about here, nor named: whose it is may be a citizen."""
    async with console(tmp_path) as desk:
        case = await stage.suspicious(desk.place.chu.rooms)
        other = await stage.suspicious(desk.place.chu.rooms, (CITIZEN,))
        shown = await desk.place.chu.ask("quarantine.show", case=other)
        chief, _ = await desk.seated("rene", Role.REVIEWER)
        at = f"{QUEUE}/{case}"
        await chief.open(at)
        sent = {"act": "release", "note": "à lui", f"copy-{shown['copies'][0]['delivery']}": "on"}
        ticket = chief.form(f"{at}/decide")["ticket"]
        answer = await chief.client.post(f"{at}/decide", data=sent | {"ticket": ticket})
        assert (400, False) == (answer.status_code, CITIZEN in answer.text)
        assert ["held", "held"] == [*await states(desk, case), *await states(desk, other)]


async def test_two_people_release_what_is_set_so(tmp_path: Path) -> None:
    """The first is told that another must; who asked is on the page."""
    async with console(tmp_path, '\n[quarantine]\nsecond_operator = ["malware"]\n') as desk:
        case = await stage.suspicious(desk.place.chu.rooms, found=[("malware", "Eicar")])
        at = f"{QUEUE}/{case}"
        for name, said, after in (
            ("rene", b"said=waiting", "held"),
            ("lea", b"said=released", "released"),
        ):
            browser, _ = await desk.seated(name, Role.REVIEWER)
            await browser.open(at)
            await browser.send(f"{at}/decide", act="release", note="faux positif")
            assert (said, [after]) == (browser.page.url.query, await states(desk, case))


async def test_notes_holds_and_exports(tmp_path: Path) -> None:
    """What is written beside a case, what keeps it, and what leaves the house encrypted."""
    async with console(tmp_path) as desk:
        case = await stage.suspicious(desk.place.chu.rooms)
        at = f"{QUEUE}/{case}"
        chief, _ = await desk.seated("rene", Role.REVIEWER)
        await chief.open(at)
        await chief.send(f"{at}/note", text=stage.HOSTILE)
        assert "<script>alert" not in chief.page.text
        assert "&lt;script&gt;alert" in chief.page.text
        await chief.send(f"{at}/preserve", note="Réquisition du parquet")
        assert "Réquisition du parquet" in chief.page.text
        await chief.send(f"{at}/preserve", note="levée")
        await chief.send(f"{at}/escrow", reason="Demandé par le DPO")
        assert 409 == chief.page.status_code
        for path in (f"{QUEUE}/nothing", f"{QUEUE}/..%2f..%2fetc", f"{at}/nothing"):
            await chief.open(path)
            assert 404 == chief.page.status_code
        told = await desk.journal()
    assert {"case.noted", "case.preserved", "case.unpreserved"} <= told.keys()


async def test_a_case_is_taken_away_encrypted(tmp_path: Path) -> None:
    """For the keys that the settings name; a browser keeps it and opens it for nobody."""
    people = {"dpo": Person.make(tmp_path / "gpg")}
    (tmp_path / "dpo.asc").write_bytes(people["dpo"].public)
    keys = f'\n[quarantine]\nescrow_keys = ["{tmp_path}/dpo.asc"]\n'
    with ended(people):
        async with console(tmp_path, keys) as desk:
            case = await stage.suspicious(desk.place.chu.rooms)
            chief, _ = await desk.seated("rene", Role.REVIEWER)
            await chief.open(f"{QUEUE}/{case}")
            got = await chief.send(f"{QUEUE}/{case}/escrow", reason="Demandé par le DPO")
        (tmp_path / "got").write_bytes(got.content)
        read = people["dpo"].reads(tmp_path / "got").stdout
    assert (200, f'attachment; filename="case-{case}.tar.gpg"', "no-store") == (
        got.status_code,
        got.headers["content-disposition"],
        got.headers["cache-control"],
    )
    assert stage.LETTER in read
    assert b"DESMAUX" not in got.content


async def test_the_quarantine_in_a_browser(tmp_path: Path) -> None:
    """Looked at and released there; a hostile message does nothing; new cases appear by themselves."""
    async with console(tmp_path) as desk:
        rooms = desk.place.chu.rooms
        case = await stage.suspicious(rooms, THREE)
        chief, _ = await desk.seated("rene", Role.REVIEWER)
        async with seen(desk, chief) as look:
            async with look.window(dark=True) as page:
                await page.goto(QUEUE)
                await look.looked_at(page, "quarantine-dark", DESK)
                await page.set_viewport_size(PHONE)
                await look.looked_at(page, "quarantine-phone", PHONE)
                await stage.suspicious(rooms, found=[("malware", "Eicar")])
                await page.wait_for_selector(".queue > li:nth-child(2)")
            async with look.window() as page:
                await page.goto(f"{QUEUE}/{case}")
                await page.fill("#look-reason", "Le labo a téléphoné")
                await page.press("#look-reason", "Enter")
                await page.wait_for_selector("text=Potassium")
                await look.looked_at(page, "quarantine-case-desk", DESK)
                await page.set_viewport_size(PHONE)
                await look.looked_at(page, "quarantine-case-phone", PHONE)
                await page.fill("#note", "Le labo confirme")
                await page.set_viewport_size(DESK)
                await page.uncheck(".ticks label:nth-of-type(3) input")
                await page.click("button[value=release]")
                await page.wait_for_selector(".notice.said")
                await page.goto(f"{QUEUE}/{case}")
                await page.fill("#text", stage.HOSTILE)
                await page.click("form[action$='/note'] button")
                await page.wait_for_selector(".notes li")
                for _ in ("put under", "lifted"):
                    await page.click("details:has(#preserve-note) > summary")
                    await page.fill("#preserve-note", "Réquisition")
                    await page.click("form[action$='/preserve'] button")
                    await page.wait_for_selector(".notice.said")
                await page.click("details:has(#escrow-reason) > summary")
                await page.fill("#escrow-reason", "Demandé par le DPO")
                await page.click("form[action$='/escrow'] button")
                await page.wait_for_selector(".notice.wrong")
                look.complaints.clear()  # no key is set: a refusal, which browsers remark on
                await page.goto(f"{QUEUE}/{case}")
                await page.fill("#note", "Pas pour un usager")
                await page.click("button[value=refuse]")
                await page.wait_for_selector(".notice.said")
        assert [] == look.complaints
        assert ["released", "released", "refused"] == await states(desk, case)
