"""Results by HTTPS at a running gateway: handed in once, asked after, and told while it happens."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.documents import cda, packing
from smtp.address import parse
from tests.gateway.documents.made import PDF
from tests.gateway.documents.test_order import ABOUT
from tests.gateway.documents.test_oru_reader import made as oru
from tests.gateway.running.results import DR, LABO, MAIL, OTHER, RAW, RPPS, Space, space
from tests.world.running import until
from tests.world.world import letter


async def test_a_mail_arrives_once(tmp_path: Path) -> None:
    """Ours when it is answered; offered again, by key or by Message-ID, it is the same message."""
    async with space(tmp_path) as labo:
        first = await labo.post(Idempotency_Key='"2026-1"')
        again = await labo.post(Idempotency_Key="2026-1")
        other = await labo.post(MAIL + b"x\r\n", Idempotency_Key="2026-1")
        keyless = [await labo.post(), await labo.post(), await labo.post(MAIL + b"x\r\n")]
        told = await labo.arrived(first.json()["message"])
        inbox = await labo.chu.inbox(DR)

    assert [201, 200, 422] == [each.status_code for each in (first, again, other)]
    assert [200, 200, 422] == [each.status_code for each in keyless]
    assert {told["message"]} == {each.json()["message"] for each in keyless[:2]}
    assert f"/v1/messages/{told['message']}" == first.headers["location"]
    assert again.json()["message"] == told["message"]
    assert "other-bytes" == other.json()["reason"]
    assert [(DR, "delivered")] == [(one["address"], one["state"]) for one in told["recipients"]]
    assert 1 == len(inbox)


async def test_a_document_is_packed_for_a_number(tmp_path: Path) -> None:
    """A PDF and its order become a document; a number stands for the mailbox that it has."""
    order = {"to": [RPPS], "key": "2026-2", "document": ABOUT}
    async with space(tmp_path) as labo:
        taken = await labo.form(order)
        again = await labo.form(order)
        other = await labo.form(order, PDF + b"\n")
        nobody = await labo.form({**order, "key": "2026-3", "to": ["rpps:10001234565"]})
        alone = await labo.form(None)
        strange = await labo.form(order, kind="image/png")
        await labo.arrived(taken.json()["message"])
        (message,) = await labo.chu.inbox(DR)
    (archive,) = packing.archives(base64.b64decode(message["content"]))
    assert PDF == cda.read(archive.documents[0].content).pdf
    assert [201, 200, 422] == [each.status_code for each in (taken, again, other)]
    assert (422, 422, 415) == (nobody.status_code, alone.status_code, strange.status_code)
    assert "no mailbox" in nobody.json()["words"]
    assert "companion" in alone.json()["words"]


async def test_who_is_refused_is_told_why(tmp_path: Path) -> None:
    """Nobody left: nothing is sent; somebody left: each other recipient has their reason."""
    strangers = letter(LABO, ["x@inconnu.example"])
    mixed = letter(LABO, ["x@inconnu.example", DR])
    async with space(tmp_path) as labo:
        none = await labo.post(strangers)
        some = await labo.post(mixed)
        asked = await labo.client.post(
            "/v1/messages", params={"to": OTHER}, content=mixed, headers=RAW
        )
        await labo.arrived(asked.json()["message"])
        others = await labo.chu.inbox(OTHER)
    assert (422, 201, 201) == (none.status_code, some.status_code, asked.status_code)
    assert ["x@inconnu.example"] == [one["address"] for one in none.json()["recipients"]]
    assert {DR: True, "x@inconnu.example": False} == {
        one["address"]: one["taken"] for one in some.json()["recipients"]
    }
    assert 1 == len(others)


@pytest.mark.parametrize(
    ("content", "kind", "status", "reason"),
    [
        (b"no header at all", "message/rfc822", 422, "not-taken"),
        (b"From: a@b\r\nTo: " + DR.encode() + b"\r\n\r\nx", "message/rfc822", 400, "key-needed"),
        (MAIL, "text/plain", 415, "wrong-type"),
        (b"x", "multipart/form-data; boundary=b", 400, "bad-request"),
        (MAIL + b"x" * 2000, "message/rfc822", 413, "too-big"),
    ],
)
async def test_what_cannot_be_a_result(
    tmp_path: Path, content: bytes, kind: str, status: int, reason: str
) -> None:
    """Each is told in words, and nothing is sent."""
    async with space(tmp_path, "\n[labs]\nlargest = 1500\n") as labo:
        answer = await labo.post(content, Content_Type=kind)
        assert 0 == len(await labo.chu.ask("spool.list", everything=True))
    assert (status, reason) == (answer.status_code, answer.json()["reason"])


async def test_who_asks_in_hl7_is_answered_in_hl7(tmp_path: Path) -> None:
    """Taken, and again; then arrived; not taken; another under its key: as beside a file."""
    asks, order = (0, "|7|P|2.5", "|7|P|2.5|||AL|AL"), {"to": [DR], "key": "1"}
    kind = "application/hl7-v2"
    async with space(tmp_path) as labo:
        taken = [await labo.form(order, oru(asks), kind) for _ in range(2)]
        other = await labo.form(order, oru(asks) + b"NTE|1\r", kind)
        turned = await labo.form({**order, "key": "2"}, oru(asks, (3, "ED", "NM")), kind)
        never = await labo.form({**order, "to": ["x@inconnu.example"], "key": "3"}, oru(asks), kind)
        silent = await labo.form({**order, "key": "4"}, oru(), kind)
        became = await labo.arrived(taken[0].json()["message"])
        quiet = await labo.arrived(silent.json()["message"])
    said = [answer.json() for answer in (*taken, other, turned, never)]
    assert [201, 200, 422, 422, 422] == [
        answer.status_code for answer in (*taken, other, turned, never)
    ]
    assert ["CA", "CA", "CR", "CR", "CR", "AA"] == [
        each["ack"].partition("MSA|")[2][:2] for each in (*said, became)
    ]
    assert "neither a PDF nor a CDA" in said[3]["ack"]
    assert not {"ack"} & (silent.json().keys() | quiet.keys())


async def test_an_order_has_a_bound_of_its_own(tmp_path: Path) -> None:
    """What is too large is named, and how large it may be."""
    async with space(tmp_path) as labo:
        answer = await labo.form({"to": [DR], "key": "k" * (1 << 20), "document": ABOUT})
    told = answer.json()
    assert (413, 1 << 20) == (answer.status_code, told["largest"])
    assert told["detail"].startswith("The order is larger than")


async def test_what_breaks_off_is_nothing(tmp_path: Path) -> None:
    """Half a mail and half a form are no result; whole, under the same key, they are taken."""
    half = asyncio.Event()

    async def breaking(content: bytes) -> AsyncIterator[bytes]:
        yield content[:-5]
        half.set()
        await asyncio.Event().wait()

    form = b'--b\r\nContent-Disposition: form-data; name="document"; filename="a.pdf"\r\n\r\n' + PDF
    async with space(tmp_path) as labo:
        for kind, content in (("message/rfc822", MAIL), ("multipart/form-data; boundary=b", form)):
            half.clear()
            headers = {"Content-Type": kind, "Idempotency-Key": "k"}
            async with asyncio.TaskGroup() as group:
                begun = group.create_task(
                    labo.client.post("/v1/messages", content=breaking(content), headers=headers)
                )
                await half.wait()
                begun.cancel()

        async def taken() -> int:
            return (await labo.post(MAIL + b"x\r\n", Idempotency_Key="k")).status_code

        await until(taken, 200)  # 409 as long as the end of the other is not noticed; 201, once
        assert 1 == len(
            {row["message"] for row in await labo.chu.ask("spool.list", everything=True)}
        )
        assert "web.failed" not in labo.chu.log.getvalue()


async def test_documents_have_so_much_room(tmp_path: Path) -> None:
    """A document is whole in memory: where there is no room it is asked for again later."""
    order = {"to": [DR], "document": ABOUT}
    async with space(tmp_path) as labo:
        memory = labo.chu.gateway._webs.results._memory
        memory.most, memory._held = 1, 1
        full = await labo.form(order)
        memory._held = 0
        alone = await labo.form(order)
    assert (503, "5") == (full.status_code, full.headers["retry-after"])
    assert 201 == alone.status_code
    assert 0 == memory._held


async def test_a_token_for_something_else_sends_nothing(tmp_path: Path) -> None:
    """Nor does nobody; what others sent is not there."""
    async with space(tmp_path) as labo:
        taken = await labo.post()
        made = await labo.chu.ask("token.add", address=LABO, scopes=["addresses"])
        wrong = await labo.post(Authorization=f"Bearer {made['token']}")
        nobody = await labo.post(Authorization="")
        made = await labo.chu.ask("token.add", address=OTHER, scopes=["submit"])
        stranger = {"Authorization": f"Bearer {made['token']}"}
        where = taken.headers["location"]
        asked = [
            await labo.client.get(path, headers=stranger)
            for path in (where, f"{where}/events", "/v1/messages/nothing")
        ]
    assert (403, 401) == (wrong.status_code, nobody.status_code)
    assert [404, 404, 404] == [each.status_code for each in asked]


async def test_a_password_for_reading_sends_nothing(tmp_path: Path) -> None:
    """An application password's scopes hold here as they do at submission."""
    async with space(tmp_path) as labo:
        answers = []
        for scopes in (["addresses"], ["submit"]):
            owner = labo.chu.rooms.accounts.find(parse(LABO))
            assert owner is not None
            made = await labo.chu.ask("mailbox.password", address=LABO, scopes=scopes)
            answers.append(
                await labo.client.post(
                    "/v1/messages",
                    content=MAIL,
                    headers=RAW,
                    auth=(LABO, made["password"]),
                )
            )
    assert [403, 201] == [each.status_code for each in answers]


async def test_events_are_told_from_the_last_one_seen(tmp_path: Path) -> None:
    """A message's story from its beginning, and only what follows for who saw some of it."""
    async with space(tmp_path) as labo:
        taken = (await labo.post()).json()
        await labo.arrived(taken["message"])
        where = f"/v1/messages/{taken['message']}/events"
        first = await _events(labo, where, 2)
        rest = await _events(labo, where, 1, {"Last-Event-ID": first[0]["id"]})
        everything = await _events(labo, "/v1/events", 2, {"Last-Event-ID": "0"})
    assert ["accepted", "delivered"] == [each["event"] for each in first]
    assert first[1:] == rest
    assert first == everything
    assert taken["recipients"][0]["key"] == json.loads(first[1]["data"])["data"]["recipient"]


async def _events(
    labo: Space, path: str, count: int, headers: dict[str, str] | None = None
) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    async with asyncio.timeout(10), labo.client.stream("GET", path, headers=headers) as answer:
        assert "text/event-stream" in answer.headers["content-type"]
        event: dict[str, str] = {}
        async for line in answer.aiter_lines():
            name, colon, value = line.partition(": ")
            if colon and name:
                event[name] = value
            elif not line and event:
                found.append(event)
                event = {}
            if len(found) == count:
                return found
    return found


async def test_a_critical_result_is_marked_and_the_morning_tells_of_all(tmp_path: Path) -> None:
    """By HTTPS as by any door; the same rows and the same count, for software or a spreadsheet."""
    async with space(tmp_path) as room:
        taken = await room.client.post(
            "/v1/messages", content=MAIL, headers=RAW, params={"critical": "true"}
        )
        await room.arrived(taken.json()["message"])
        refused = letter(LABO, ["qui@nulle-part.example"])
        assert 422 == (await room.post(refused)).status_code
        (watched,) = room.chu.rooms.desk.criticals.latest(9)
        found = await room.morning()
        sheet = await room.client.get("/v1/morning", params={"format": "csv"})
        wrong = [await room.client.get("/v1/morning", params={"since": each}) for each in _NEVER]
    assert taken.json()["reference"] == watched.facts.reference
    account = found["account"]
    assert (2, 1, 1) == (account["results"], account["delivered"], account["another_way"])
    assert ["qui@nulle-part.example"] == [row["recipient"] for row in found["rows"]]
    assert sheet.headers["content-type"].startswith("text/csv")
    assert found["words"] in sheet.text
    assert {400} == {each.status_code for each in wrong}


_NEVER = ("yesterday", "9999-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00")
