"""Whom we believe about who may write to whom."""

from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from gateway.settings.section import Seconds, Section


class Trust(Section):
    """The native signed list: who signs it, how many must, where it is dropped."""

    list: Path | None = None
    signers: tuple[Path, ...] = ()
    threshold: Annotated[int, Ge(1)] = 1
    poll: Seconds = 60
