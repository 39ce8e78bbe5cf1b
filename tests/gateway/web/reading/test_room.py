"""A clinician reads and files mail in a browser, as they would with a mail program."""

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from gateway.web.account.activity import Activity
from smtp.address import parse
from tests.gateway.web.reading.desk import INES, letter, mixed, reading

if TYPE_CHECKING:
    from gateway.web.account.parlour import Parlour

_PDF = ('Content-Type: application/pdf; name="bilan.pdf"\r\nContent-Transfer-Encoding: base64',)


async def test_a_message_is_read_and_marked(tmp_path: Path) -> None:
    """The list shows it as unread, the page its text; then it is read, and the journal has it."""
    async with reading(tmp_path) as me:
        path = await me.receive(letter("=?utf-8?q?R=C3=A9sultat?=", "Très bien.\r\n".encode()))
        listed = await me.open("/read")
        page = await me.open(path)
        english = await me.open(f"{path}?lang=en")
        flags, journal = me.flags(), await me.journal()

    assert 200 == listed.status_code
    assert "Résultat" in listed.text
    assert 'class="unread"' in listed.text
    assert "Très bien." in page.text
    assert "Ines Durand" in page.text
    assert "Répondre" in page.text
    assert "Reply" in english.text
    assert ("\\Seen",) == flags[-1]
    assert "mailbox.read" in [event for event, _ in journal]
    for answer in (listed, page):
        assert "no-store" == answer.headers["cache-control"]
        assert "script-src" not in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "901; url=/read/away" == answer.headers["refresh"]


async def test_an_idle_page_makes_way(tmp_path: Path) -> None:
    """The page that takes its place shows nothing, asks no session and keeps none alive."""
    async with reading(tmp_path) as me:
        me.browser.client.cookies.clear()
        away = await me.get("/read/away")
        turned = await me.get("/read")
    assert 200 == away.status_code
    assert "Page fermée" in away.text
    assert (303, "/account/login?next=/read") == (turned.status_code, turned.headers["location"])


async def test_attachments_are_kept_never_opened(tmp_path: Path) -> None:
    """Each is listed with type and size, and goes out octet for octet under a sandbox."""
    async with reading(tmp_path) as me:
        path = await me.receive(
            mixed(
                ("Content-Type: text/plain", b"Voir la piece."),
                (*_PDF, b"JVBERi0xLjQ="),
                ('Content-Type: text/html; name="page.html"', b"<script>canari()</script>"),
                ("Content-Type: message/rfc822", letter("Dedans", b"interieur\r\n")),
                ("Content-Type: image/png\r\nContent-Transfer-Encoding: x-inconnu", b"brut"),
            )
        )
        page = await me.open(path)
        files = {n: await me.get(f"{path}/part/{n}") for n in ("2", "3", "4", "5")}
        whole = await me.get(f"{path}/whole")
        message = (await me.messages())[-1]

    assert "bilan.pdf" in page.text
    assert "application/pdf" in page.text
    assert "canari" not in page.text
    assert "interieur" not in page.text
    assert b"%PDF-1.4" == files["2"].content
    assert b"<script>canari()</script>" == files["3"].content
    assert b"Subject: Dedans" in files["4"].content
    assert b"brut" == files["5"].content
    assert message == whole.content
    for answer in (*files.values(), whole):
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert "application/octet-stream" == answer.headers["content-type"]
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert "no-store" == answer.headers["cache-control"]


async def test_two_forms_of_one_text(tmp_path: Path) -> None:
    """The plain one is shown; the formatted one on demand, without its pictures and links."""
    body = (
        b"--a\r\nContent-Type: text/plain\r\n\r\nen clair\r\n"
        b"--a\r\nContent-Type: text/html\r\n\r\n<p>en <b>forme</b> <img src=//x/y></p>\r\n--a--\r\n"
    )
    async with reading(tmp_path) as me:
        path = await me.receive(letter(body=body, Content_Type="multipart/alternative; boundary=a"))
        plain, rich = await me.open(path), await me.open(f"{path}?html")
    assert "en clair" in plain.text
    assert "<b>forme</b>" not in plain.text
    assert "<b>forme</b>" in rich.text
    assert "//x/y" not in rich.text


async def test_messages_are_marked_moved_and_thrown_away(tmp_path: Path) -> None:
    """Ticked in the list, or one by one on its page; what lies in the trash goes for good."""
    async with reading(tmp_path) as me:
        inbox, trash, archive = me.folder(), me.folder("Trash"), me.folder("Archive")
        uids = [(await me.receive(letter(str(n)))).rpartition("/")[2] for n in range(4)]
        before = len(me.flags())
        await me.open(inbox)
        await me.post(inbox, act="read", **{f"m{uids[0]}": "on", f"m{uids[1]}": "on"})
        await me.post(inbox, act="flag", **{f"m{uids[1]}": "on"})
        await me.post(inbox, act="unread", **{f"m{uids[0]}": "on"})
        marked = me.flags()[-4:]
        nothing = await me.post(inbox, act="delete")
        await me.post(inbox, act="delete", **{f"m{uids[2]}": "on"})
        await me.open(f"{inbox}/{uids[3]}")
        target = archive.rpartition("/")[2]
        await me.post(f"{inbox}/{uids[3]}", act="move", to=target)
        after, kept = len(me.flags()), len(me.flags("Archive"))
        await me.open(trash)
        [thrown] = me.form(trash).boxes
        await me.post(trash, act="delete", **{thrown: "on"})
        gone = me.flags("Trash")
        odd = await me.post_raw(inbox, act="explode", **{f"m{uids[0]}": "on"})

    assert [(), ("\\Seen", "\\Flagged"), (), ()] == marked
    assert "Aucun message" in nothing.text
    assert before - 2 == after
    assert 1 == kept
    assert [] == gone
    assert 400 == odd.status_code


async def test_a_search_leaves_no_trace(tmp_path: Path) -> None:
    """It reads the text too, and its words stand in no address of a page."""
    async with reading(tmp_path) as me:
        await me.receive(letter("Un", b"le mot rarissime ici\r\n"))
        await me.receive(letter("Deux", b"rien\r\n"))
        inbox = me.folder()
        await me.open(inbox)
        found = await me.post(f"{inbox}/search", q="RARISSIME")
        none = await me.post(f"{inbox}/search", q="introuvable-mot")
        empty = await me.post(f"{inbox}/search", q="  ")
        switched = await me.get(f"{inbox}/search?lang=en")
    assert f"{inbox}/search" == found.url.path
    assert not found.url.query
    assert ">Un<" in found.text
    assert ">Deux<" not in found.text
    assert "Aucun message trouvé" in none.text
    assert ">Deux<" in empty.text
    assert (303, f"{inbox}?lang=en") == (switched.status_code, switched.headers["location"])


async def test_a_long_folder_is_read_page_by_page(tmp_path: Path) -> None:
    """The newest first; older ones behind a link."""
    async with reading(tmp_path, "\n[reading]\npage = 5\n") as me:
        for number in range(8):
            await me.receive(letter(f"Lettre {number}."))
        first = await me.open("/read")
        older = first.text.partition('rel="next" href="')[2].partition('"')[0]
        second = await me.open(older)
    assert ["7", "6", "5", "4", "3"] == [n for n in "76543210" if f"Lettre {n}." in first.text]
    assert ["2", "1", "0"] == [n for n in "76543210" if f"Lettre {n}." in second.text]
    assert "Les plus récents" in second.text


async def test_a_shared_mailbox_is_read_by_its_rights(tmp_path: Path) -> None:
    """A reader leaves no trace there; a member works in it, and the journal says who."""
    async with reading(tmp_path) as me:
        ask = me.place.chu.ask
        await ask("mailbox.share", address=INES, person=me.address, rights="reader")
        ines = type(me)(me.browser, me.place, INES)
        path = await ines.receive(letter("A Ines"))
        uid = path.rpartition("/")[2]
        listed = await me.open(ines.folder())
        read = await me.open(path)
        seen = ines.flags()
        refused = await me.post_raw(ines.folder(), act="delete", **{f"m{uid}": "on"})
        await ask("mailbox.share", address=INES, person=me.address, rights="member")
        await me.open(path)
        await me.post(path, act="delete")
        left, journal = ines.flags(), await ines.journal()
    assert "A Ines" in listed.text
    assert INES in listed.text
    assert 200 == read.status_code
    assert [()] == seen
    assert 403 == refused.status_code
    assert [] == left
    events = [event for event, _ in journal]
    assert "mailbox.read" in events
    assert "mailbox.moved" in events


async def test_what_is_taken_along_was_read(tmp_path: Path) -> None:
    """Moved to one's own mailbox, or its files put into a letter: its owner sees who read it."""
    async with reading(tmp_path) as me:
        await me.place.chu.ask("mailbox.share", address=INES, person=me.address, rights="member")
        ines = type(me)(me.browser, me.place, INES)
        paths = [
            await ines.receive(mixed(("Content-Type: application/pdf", b"%PDF"))) for _ in range(2)
        ]
        folder, uid = paths[0].rsplit("/", 1)
        await me.open("/read/write")
        named = f"{folder.rpartition('/')[2]}.{uid}"
        await me.write("save", (), (), source=named, **{"keep-1": "on"})
        once = [event for event, _ in await ines.journal()].count("mailbox.read")
        await me.open(me.folder())
        to = me.folder("Archive").rpartition("/")[2]
        uid = paths[1].rpartition("/")[2]
        await me.post_raw(folder, act="move", to=to, **{f"m{uid}": "on"})
        twice = [event for event, _ in await ines.journal()].count("mailbox.read")
        taken = len(await me.messages("Archive"))
    assert (1, 2, 1) == (once, twice, taken)


async def test_whoever_looked_in_is_seen_by_its_owner(tmp_path: Path) -> None:
    """Who read a message, and who took an attachment or the whole of it along."""
    async with reading(tmp_path) as me:
        rooms = me.place.chu.rooms
        await me.place.chu.ask("mailbox.share", address=INES, person=me.address, rights="reader")
        ines = type(me)(me.browser, me.place, INES)
        path = await ines.receive(mixed((_PDF[0], b"JVBERg==")))
        for page in (path, f"{path}/part/1", f"{path}/whole"):
            await me.get(page)
        await me.open(ines.folder())
        await me.post(f"{ines.folder()}/search", q="bilan")
        owner = rooms.accounts.find(parse(INES))
        assert owner is not None
        looks = await Activity(cast("Parlour", SimpleNamespace(rooms=rooms))).looks(owner)
    seen = [(look.who, look.what) for look in looks]
    what = ["looked-message", "looked-part", "looked-part", "looked-search"]
    assert [(me.address, each) for each in what] == sorted(seen)


async def test_whatever_gives_its_content_out_opens_a_message(tmp_path: Path) -> None:
    """An answer quotes it, a download holds it: no recall may say that nobody opened it."""
    async with reading(tmp_path) as me:
        ways = ("/reply", "/forward", "/part/1", "/whole")
        paths = [await me.receive(mixed((_PDF[0], b"JVBERg=="))) for _ in ways]
        for path, way in zip(paths, ways, strict=True):
            await me.get(f"{path}{way}")
        flags = me.flags()
    assert [("\\Seen",)] * 4 == flags[-4:]
