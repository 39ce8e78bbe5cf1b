"""A clinician at the reading room, by a browser without JavaScript, and mail to read there."""

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx

from imap.folder import UidSet
from smtp.address import parse
from tests.gateway.web.account.browser import DR, Browser, Place, placed

INES, OTHER = "ines@chu.example", "autre@chu.example"
File = tuple[str, bytes, str]


class _Fields(HTMLParser):
    """What a browser would send of one form: ticked boxes, chosen options, text."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self._action, self._in, self._area = action, False, ""
        self.fields: dict[str, str] = {}
        self.boxes: list[str] = []
        self.buttons: list[tuple[str, str]] = []
        self.options: list[str] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        name, value = found.get("name", ""), found.get("value", "")
        if tag == "form":
            self._in = found.get("action") == self._action
        elif not self._in:
            return
        elif tag == "button":
            self.buttons.append((name, value))
        elif tag == "select":
            self._select = name
        elif tag == "option":
            self.options.append(value)
            if "selected" in found:
                self._area = self._select
                self.fields[self._area] = ""
        elif tag == "textarea":
            self._area = name
            self.fields[name] = ""
        elif found.get("type") == "checkbox":
            self.boxes.append(name)
            if "checked" in found:
                self.fields[name] = value or "on"
        elif tag == "input" and name and found.get("type") != "file":
            self.fields[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag in {"textarea", "option"}:
            self._area = ""
        elif tag == "form":
            self._in = False

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data


@dataclass(slots=True)
class Reader:
    """One person who is in."""

    browser: Browser
    place: Place
    address: str

    @property
    def page(self) -> httpx.Response:
        return self.browser.page

    @property
    def text(self) -> str:
        return self.browser.page.text

    async def open(self, path: str = "/read") -> httpx.Response:
        return await self.browser.open(path)

    async def get(self, path: str) -> httpx.Response:
        """Ask without leaving the page."""
        return await self.browser.client.get(path)

    def form(self, action: str) -> _Fields:
        """Return a form of the page."""
        found = _Fields(action)
        found.feed(self.text)
        assert found.fields, f"no form for {action} in {self.text}"
        return found

    async def post(self, action: str, **fields: str) -> httpx.Response:
        """Fill in a form of the page that has no files, and send it."""
        told = self.form(action).fields | fields
        self.browser.page = await self.browser.client.post(action, data=told, follow_redirects=True)
        return self.page

    async def post_raw(self, action: str, **fields: str) -> httpx.Response:
        """Send a form to another place than the page has one for, with the page's ticket."""
        ticket = self.text.partition(f'action="{action}')[2] or self.text.partition("<main")[2]
        value = ticket.partition('name="ticket" value="')[2].partition('"')[0]
        return await self.browser.client.post(action, data={"ticket": value, **fields})

    async def upload(self, files: Iterable[File]) -> httpx.Response:
        """Save a letter with files, and stay at the page."""
        page = self.browser.page
        answer = await self.write("save", files)
        self.browser.page = page
        return answer

    async def write(
        self, do: str, files: Iterable[File] = (), drop: Iterable[str] = (), **fields: str
    ) -> httpx.Response:
        """Fill in the letter's form and press one of its buttons."""
        told = self.form("/read/write").fields | fields
        told = {name: value for name, value in told.items() if name not in set(drop)}
        told["text"] = told.get("text", "").removeprefix("\n")
        parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in told.items()]
        parts += [("files", file) for file in files] or [
            ("files", ("", b"", "application/octet-stream"))
        ]
        parts.append(("do", (None, do)))
        self.browser.page = await self.browser.client.post(
            "/read/write", files=parts, follow_redirects=True
        )
        return self.page

    @property
    def mailbox(self) -> int:
        found = self.place.chu.rooms.accounts.find(parse(self.address))
        assert found is not None
        return found.id

    def folder(self, name: str = "INBOX") -> str:
        """Return where a folder's page is."""
        found = self.place.chu.rooms.mailboxes.find(self.mailbox, name)
        assert found is not None
        return f"/read/{found.id}"

    async def messages(self, name: str = "INBOX") -> list[bytes]:
        """Return what lies in a folder, octet for octet."""
        store = self.place.chu.rooms.mailboxes
        return [await store.read(each) for each in store.entries(self.mailbox, name)]

    def flags(self, name: str = "INBOX") -> list[tuple[str, ...]]:
        """Return the flags of what lies in a folder."""
        entries = self.place.chu.rooms.mailboxes.entries(self.mailbox, name)
        return [each.flags for each in entries]

    async def receive(self, content: bytes, name: str = "INBOX") -> str:
        """Have a message lie in a folder; return where its page is."""
        store = self.place.chu.rooms.mailboxes
        folder = store.find(self.mailbox, name)
        assert folder is not None
        batch = store.batch(folder.id)
        await batch.add([], None, _once(content), len(content))
        uid = next(iter((await batch.commit()).uids))
        return f"/read/{folder.id}/{uid}"

    async def journal(self) -> list[tuple[str, str]]:
        """Return what the journal has of this person: events and reasons."""
        await self.place.chu.rooms.notes.write()
        rows = await self.place.chu.ask("trace", what=self.address)
        return [(row["event"], str(row.get("detail", {}).get("reason", ""))) for row in rows]


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@asynccontextmanager
async def reading(folder: Path, sections: str = "") -> AsyncIterator[Reader]:
    """Run a gateway with somebody at its reading room, and a colleague's mailbox."""
    async with placed(folder, sections) as place:
        browser, _ = await place.person()
        await place.chu.ask("mailbox.add", address=INES)
        await place.chu.ask("mailbox.add", address=OTHER)
        yield Reader(browser, place, DR)


def letter(subject: str = "Compte rendu", body: bytes = b"Bonjour.\r\n", **fields: str) -> bytes:
    """Write a message; fields are its header's."""
    head = {
        "From": "Ines Durand <ines@chu.example>",
        "To": "dr@chu.example",
        "Subject": subject,
        "Message-ID": "<original-1@chu.example>",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return "".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n" + body


def mixed(*parts: tuple[str, bytes]) -> bytes:
    """Write a multipart message of parts, each a header and a body."""
    body = b"".join(
        b"--b\r\n%b\r\n\r\n%b\r\n" % (head.encode(), content) for head, content in parts
    )
    return letter(body=body + b"--b--\r\n", Content_Type='multipart/mixed; boundary="b"')


def references(text: str) -> list[str]:
    """Return everything that a page would load, lead to or send to."""
    return re.findall(
        r"""(?:src|href|action|formaction|data|url)\s*[=(]\s*["']?([^"'\s>)]+)""", text
    )


__all__ = ["DR", "INES", "OTHER", "Reader", "UidSet", "letter", "mixed", "reading", "references"]
