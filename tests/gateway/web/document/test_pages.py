"""A reader whose own server could not take a document: who may have it, and what is known of it."""

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.relay.delivery import State
from gateway.relay.large.links import Links
from tests.gateway.web.account.browser import DR
from tests.gateway.web.document.desk import IMAGES, MARTIN, OTHER, letter, waiting
from trust.members import Status


async def test_who_it_is_addressed_to_reads_it(tmp_path: Path) -> None:
    """The link, the log-in, the file: then, and only then, it is delivered; every look is on record."""
    async with waiting(tmp_path) as desk:
        door = await desk.get()
        before = desk.state()
        shown = await desk.log_in()
        listed = desk.state()
        file = await desk.get("/part/1")
        whole = await desk.get("/whole")
        story = await desk.story()
        outbox = await desk.place.chu.ask("receipts.tail")
        states = (before, listed, desk.state(), desk.state(OTHER))
        notices = await desk.place.chu.inbox(DR)

    assert 200 == door.status_code
    assert "chu.example" in door.text
    for secret in ("irm.zip", "IRM", "dr@", str(MARTIN)):
        assert secret not in door.text
    assert desk.path == shown.url.path
    assert "irm.zip" in shown.text
    assert desk.link.facts.cuts[0].sha256 in shown.text
    assert IMAGES == file.content
    assert (
        "attachment; filename=\"irm.zip\"; filename*=UTF-8''irm.zip"
        == (file.headers["content-disposition"])
    )
    assert letter() == whole.content
    assert (State.RELAYED, State.RELAYED, State.DELIVERED, State.RELAYED) == states
    assert [
        "document.shown",
        "document.downloaded",
        "delivery.delivered",
        "document.downloaded",
    ] == [row["event"] for row in story]
    assert "part 1" in str(story[1])
    assert 1 == len([row for row in outbox if row["type"] == "delivered"])
    assert 1 == len(notices)


async def test_somebody_else_is_refused_in_words_and_told_of(tmp_path: Path) -> None:
    """A link that was forwarded opens nothing; operators hear of it at once."""
    async with waiting(tmp_path) as desk:
        alarms: list[str] = []
        desk.place.chu.rooms.notes.alarmed = lambda event, _: alarms.append(event)
        refused = await desk.log_in("stranger")
        story = await desk.story()
        log = desk.place.chu.log.getvalue()
        file = await desk.get("/part/1")
        state = desk.state()

    assert 403 == refused.status_code
    assert "pas adressé à vous" in refused.text
    assert "irm.zip" not in refused.text
    assert {"document.refused", "document.stranger"} == {row["event"] for row in story}
    assert "899700218896" in str(story)
    assert "899700218896" not in log
    assert desk.link.facts.token not in log
    assert ["document.stranger"] == alarms
    assert 303 == file.status_code
    assert State.RELAYED == state


async def test_a_session_opens_what_is_for_its_reader_alone(tmp_path: Path) -> None:
    """Who the directory no longer names for the address is somebody else from then on."""
    async with waiting(tmp_path) as desk:
        await desk.log_in()
        desk.place.lists.addresses = []
        await desk.publish()
        page, file = await desk.get(), await desk.get("/part/1")
    assert (403, 403) == (page.status_code, file.status_code)


async def test_who_left_the_list_is_given_nothing(tmp_path: Path) -> None:
    """A domain that was taken off since: its link is one that is not here."""
    async with waiting(tmp_path) as desk:
        await desk.log_in()
        desk.place.lists.change("clinique.example", status=Status.REVOKED)
        await desk.publish()
        page, file = await desk.get(), await desk.get("/part/1")
    assert (404, 404) == (page.status_code, file.status_code)


async def test_a_broken_download_goes_on(tmp_path: Path) -> None:
    """Range and If-Range; what was broken off has delivered nothing, its last piece does."""
    async with waiting(tmp_path) as desk:
        await desk.log_in()
        first = await desk.get("/part/1", Range="bytes=0-99999")
        half = desk.state()
        etag = first.headers["etag"]
        rest = await desk.get("/part/1", Range="bytes=100000-", **{"If-Range": etag})
        other = await desk.get("/part/1", Range="bytes=5-9", **{"If-Range": '"x"'})
        beyond = await desk.get("/part/1", Range=f"bytes={len(IMAGES)}-")
        head = await desk.browser.client.head(f"{desk.path}/part/1")
        inside = await desk.get("/whole", Range="bytes=10-19")
        done = desk.state()

    assert (206, 206, 200, 416) == (
        first.status_code,
        rest.status_code,
        other.status_code,
        beyond.status_code,
    )
    assert IMAGES == first.content + rest.content == other.content
    assert f"bytes 100000-{len(IMAGES) - 1}/{len(IMAGES)}" == rest.headers["content-range"]
    assert str(len(IMAGES)) == head.headers["content-length"]
    assert letter()[10:20] == inside.content
    assert (State.RELAYED, State.DELIVERED) == (half, done)


async def test_the_end_alone_is_no_reading(tmp_path: Path) -> None:
    """Programs ask for a file's last octets first: nobody has read a document by that."""
    async with waiting(tmp_path) as desk:
        await desk.log_in()
        tail = await desk.get("/part/1", Range="bytes=-9")
        state = desk.state()

    assert IMAGES[-9:] == tail.content
    assert State.RELAYED == state


async def test_what_is_not_or_no_longer_here(tmp_path: Path) -> None:
    """Unknown, over, for a gateway and not for people, no such part: one page, in words."""
    async with waiting(tmp_path) as desk:
        rooms, client = desk.place.chu.rooms, desk.browser.client
        links = Links(rooms.database, rooms.ring)
        unknown = await client.get(f"/document/{'x' * 43}")
        by_name = await client.get(f"/document/{desk.link.id}")
        await desk.log_in()
        part = await desk.get("/part/2")
        kept = rooms.desk.clock
        object.__setattr__(rooms.desk, "clock", lambda: kept() + timedelta(days=31))
        over = [await desk.get(path) for path in ("", "/login", "/part/1", "/whole")]
        object.__setattr__(rooms.desk, "clock", kept)
        found = links.find(desk.link.facts.token)
        assert found is not None
        await rooms.database.commit(links.dropping(found))
        gone = await desk.get("/whole")
    answers = [unknown, by_name, part, *over, gone]
    assert {404} == {each.status_code for each in answers}
    assert all("n&#39;est pas ou plus ici" in each.text for each in answers)


async def test_it_is_given_out_so_often(tmp_path: Path) -> None:
    """A stolen session does not empty the house all day; going on with a download is not counted."""
    async with waiting(tmp_path) as desk:
        await desk.log_in()
        said = [(await desk.get("/part/1", Range="bytes=0-9")).status_code for _ in range(5)]
        rest = await desk.get("/part/1", Range="bytes=10-19")
    assert [206, 206, 206, 206, 410] == said
    assert 206 == rest.status_code


@pytest.mark.parametrize("break_", ["cookie", "state", "old", "cancelled", "weak", "spent"])
async def test_a_log_in_that_is_not_this_browsers_opens_nothing(
    tmp_path: Path, break_: str
) -> None:
    """Begun elsewhere, forged, too old, broken off, too weak, or used before (RFC 6819 §4.4.1)."""
    async with waiting(tmp_path) as desk:
        rooms, client = desk.place.chu.rooms, desk.browser.client
        if break_ == "weak":
            desk.connect.changes = {"acr": "eidas0"}
        if break_ == "cancelled":
            answer = await desk.log_in("nobody")
        elif break_ == "weak":
            answer = await desk.log_in()
        else:
            sent = await client.get(f"{desk.path}/login")
            target = sent.headers["location"].removeprefix(
                desk.connect.url.rpartition("/realms")[0]
            )
            back = desk.connect.answer("POST", target, {}, "who=martin").place
            back = "/document/back" + back.partition("/document/back")[2]
            if break_ == "cookie":
                client.cookies.clear()
            elif break_ == "state":
                back = back.replace("state=", "state=x")
            elif break_ == "old":
                kept = rooms.clock
                web = desk.place.chu.gateway._webs._documents
                assert web is not None
                object.__setattr__(rooms, "clock", lambda: kept() + timedelta(minutes=11))
                object.__setattr__(web.entering._rooms, "clock", rooms.clock)
            elif break_ == "spent":
                assert 303 == (await client.get(back)).status_code
                client.cookies.delete("__Host-sceau-reader")
            answer = await client.get(back)
        file = await desk.get("/part/1")
        events = await desk.events()

    assert 403 == answer.status_code
    assert 303 == file.status_code
    assert "document.shown" not in events
    word = "carte" if break_ == "weak" else "Recommencez"
    assert word in answer.text
    if break_ in {"state", "cancelled", "weak"}:
        assert ["document.not_known"] == events


async def test_an_issuer_that_is_away(tmp_path: Path) -> None:
    """The reader is told that the document is safe, and when to come again."""
    async with waiting(tmp_path) as desk:
        desk.connect.url += "/moved"
        answer = await desk.get("/login")
    assert 503 == answer.status_code
    assert "ne risque rien" in answer.text


async def test_leaving_ends_it(tmp_path: Path) -> None:
    """On a shared computer the next one finds the door shut; a page elsewhere cannot press the button."""
    async with waiting(tmp_path) as desk:
        await desk.log_in()
        client = desk.browser.client
        forged = await client.post("/document/leave", headers={"Sec-Fetch-Site": "cross-site"})
        still = await desk.get()
        left = await client.post("/document/leave")
        page = await desk.get()
    assert (403, 200) == (forged.status_code, left.status_code)
    assert "irm.zip" in still.text
    assert "identifiez-vous" in page.text


async def test_whoever_comes_after_somebody_else_can_log_them_out(tmp_path: Path) -> None:
    """Of a visit that is still open on a shared computer, and of a log-in as the wrong person."""
    async with waiting(tmp_path) as desk:
        await desk.log_in()
        shown, leave = "pas adressé à vous", 'action="/document/leave"'
        desk.place.lists.addresses = []
        await desk.publish()
        visit = await desk.get()
        left = await desk.browser.client.post("/document/leave")
        door = await desk.get()
        wrong = await desk.log_in()
    assert (shown in visit.text, leave in visit.text) == (True, True)
    assert "rouvrez le lien" in left.text
    assert "identifiez-vous" in door.text
    assert (shown in wrong.text, leave in wrong.text) == (True, True)


async def test_pages_are_framed_by_nobody_and_run_nothing(tmp_path: Path) -> None:
    """The strict headers of all pages; both languages; what is given out is kept, never opened."""
    async with waiting(tmp_path) as desk:
        door = await desk.get("?lang=en")
        await desk.log_in()
        page = await desk.get("?lang=en")
        file = await desk.get("/part/1")
        sent = await desk.get("/login")
    for each in (door, page):
        assert "default-src 'none'; style-src 'self'" in each.headers["content-security-policy"]
        assert "no-store" == each.headers["cache-control"]
        assert "<script" not in each.text
    assert "A document waits for you" in door.text
    assert "SHA-256 fingerprint" in page.text
    assert "sandbox" in file.headers["content-security-policy"]
    assert "nosniff" == file.headers["x-content-type-options"]
    cookie = sent.headers["set-cookie"]
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"))
