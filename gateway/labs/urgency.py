"""Which of the files in a folder are critical results, before anything else is known of them. Pure.

A glance at what lies beside a file, or at the header of a mail: ten thousand files may lie there, and
the one that may not wait is taken first. What cannot be read is taken in its turn, and refused then.
"""

import re
from collections.abc import Callable

import msgspec

from gateway.labs.names import Form, Offered, form

_MAIL = re.compile(rb"^X-Sceau-Priority:[ \t]*critical[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(rb"\r?\n\r?\n")


class Said(msgspec.Struct, frozen=True):
    """What a companion says of urgency; all else in it is read later."""

    key: str = ""
    critical: bool = False


def found(offered: Offered, glance: Callable[[str], bytes]) -> bool:
    """Whether a file is critical; ``glance`` returns how a file of that name begins."""
    if offered.companion is not None and read(glance(offered.companion)).critical:
        return True
    if form(offered.name) is not Form.MAIL:
        return False
    header = _HEADER.split(glance(offered.name), maxsplit=1)[0]
    return _MAIL.search(header) is not None


def read(companion: bytes | None) -> Said:
    """Return what a companion says, as far as it can be read."""
    try:
        return _DECODER.decode(companion or b"{}")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Said()


_DECODER = msgspec.json.Decoder(Said)
