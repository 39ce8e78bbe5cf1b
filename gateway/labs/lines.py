"""The line ends of a mail that did not come by SMTP. Pure.

A bare CR or LF, sent on as it is, is how mail is smuggled past the next hop (CVE-2023-51764); software
that keeps mails in files often has nothing else. Every line ends as mail's do after this. RFC 5322 §2.3.
"""

import re
from dataclasses import dataclass

_END = re.compile(rb"\r\n|\r|\n")


@dataclass(slots=True)
class Lines:
    """Feed it blocks as they come; the answer does not depend on how they were cut."""

    _ended: bool = False  # by a CR at the end of a block, whose LF may begin the next

    def feed(self, block: bytes) -> bytes:
        """Return the block with its lines ended by CRLF."""
        if not block:
            return b""
        if self._ended and block[:1] == b"\n":
            block = block[1:]
        self._ended = block[-1:] == b"\r"
        if block.count(b"\r\n") == block.count(b"\r") == block.count(b"\n"):
            return block
        return _END.sub(b"\r\n", block)
