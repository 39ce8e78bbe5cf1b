"""Letters of rights, and the flags that they let one change."""

import pytest

from imap.principal import OWNER, Principal, Shared, settable
from tests.imap.stage import COLLEAGUE, USER


def test_what_is_ones_own_and_what_is_shared() -> None:
    """All rights on the first, those given on the second, none on any other."""
    who = Principal(USER, 1, (Shared(COLLEAGUE, 2, "lr"),))
    assert (OWNER, "lr", "") == (who.rights(1), who.rights(2), who.rights(3))


@pytest.mark.parametrize(
    ("rights", "kept"),
    [
        ("", ()),
        ("s", ("\\Seen",)),
        ("t", ("\\Deleted",)),
        ("w", ("\\Flagged", "Fait")),
        ("p", ("$Recall",)),
        ("swtp", ("\\Seen", "\\Deleted", "\\Flagged", "Fait", "$Recall")),
    ],
)
def test_each_flag_has_its_letter(rights: str, kept: tuple[str, ...]) -> None:
    """RFC 4314 §4; a recall speaks in the mailbox's name."""
    assert kept == settable(rights, ("\\Seen", "\\Deleted", "\\Flagged", "Fait", "$Recall"))
