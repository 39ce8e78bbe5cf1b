"""A clinician reads, files and answers mail in a browser, as they would with a mail program."""

from pathlib import Path

from tests.gateway.web.reading.desk import DR, INES, letter, mixed, reading


async def test_a_message_is_read_and_marked(tmp_path: Path) -> None:
    """The list shows it as unread, the page shows its text; then it is read, and the journal has it."""
    async with reading(tmp_path) as me:
        path = await me.receive(letter("=?utf-8?q?R=C3=A9sultat?=", "Très bien.\r\n".encode()))
        listed = await me.open("/read")
        page = await me.open(path)
        flags = me.flags()
        journal = await me.journal()

    assert 200 == listed.status_code
    assert "Résultat" in listed.text
    assert 'class="unread"' in listed.text
    assert "Très bien." in page.text
    assert "Ines Durand" in page.text
    assert "\\Seen" in flags[-1]
    assert "mailbox.read" in [event for event, _ in journal]
    for answer in (listed, page):
        assert "no-store" == answer.headers["cache-control"]
        assert "script-src" not in answer.headers["content-security-policy"]
        assert answer.headers["refresh"] == "901; url=/read/away"


async def test_a_letter_is_written_and_arrives(tmp_path: Path) -> None:
    """From the form to a colleague's mailbox: sent once, filed in Sent, its way told in words."""
    async with reading(tmp_path) as me:
        await me.open("/read/write")
        page = await me.write(
            "send", to=f"Ines <{INES}>", subject="Avis", text="Chère collègue,\nmerci.\n"
        )
        assert 200 == page.status_code, page.text
        sent = await me.messages("Sent")
        drafts = await me.messages("Drafts")
        flags = me.flags("Sent")
        [arrived] = await _arrived(me)

    assert "référence" in page.text or "reference" in page.text
    assert INES in page.text
    assert [] == drafts
    assert 1 == len(sent)
    assert ("\\Seen",) == flags[0]
    assert "merci." in arrived
    assert f"From: {DR}" in arrived


async def _arrived(me, address=INES):  # type: ignore[no-untyped-def]
    from tests.world.running import until

    async def count() -> int:
        return len(await me.place.chu.inbox(address))

    await until(count, 1)
    return [entry["content"] for entry in await me.place.chu.inbox(address)]
