"""Whether every line of a body ends in CRLF, asked of megabytes.

Relayed onward, a bare CR or LF is how mail is smuggled past the next hop (CVE-2023-51764), so no
body is spared the question. Counting line ends costs some 25 ns a line and pass, which for a large
attachment is more than its encryption. But an attachment in base64 has lines of one length: there
the places where CR and LF must be are compared as two columns, and what lies between is searched
at memory speed. Pure. RFC 5321 §2.3.8.
"""

import re

_LONE_CR = re.compile(rb"\r[^\n]").search
_LARGE = 4096  # octets from which looking for the columns pays


def poisonous(body: bytes) -> bool:
    """Say whether there is a CR or LF outside CRLF, or a NUL."""
    sound = len(body) >= _LARGE and _even(body)
    return b"\0" in body or (not sound and _broken(body))


def _broken(body: bytes) -> bool:
    # No CR without its LF, and no more LFs than CRs: then every LF has its CR.
    return (
        body.count(b"\r") != body.count(b"\n") or _LONE_CR(body) is not None or body.endswith(b"\r")
    )


def _even(body: bytes) -> bool:
    """Say whether all is well for certain: most of it are lines of one length, and sound.

    Neither border of those lines cuts a CRLF, so that what is before and behind is judged alone.
    """
    middle = body.find(b"\r\n", len(body) // 2)
    step = body.find(b"\r\n", middle + 2) - middle
    if middle < 0 or step < 0 or not body.startswith(b"\r\n", middle + 2 * step):
        return False  # it is text
    before = _together(body[middle::-step], body[middle + 1 :: -step])
    after = _together(body[middle::step], body[middle + 1 :: step])
    first, last = middle - (before - 1) * step, middle + (after - 1) * step + 2
    columns = bytearray(memoryview(body)[first:last])
    # Blot out the line ends that were found to be good: then none may be left.
    columns[::step] = columns[1::step] = b" " * (before + after - 1)
    return not (
        b"\r" in columns or b"\n" in columns or _broken(body[:first]) or _broken(body[last:])
    )


def _together(returns: bytes, feeds: bytes) -> int:
    """Count for how long the one column is all CR and the other all LF."""
    return min(
        len(returns) - len(returns.lstrip(b"\r")),
        len(feeds) - len(feeds.lstrip(b"\n")),
    )
