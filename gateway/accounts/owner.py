"""A person as their log-in knows them: a mailbox's, or an operator.

Pure. Both prove who they are by the same factors, are invited alike, and hold the same kind of session.
"""

from collections.abc import Mapping
from typing import Protocol


class Owner(Protocol):
    """Whose factors, invitations and sessions these are."""

    @property
    def key(self) -> str:
        """Opaque; what is sealed for them is bound to it."""

    @property
    def login(self) -> str:
        """What they type to say who they are."""

    @property
    def told(self) -> Mapping[str, object]:
        """How an event names them (``Notes.tell``)."""

    @property
    def sends(self) -> bool:
        """Whether they may log in now."""
