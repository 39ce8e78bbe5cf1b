"""An operator sees how much lies in a mailbox, folder by folder, and never what."""

import pytest

from gateway.operations.error import OperationError
from tests.gateway.operations.conftest import Ask

_DR = "dr@labo.example"


async def test_folders_and_room(ask: Ask) -> None:
    """Each folder with its counts, and the mailbox's room."""
    await ask("mailbox.add", address=_DR)

    found = await ask("mailbox.folders", address=_DR)

    assert (0, None) == (found["used"], found["quota"])
    inbox, archive, *_ = found["folders"]
    assert ("INBOX", "") == (inbox["folder"], inbox["special"])
    assert ("Archive", "\\Archive", 0) == (
        archive["folder"],
        archive["special"],
        archive["messages"],
    )


async def test_a_folder_that_is_not_there(ask: Ask) -> None:
    """A name that is wrong is said to be, and not shown as empty."""
    await ask("mailbox.add", address=_DR)
    with pytest.raises(OperationError, match="no folder"):
        await ask("mailbox.show", address=_DR, folder="Sant")
    assert [] == await ask("mailbox.show", address=_DR, folder="Sent")
