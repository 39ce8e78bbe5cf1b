"""Walks through the pages that are about messages: the quarantine, the spool, the trace."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from gateway.relay.ambiguous import REASON, standing
from gateway.relay.delivery import State, holder
from gateway.relay.large.links import Facts, Link, new_link_id, new_token
from gateway.relay.large.stub import Mark
from tests.gateway.console import stage
from tests.gateway.console.walking import Walker
from tests.gateway.operations.conftest import held, spooled
from tests.interop.postfix import free_port
from tests.world.running import until

QUEUE, SPOOL, TRACE = "/console/quarantine", "/console/spool", "/console/trace"
SILENT, STUCK = "nowhere.example", "labo.example"
_TWO = ("dr@chu.example", "accueil@chu.example")
_WRITER = "facteur@chu.example"
DAY = timedelta(days=1)


async def quarantine(one: Walker, other: Walker, folder: Path) -> None:
    """Looked at, written about, kept, taken away; released to some, refused to others, or by two."""
    rooms = one.desk.place.chu.rooms
    case = await stage.suspicious(rooms, _TWO)
    grave = await stage.suspicious(rooms, found=[("malware", "Eicar")])
    at = f"{QUEUE}/{case}"
    await one.at(QUEUE, "bio@labo.example")
    await one.sends(QUEUE, "bio@labo.example", reason="disguised")
    await one.presses(f"a[href='{at}']", *_TWO)
    await one.sends("/look", "Potassium", "<script>alert(1)</script>", reason="Le labo rappelle")
    await one.page.click(".letter summary")
    await one.reads("X-Hostile", "onerror=alert(1)>", ".pdf.exe")
    await one.sends("/note", "Noté.", stage.HOSTILE, text=stage.HOSTILE)
    await one.sends("/preserve", "Gelé.", stage.HOSTILE, note=stage.HOSTILE)
    await one.sends("/preserve", "Gel levé.", note="levée")
    taken = await one.takes("form[action$='/escrow'] button", folder, reason="Demandé par le DPO")
    assert len(taken) > len(stage.LETTER)
    assert b"DESMAUX" not in taken
    await one.page.uncheck(".ticks label:nth-of-type(2) input")
    await one.sends("/decide", "Le message repart", press="[value=release]", note=stage.HOSTILE)
    await one.at(at, stage.HOSTILE)
    await one.sends("/decide", "Refusé.", press="[value=refuse]", note="non", tell=stage.HOSTILE)
    await one.at(at, stage.HOSTILE)
    for who, said in ((one, "Un second exploitant"), (other, "Le message repart")):
        await who.at(f"{QUEUE}/{grave}")
        await who.sends("/decide", said, press="[value=release]", note="faux positif")
    place = one.desk.place
    place.lists.add(STUCK, place.authority.issue(f"mx.{STUCK}"), [("127.0.0.1", free_port())])
    await rooms.keeper.offer("list", place.lists.offer(rooms.clock().replace(microsecond=0)))
    rooms.keeper.beside([stage.house(_TWO)])
    case = await stage.suspicious(rooms, [standing(stage.HOUSE)], [(REASON, "")])
    await one.at(f"{QUEUE}/{case}", str(stage.HOUSE), *_TWO)
    await one.sends("/choose", "Le message part", to=_TWO[1], note=stage.HOSTILE)
    await one.at(f"{QUEUE}/{case}", _TWO[1], stage.HOSTILE)
    rooms.keeper.beside([])


async def spool(one: Walker, other: Walker, folder: Path) -> None:
    """Tried again, one or all; held and no longer; stopped, as long as nobody has taken it."""
    del other, folder
    place = one.desk.place
    rooms, silent = place.chu.rooms, place.authority.issue(f"mx.{SILENT}")
    for domain in (SILENT, STUCK):
        place.lists.add(domain, silent, [("127.0.0.1", free_port())])
    await rooms.keeper.offer("list", place.lists.offer(rooms.clock().replace(microsecond=0)))
    for name in ("<1@labo>", "<2@labo>"):
        await spooled(rooms, f"dr@{SILENT}", name=name)
    await held(rooms, [f"dr@{STUCK}"])  # which no courier takes meanwhile
    await stage.escalated(rooms)
    await one.at("/console", "Résultats critiques non arrivés")
    await one.presses("main td.acts a[href='/console/spool']", "Je m'en occupe")
    await one.sends("/acknowledge", "Noté", note=stage.HOSTILE)
    await one.at(SPOOL, SILENT, STUCK)
    await one.presses(f"main a[href='{SPOOL}/of/{SILENT}']", "bio@labo.example")
    await one.sends("/retry", "Ce sera essayé maintenant.", number=1)
    await until(partial(_tried, one), expected=True)
    await one.at(f"{SPOOL}/of/{SILENT}")
    await one.sends("/retry", "Ce sera essayé maintenant.")
    await one.at(SPOOL)
    await one.sends("/hold", "ne vieillit plus", stage.HOSTILE, domain=STUCK, why=stage.HOSTILE)
    await one.at(SPOOL, stage.HOSTILE)
    await one.presses(f"main a[href='{SPOOL}/of/{STUCK}']", stage.HOSTILE)
    await one.sends("/resume", "vieillit de nouveau")
    await one.sends("/cancel", "Arrêté.")


async def large(one: Walker, other: Walker, folder: Path) -> None:
    """What lies here is ended; what is fetched is asked for at once."""
    del other, folder
    rooms = one.desk.place.chu.rooms
    lent = rooms.desk.large
    assert lent is not None
    now = rooms.clock()
    copy = await spooled(rooms, f"dr@{SILENT}", name="<irm@labo>")
    facts = Facts(new_token(), "a" * 64, ())
    link = Link(new_link_id(), copy.message.id, SILENT, 5_000_000, now, now + DAY, facts)
    mark = Mark(new_token(), 1, 7_000_000, "b" * 64)
    waits = await spooled(rooms, "accueil@chu.example", State.FETCHING, "<scan@labo>")
    await rooms.database.commit(
        [
            lent.links.adding(link, copy.recipient.address),
            *rooms.vault.sharing(holder(copy.delivery.id), link.holder),
            lent.fetches.entering(
                waits.message.id,
                mark,
                now + 2 * DAY,
                findings=(),
                looked=False,
            ),
        ]
    )
    await one.at(f"{SPOOL}/large", SILENT)
    await one.sends("/again", "Un essai a lieu maintenant.")
    await one.page.click(".acts summary")
    await one.sends("/end", "Retiré.")
    assert lent.links.all() == []


async def _tried(one: Walker) -> bool:
    """Whether somebody was tried once more, in vain, and all wait again."""
    found = [row for row in await one.desk.place.chu.ask("spool.list") if SILENT == row["domain"]]
    return {"deferred"} == {row["state"] for row in found} and 1 < max(
        row["attempts"] for row in found
    )


async def trace(one: Walker, other: Walker, folder: Path) -> None:
    """Found by what a caller says, told, and shown for a reason; a subject is text."""
    del other, folder
    chu = one.desk.place.chu
    password = await chu.user(_WRITER)
    letter = f"From: {_WRITER}\r\nSubject: {stage.HOSTILE}\r\nMessage-ID: <3@labo>\r\n\r\nok\r\n"
    await chu.submit(_WRITER, password, [_WRITER], letter.encode())
    await one.at(TRACE)
    await one.sends(TRACE, "rien", what=stage.HOSTILE)
    await one.sends(TRACE, _WRITER, what=_WRITER)
    await one.presses("main th a.mono", _WRITER)
    story, spoken = one.page.url, (await one.page.inner_text("h1")).split()[-1]
    await one.sends(story.rpartition("/")[2], stage.HOSTILE, why="Le labo rappelle")
    await one.at(TRACE)
    await one.sends(TRACE, _WRITER, what=spoken.replace("0", "O").lower())
    assert story == one.page.url
