"""A clinician writes, answers and hands on in a browser; inside the list alone, and once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import httpx

from smtp.address import parse
from tests.gateway.web.reading.desk import DR, INES, OTHER, Reader, letter, mixed, reading
from tests.world.running import until
from trust.addresses import Kind
from trust.directory.entry import Entry
from trust.directory.reading import Directory


async def _arrived(me: Reader, address: str = INES, count: int = 1) -> list[EmailMessage]:
    """Return what lies in somebody's mailbox, once there is so much of it."""
    them = Reader(me.browser, me.place, address)

    async def there() -> int:
        return len(await them.messages())

    await until(there, count)
    return [_read(content) for content in await them.messages()]


def _text(message: EmailMessage) -> str:
    return str(message.get_content()).replace("\r\n", "\n").strip("\n")


def _read(content: bytes) -> EmailMessage:
    found = message_from_bytes(content, policy=default)
    assert isinstance(found, EmailMessage)
    return found


async def test_a_letter_is_written_and_arrives(tmp_path: Path) -> None:
    """From the form to a colleague's mailbox: filed in Sent, its way told in plain words."""
    async with reading(tmp_path) as me:
        await me.open("/read/write")
        page = await me.write(
            "send", to=f"Ines <{INES}>", bcc=OTHER, subject="Avis", text="Chère collègue,\nmerci.\n"
        )
        [message] = await _arrived(me)
        again = await me.open(page.url.path)
        sent, drafts, flags = await me.messages("Sent"), me.flags("Drafts"), me.flags("Sent")

    assert 200 == page.status_code
    assert "Le message est parti, référence" in page.text
    assert "arrivé dans la boîte du destinataire" in again.text
    assert [] == drafts
    assert [("\\Seen",)] == flags
    assert (DR, "Avis", None) == (message["from"], message["subject"], message["bcc"])
    assert "Chère collègue,\nmerci." == _text(message)
    assert OTHER == _read(sent[0])["bcc"]
    assert message["message-id"] == _read(sent[0])["message-id"]


async def test_nothing_leaves_while_one_is_refused(tmp_path: Path) -> None:
    """Each refusal stands beside its recipient in words, with its cure; mended, it leaves."""
    async with reading(tmp_path) as me:
        entry = Entry(parse(OTHER), Kind.PER, name="Un Autre")
        me.place.chu.rooms.keeper.beside([Directory.of([entry])])
        await me.open("/read/write")
        page = await me.write(
            "send",
            to=f"{INES}, medecin@webmail.example, autree@chu.example",
            cc="pas une adresse",
            subject="Avis",
            text="Bonjour",
        )
        drafts, sent = len(me.flags("Drafts")), me.flags("Sent")
        journal = await me.journal()
        cures = [value for _, value in me.form("/read/write").buttons if value.startswith("swap")]
        mended = await me.write(cures[0] if cures else "save")
        gone = await me.write("send", to=f"{INES}, {OTHER}", cc="")
        await _arrived(me)

    assert 422 == page.status_code
    assert "Rien n'est parti" in page.text or "Rien n&#39;est parti" in page.text
    assert page.text.count('class="objection"') == 3
    assert "espace de confiance" in page.text
    assert "pas une adresse" in page.text
    assert (1, []) == (drafts, sent)
    assert "recipient.refused" in [event for event, _ in journal]
    assert ["swap 2 autre@chu.example"] == cures
    assert OTHER in mended.text
    assert "Le message est parti" in gone.text


async def test_files_go_along(tmp_path: Path) -> None:
    """Uploaded, kept through saves, dropped by a tick; sent octet for octet."""
    pdf = bytes(range(256)) * 700
    async with reading(tmp_path) as me:
        await me.open("/read/write")
        await me.write(
            "save",
            files=[("bilan été.pdf", pdf, "application/pdf"), ("b.txt", b"x\r\n", "text/plain")],
            to=INES,
            subject="Bilan",
        )
        saved = me.form("/read/write").boxes
        await me.write(
            "save", files=[("c.eml", b"From: x\r\n\r\n", "message/rfc822")], drop=[saved[1]]
        )
        kept, drafts = me.form("/read/write").boxes, me.flags("Drafts")
        page = await me.write("send")
        [message] = await _arrived(me)
    files = list(message.iter_attachments())
    assert (2, 2) == (len(saved), len(kept))
    assert [("\\Seen", "\\Draft")] == drafts
    assert "Le message est parti" in page.text
    assert ["bilan été.pdf", "c.eml"] == [each.get_filename() for each in files]
    assert ["application/pdf", "application/octet-stream"] == [e.get_content_type() for e in files]
    assert pdf == files[0].get_content()


async def test_answers_go_on_in_the_thread(tmp_path: Path) -> None:
    """To the sender, or to all; what was answered is marked."""
    async with reading(tmp_path) as me:
        path = await me.receive(letter("Avis", Cc=f"{OTHER}, {DR}", References="<0@chu.example>"))
        one = (await me.open(f"{path}/reply"), me.form("/read/write").fields)[1]
        await me.open(f"{path}/reply-all")
        everybody = me.form("/read/write").fields
        await me.write("send", text="D'accord.")
        [message] = await _arrived(me)
        flags = me.flags()[-1]
    assert (f'"Ines Durand" <{INES}>', "") == (one["to"].strip(), one["cc"].strip())
    assert OTHER == everybody["cc"].strip()
    assert "> Bonjour." in everybody["text"]
    assert "Re: Avis" == message["subject"]
    assert "<original-1@chu.example>" == message["in-reply-to"]
    assert "<0@chu.example> <original-1@chu.example>" == message["references"]
    assert "\\Answered" in flags


async def test_a_message_is_handed_on_with_its_files(tmp_path: Path) -> None:
    """Out of the vault into the new message, without passing through the browser."""
    async with reading(tmp_path) as me:
        path = await me.receive(
            mixed(
                ("Content-Type: text/plain", b"Texte."),
                (
                    'Content-Type: application/dicom; name="s.dcm"',
                    b"\x00\x01brut sans fin de ligne",
                ),
            )
        )
        await me.open(f"{path}/forward")
        await me.write("send", to=INES)
        [message] = await _arrived(me)
        flags = me.flags()[-1]
    [file] = message.iter_attachments()
    assert "Fwd: Compte rendu" == message["subject"]
    assert "s.dcm" == file.get_filename()
    assert b"\x00\x01brut sans fin de ligne" == file.get_payload(decode=True)
    assert "$Forwarded" in flags


async def test_a_second_click_sends_nothing(tmp_path: Path) -> None:
    """Two at once, or a page gone back to: the message leaves once and is filed once."""
    async with reading(tmp_path) as me:
        await me.open("/read/write")
        form = me.form("/read/write").fields | {"to": INES, "subject": "Une fois", "do": "send"}
        parts = [(name, (None, value)) for name, value in form.items()]
        client = me.browser.client
        pages: list[httpx.Response] = await asyncio.gather(
            *(client.post("/read/write", files=parts, follow_redirects=True) for _ in range(3))
        )
        messages = await _arrived(me)
        sent, drafts = me.flags("Sent"), me.flags("Drafts")
    assert [200] * 3 == [page.status_code for page in pages]
    assert 2 == sum("déjà parti" in page.text for page in pages)
    assert (1, 1, 0) == (len(messages), len(sent), len(drafts))


async def test_an_address_is_looked_up_while_writing(tmp_path: Path) -> None:
    """A search step, without a script: what was typed stays, what was found is added."""
    async with reading(tmp_path) as me:
        await me.open("/read/write")
        page = await me.write("search", q=INES, subject="Avis", text="Mon texte")
        drafts = me.flags("Drafts")
        added = await me.write(f"add to {INES}")
        fields = me.form("/read/write").fields
        journal = await me.journal()
        little = await me.write("search", q="x")
    assert "Mon texte" in page.text
    assert [] == drafts
    assert 200 == added.status_code
    assert (INES, "Avis") == (fields["to"].strip(), fields["subject"])
    assert "address.searched" in [event for event, _ in journal]
    assert "Personne" in little.text


async def test_a_draft_is_taken_up_or_thrown_away(tmp_path: Path) -> None:
    """It lies in Drafts alone, whoever wrote it; each save leaves one."""
    async with reading(tmp_path) as me:
        await me.open("/read/write")
        await me.write("save", to="Zoé quelque part", subject="Brouillon", text="Déjà là")
        await me.write("save", text="Déjà là, et plus")
        [content] = await me.messages("Drafts")
        listed = await me.open(me.folder("Drafts"))
        uid = me.form(me.folder("Drafts")).boxes[0][1:]
        await me.open(f"{me.folder('Drafts')}/{uid}/edit")
        fields = me.form("/read/write").fields
        thrown = await me.write("discard")
        left = me.flags("Drafts")
    assert "Zoé quelque part" in listed.text
    assert "Zoé quelque part" == fields["to"].strip()
    assert "Déjà là, et plus" == fields["text"].strip()
    assert "Déjà là, et plus" in _read(content).get_content()
    assert "/read" == thrown.url.path
    assert [] == left


async def test_a_letter_leaves_in_the_name_of_a_team(tmp_path: Path) -> None:
    """From a mailbox that lets one post, filed in its Sent; of a person's it says who wrote."""
    async with reading(tmp_path) as me:
        await me.place.chu.ask("mailbox.share", address=INES, person=DR, rights="member")
        await me.open("/read/write")
        page = await me.write("send", sender=INES, to=OTHER, subject="Au nom de", text="x")
        [message] = await _arrived(me, OTHER)
        ines = Reader(me.browser, me.place, INES)
        theirs, mine = await ines.messages("Sent"), me.flags("Sent")
        await me.place.chu.ask("mailbox.unshare", address=INES, person=DR)
        await me.open("/read/write")
        forged = await me.write("send", sender=INES, to=OTHER, subject="Faux", text="x")
        messages = await _arrived(me, OTHER, 2)
    assert "Le message est parti" in page.text
    assert (INES, DR) == (message["from"], message["sender"])
    assert (1, []) == (len(theirs), mine)
    assert 200 == forged.status_code
    assert DR == messages[1]["from"]


async def test_a_page_open_for_too_long_loses_nothing(tmp_path: Path) -> None:
    """A ticket that holds no more: nothing is done, the text comes back."""
    async with reading(tmp_path) as me:
        await me.open("/read/write")
        page = await me.write("send", ticket="0.0.0", to=INES, text="Mon long texte")
        sent, drafts = me.flags("Sent"), me.flags("Drafts")
        gone = await me.write("send")
    assert 403 == page.status_code
    assert "Mon long texte" in page.text
    assert ([], []) == (sent, drafts)
    assert "Le message est parti" in gone.text


async def test_bounds_are_told_in_words(tmp_path: Path) -> None:
    """Nobody to write to, too many, too large, a mailbox that is full."""
    sections = "\n[reading]\nupload = 50000\nmax_recipients = 2\n[mailboxes]\nquota = 100000\n"
    async with reading(tmp_path, sections) as me:
        await me.open("/read/write")
        nobody = await me.write("send", text="x")
        many = await me.write("send", to="a@chu.example,b@chu.example,c@chu.example")
        large = await me.upload([("a", bytes(60_000), "application/pdf")])
        await me.receive(letter(body=b"x" * 80_000 + b"\r\n"))
        full = await me.upload([("a", bytes(30_000), "application/pdf")])
        drafts = len(me.flags("Drafts"))
    assert "pas de destinataire" in nobody.text
    assert "Trop de destinataires" in many.text
    assert 413 == large.status_code
    assert "trop grand" in large.text
    assert "49\N{NO-BREAK SPACE}Ko au plus" in large.text
    assert 409 == full.status_code
    assert "pleine" in full.text
    assert 1 == drafts


async def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """Half a file is none: no draft, no body in the vault."""
    async with reading(tmp_path) as me:
        await me.open("/read/write")
        head = [
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in me.form("/read/write").fields.items()
        ]
        file = '--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        database = me.place.chu.rooms.database
        before = database.read("SELECT count(*) FROM body")

        async def half() -> AsyncIterator[bytes]:
            yield ("".join(head) + file).encode()
            yield bytes(300_000)
            raise ConnectionError

        with suppress(ConnectionError):
            await me.browser.client.post(
                "/read/write",
                content=half(),
                headers={"Content-Type": "multipart/form-data; boundary=b"},
            )
        page = await me.open(me.folder("Drafts"))
        after, drafts = database.read("SELECT count(*) FROM body"), me.flags("Drafts")
    assert 200 == page.status_code
    assert (before, []) == (after, drafts)


async def test_the_story_of_a_letter_tells_who_read_it(tmp_path: Path) -> None:
    """By our own id of it, which lies beside it in every mailbox, the reading is found."""
    async with reading(tmp_path) as me:
        ask = me.place.chu.ask
        await ask("mailbox.share", address=INES, person=me.address, rights="member")
        await me.open("/read/write")
        await me.write("send", to=INES, subject="Avis", text="Bonjour.\n")
        [message] = await _arrived(me)
        ines = Reader(me.browser, me.place, INES)
        await me.open(f"{ines.folder()}/1")
        await me.place.chu.rooms.notes.write()
        story = await ask("trace", what=str(message["message-id"]))
    told = [(row["event"], row["who"], row["whom"]) for row in story]
    assert ("mailbox.read", DR, INES) in told
