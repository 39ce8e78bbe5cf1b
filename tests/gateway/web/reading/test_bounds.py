"""Nobody reads what is not theirs, nobody sends in another's name, and nothing hostile breaks a page."""

import re
from pathlib import Path

from tests.canary import Canary, search, search_folder
from tests.gateway.web.reading.desk import INES, Reader, letter, mixed, reading, references

CANARY = Canary("upload", "Kanarienvogel-im-Anhang-4711")


async def test_what_is_not_ones_own_is_not_there(tmp_path: Path) -> None:
    """Another's folder, message, attachment, as page or as target: 404, and journalled."""
    async with reading(tmp_path) as me:
        ines = Reader(me.browser, me.place, INES)
        theirs = await ines.receive(mixed(("Content-Type: text/plain", b"secret-d-ines")))
        mine = await me.receive(letter())
        folder, uid = theirs.rsplit("/", 1)
        inbox, my_uid = mine.rsplit("/", 1)
        paths = [
            folder,
            theirs,
            f"{theirs}/whole",
            f"{theirs}/part/1",
            f"{theirs}/reply",
            f"{theirs}/forward",
            f"{theirs}/edit",
            f"{inbox}/{int(my_uid) + 77}",
            f"{mine}/part/7",
            f"{mine}/part/1.TEXT",
            "/read/12345",
            f"/read/{'9' * 30}",
            f"{inbox}/0",
            f"{inbox}/{1 << 40}",
        ]
        answers = [await me.get(path) for path in paths]
        await me.open(inbox)
        posts = [
            await me.post_raw(
                inbox, act="move", to=folder.rpartition("/")[2], **{f"m{my_uid}": "on"}
            ),
            await me.post_raw(folder, act="delete", **{f"m{uid}": "on"}),
            await me.post_raw(theirs, act="delete"),
            await me.post_raw(f"{folder}/search", q="secret"),
        ]
        await me.open("/read/write")
        named = f"{folder.rpartition('/')[2]}.{uid}"
        taken = [
            await me.write("save", source=named),
        ]
        await me.open("/read/write")
        taken.append(await me.write("send", origin=named, to=INES))
        left, journal, owner = len(ines.flags()), await me.journal(), await ines.journal()

    assert {404} == {answer.status_code for answer in (*answers, *posts, *taken)}
    assert not any("secret-d-ines" in answer.text for answer in (*answers, *posts, *taken))
    assert 1 == left
    refused = [reason for event, reason in journal if event == "reading.refused"]
    assert {"not-theirs", "no-folder", "no-message", "no-part"} == set(refused)
    assert "reading.refused" in [event for event, _ in owner]
    assert "mailbox.read" not in [event for event, _ in owner]


async def test_a_form_needs_its_ticket(tmp_path: Path) -> None:
    """Without one, with another page's, or from elsewhere, nothing is done."""
    async with reading(tmp_path) as me:
        path = await me.receive(letter())
        inbox = me.folder()
        uid = path.rpartition("/")[2]
        client = me.browser.client
        await me.open("/read/write")
        other = me.form("/read/write").fields["ticket"]
        tick = {f"m{uid}": "on", "act": "delete"}
        await me.open(inbox)
        good = me.form(inbox).fields["ticket"]
        count = len(me.flags())
        answers = [
            await client.post(inbox, data=tick),
            await client.post(inbox, data={**tick, "ticket": other}),
            await client.post(
                inbox, data={**tick, "ticket": good}, headers={"Origin": "https://evil.example"}
            ),
            await client.post(path, data={"act": "delete"}),
            await client.post(f"{inbox}/search", data={"q": "x"}),
            await client.post("/read/write", files=[("to", (None, INES)), ("do", (None, "send"))]),
            await client.post("/read/write", data={"to": INES, "do": "send"}),
        ]
        after, sent = len(me.flags()), me.flags("Sent")
        me.browser.client.cookies.clear()
        stranger = [
            await client.post(inbox, data={**tick, "ticket": good}),
            await client.get(path),
            await client.get(f"{path}/whole"),
            await client.post("/read/write", data={"do": "send"}),
        ]
    assert [403, 403, 403, 403, 403, 403, 400] == [each.status_code for each in answers]
    assert (count, []) == (after, sent)
    assert {303} == {each.status_code for each in stranger}


_BIG = b"X-Long: " + b"y" * 200_000 + b"\r\n"
HOSTILE = {
    "scripts": mixed(
        (
            "Content-Type: text/html",
            (
                b"<script>alert(1)</script><p onclick=alert(2)>ici</p><img src=//e.example/p>"
                b"<form action=//e.example><input></form><meta http-equiv=refresh content='0;//e'>"
            ),
        )
    ),
    "no header": b"\r\n\r\nici",
    "nothing": b"",
    "one line": b"\x00\xff\xfe ici",
    "no end": letter(body=b"--b\r\n\r\nici", Content_Type='multipart/mixed; boundary="b"'),
    "no parts": letter(body=b"rien", Content_Type='multipart/mixed; boundary="zz"'),
    "a huge header": _BIG + letter(),
    "many fields": b"X: y\r\n" * 5000 + letter(),
    "many parts": mixed(*[('Content-Type: text/plain; name="f"', b"x")] * 12_000),
    "many texts": mixed(*[("Content-Type: text/plain", b"x")] * 5000),
    "deep": letter(
        body=b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
            for n in range(300)
        ),
        Content_Type='multipart/mixed; boundary="x"',
    ),
    "strange charset": letter(
        body=b"\xff\xfe\xfd", Content_Type="text/plain; charset=unicode_escape"
    ),
    "strange encoding": letter(body=b"ici", Content_Transfer_Encoding="x-uuencode"),
    "turned names": mixed(
        ("Content-Type: application/pdf; name*=utf-8''annexe%E2%80%AEfdp.exe", b"x"),
        ('Content-Type: a/b; name="../../etc/passwd"', b"x"),
        ('Content-Type: a/b; name="\'><script>alert(1)</script>"', b"x"),
    ),
    "turned people": letter(
        "=?utf-8?b?4oCuZXRlcmNlcw==?=", From='"<script>alert(1)</script>" <a@b.example>'
    ),
    "no address": letter(From="\x01\x02 <<>>", To="a" * 50_000, Date="never"),
}


async def test_hostile_messages_break_nothing(tmp_path: Path) -> None:
    """List, page, answer, forward and download stay up, and nothing of them acts or leads away."""
    async with reading(tmp_path) as me:
        for name, content in HOSTILE.items():
            path = await me.receive(content)
            pages = [
                await me.open(me.folder()),
                await me.open(path),
                await me.open(f"{path}?html"),
                await me.open(f"{path}/reply-all"),
                await me.open(f"{path}/forward"),
                await me.open(f"{path}/edit"),
            ]
            whole = await me.get(f"{path}/whole")
            assert [200] * 6 == [page.status_code for page in pages], name
            assert content == whole.content, name
            for page in pages:
                _harmless(page.text, name)
        log = me.place.chu.log.getvalue()
    assert "crashed" not in log


def _harmless(text: str, name: str) -> None:
    """See that a page has nothing that acts, that leads away, or that deceives."""
    assert not re.search(r"<script|<img|<iframe|onclick=alert|http-equiv=\"?refresh", text), name
    assert all(each[0] in "/#" for each in references(_without_text(text))), name
    assert "\u202e" not in text, name
    assert len(text) < 2_000_000, name


def _without_text(text: str) -> str:
    """Return a page's own tags."""
    return "".join(re.findall(r"<[^>]*>", text))


async def test_nothing_lies_in_the_clear(tmp_path: Path) -> None:
    """An upload, a draft, a sent letter, a search: no octet of them on the disk unsealed."""
    content = f"{CANARY.text}\r\n".encode() * 40_000
    words = CANARY.text
    async with reading(tmp_path) as me:
        await me.open("/read/write")
        file = (f"{words}.txt", content, "text/plain")
        await me.write("save", files=[file], to=INES, subject=words, text=words)
        draft = search_folder(me.place.chu.site.data, [CANARY])
        await me.write("search", q=words)
        await me.write("send")
        path = await me.receive(letter(words, words.encode() + b"\r\n"))
        await me.open(path)
        await me.post_raw(f"{me.folder()}/search", q=words)
        [sent] = await me.messages("Sent")
        sealed = search_folder(me.place.chu.site.folder, [CANARY])
        logged = search(me.place.chu.log.getvalue().encode(), [CANARY])
    assert search(sent, [CANARY])  # the search does find it where it may be
    assert (set(), set(), set()) == (draft, sealed, logged)
