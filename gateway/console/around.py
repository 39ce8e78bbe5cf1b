"""What stands around every page of the console: the navigation, who is in, and the other language."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from starlette.requests import Request

from gateway.accounts.operators import Role
from gateway.console import roles
from gateway.web.account.session import Visitor


@dataclass(frozen=True, slots=True)
class Entry:
    """A page's place in the navigation; its words are ``nav-<key>``."""

    path: str
    key: str
    role: Role = Role.VIEWER


@dataclass(frozen=True, slots=True)
class Around:
    """Asked for every page."""

    site: str
    entries: tuple[Entry, ...]
    clock: Callable[[], datetime]

    def __call__(self, request: Request, visitor: Visitor | None) -> dict[str, Any]:
        """Return what the layout shows."""
        operator = visitor.operator if visitor else None
        return {
            "operator": operator,
            "nav": [
                each for each in self.entries if operator and roles.covers(operator.role, each.role)
            ],
            "may": partial(roles.may, operator.role) if operator else _nothing,
            "said": request.query_params.get("said", "")[:40],
            "site": self.site,
            "now": self.clock(),
            "certificate": request.state.peer.certificate is not None,
        }


def _nothing(_verb: str) -> bool:
    return False
