"""Critical results that did not arrive stand first; a patient's number is hidden."""

from pathlib import Path

from gateway.labs.unsent import Turned
from smtp.address import Address
from tests.gateway.console import stage
from tests.gateway.console.desk import console

_CITIZEN = "279035121518989@patient.mssante.fr"


async def test_they_stand_first_until_somebody_takes_care(tmp_path: Path) -> None:
    """On Today, which leads to the Spool, and there; with why, and whom."""
    async with console(tmp_path) as desk:
        browser, _ = await desk.seated()
        rooms = desk.place.chu.rooms
        refused = ((_CITIZEN, "550 5.1.1 No such mailbox"),)
        turned = Turned(Address("bio@chu.example"), "", "", "", refused)
        await rooms.database.commit([rooms.desk.criticals.lost(turned, rooms.clock())])
        await stage.escalated(rooms)
        page = (await browser.open("/console/spool")).text
        first = (await browser.open("/console")).text
    assert 2 == page.count("Je m&#39;en occupe</button>")
    assert "550 5.1.1 No such mailbox" in page
    assert first.index("critiques non arrivés") < first.index('class="tiles"')
    assert "279035121518989" not in page
    assert page.index("critiques non arrivés") < page.index('id="peers"')
