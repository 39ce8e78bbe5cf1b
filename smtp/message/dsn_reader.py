"""Reports of others, read as they come: delivery status (DSN) and disposition (MDN).

Tolerant on purpose. Even the official French example departs from its RFC: error text inside
Disposition, parts after the returned message, Content-Transfert-Encoding, boundaries that end in
a dash of typography, missing blank lines (R-F3, R-F4). So boundaries are not relied on: the part
is found by its type, and its fields tell by their names where a recipient begins.
Whether a report is to be believed is not decided here. RFC 3464, RFC 8098, RFC 6533.
"""

import binascii
import re

from smtp.address import Address, AddressError, parse
from smtp.message.dsn import ANSWERED, Action, Fate, Kind, Report, clean
from smtp.message.header import Header

_REACH = 1 << 20  # the part for programs comes early
_MOST_RECIPIENTS = 1000
_TYPE = rb"(?im)^content-type[ \t]*:[ \t]*(?:\r?\n[ \t]+)?"
_PART = re.compile(_TYPE + rb"message/(?:global-)?(delivery-status|disposition-notification)\b")
_RETURNED = re.compile(
    _TYPE + rb"(?:message/(?:rfc822|global(?:-headers)?)|text/rfc822-headers)(?=[\s;]|\Z)"
)
_MESSAGE_ID = re.compile(rb"(?im)^message-id[ \t]*:\s{0,8}(<[!-;=?-~]{1,900}>)")
_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
_END = re.compile(rb"(?im)^(?:-|\xe2\x80[\x90-\x95]|[\x96\x97]|content-type[ \t]*:)")
_FIELD = re.compile(rb"(?m)^([!-9;-~]+)[ \t]*:(.*(?:\r?\n[ \t]+\S.*)*)")
_FOLD = re.compile(r"\r?\n[ \t]+")
_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_DISPOSITION = re.compile(
    r"(?i)(?<![\w-])(displayed|processed|dispatched|deleted|denied|failed)(?![\w-])\s*(?:/\s*(.*))?"
)
_MODIFIER = re.compile(r"(?i)(?:error|failure)\b[\s:]*(.*)")
_PREFIX = re.compile(r"[A-Za-z0-9.-]+\s*;\s*")  # "smtp;", "dns;", "rfc822;"
_STARTS = frozenset({"original-recipient", "final-recipient"})
_ENDS = frozenset({"action", "disposition"})
_COMMON = frozenset(
    {"original-envelope-id", "reporting-mta", "reporting-ua", "original-message-id"}
)
_ACTIONS = {str(action): action for action in Action}

Fields = dict[str, str]


def read(header: Header, body: bytes) -> Report | None:
    """Return what a multipart/report says of a message, or None if it is no such report."""
    content_type = header.first("content-type") or b""
    if not content_type.lower().startswith(b"multipart/report"):
        return None
    reach = body[:_REACH]
    returned = _RETURNED.search(reach)
    part = _PART.search(reach, 0, returned.start() if returned else len(reach))
    if part is None:
        return None
    kind = Kind(part[1].decode("ascii").lower())
    common, groups = _groups(_content(reach[part.start() : returned.start() if returned else None]))
    tell = _status if kind is Kind.STATUS else _disposition
    if not groups:
        return None
    about = _MESSAGE_ID.search(reach, returned.end()) if returned else None
    return Report(
        kind=kind,
        reporting_mta=_untyped(common.get("reporting-mta") or common.get("reporting-ua", "")),
        recipients=tuple(tell(group) for group in groups),
        original_envelope_id=common.get("original-envelope-id"),
        original_message_id=common.get("original-message-id") or (about and about[1].decode()),
    )


def _content(part: bytes) -> bytes:
    """Return the fields of a part whose own header comes first, decoded, up to its boundary."""
    at = 0
    encoding = b""
    while (match := _FIELD.match(part, at)) and match[1].lower().startswith(b"content-"):
        if match[1].lower().startswith(b"content-trans"):  # however it goes on
            encoding = match[2].strip().lower()
        at = match.end() + 1
    rest = part[at:].lstrip(b" \t\r\n")
    end = _END.search(rest)
    rest = rest[: end.start()] if end else rest
    if encoding == b"quoted-printable":
        return binascii.a2b_qp(rest)
    if encoding == b"base64":
        try:
            return binascii.a2b_base64(rest)
        except binascii.Error:
            return b""
    return rest


def _groups(content: bytes) -> tuple[Fields, list[Fields]]:
    """Return the fields about the message, and those about each recipient."""
    common: Fields = {}
    groups: list[Fields] = [{}]
    at = 0
    for match in _FIELD.finditer(content):
        name, value = match[1].decode().lower(), _unfolded(match[2])
        blank = _BLANK.search(content, at, match.start() + 1) is not None
        at = match.start()
        if name in _COMMON:
            common.setdefault(name, value)
            continue
        group = groups[-1]
        complete = not _ENDS.isdisjoint(group) and ("final-recipient" in group or blank)
        if name in _STARTS | _ENDS and (name in group or (name in _STARTS and complete)):
            groups.append(group := {})
        group.setdefault(name, value)
    recipients = [group for group in groups if not (_STARTS | _ENDS).isdisjoint(group)]
    return common, recipients[:_MOST_RECIPIENTS]


def _unfolded(value: bytes) -> str:
    return clean(_FOLD.sub(" ", value[:2000].decode("utf-8", "replace")).strip())


def _status(group: Fields) -> Fate:
    action = group.get("action", "").partition("(")[0].strip().lower()
    status = _STATUS.search(group.get("status", ""))
    return Fate(
        final=_address(group.get("final-recipient", "")),
        action=_ACTIONS.get(action, Action.OTHER),
        status=status[0] if status else "",
        original=_original(group),
        diagnostic=_untyped(group.get("diagnostic-code", "")),
        remote_mta=_untyped(group.get("remote-mta", "")),
        answered=group.get(ANSWERED.lower()) == "yes",
    )


def _disposition(group: Fields) -> Fate:
    """Read an MDN's verdict; ``processed/Error: 902^...`` is a failure, whatever was processed."""
    action, diagnostic = Action.OTHER, ""
    if match := _DISPOSITION.search(group.get("disposition", "")):
        action = _ACTIONS.get(match[1].lower(), Action.OTHER)
        if modifier := _MODIFIER.match(match[2] or ""):
            action, diagnostic = Action.FAILED, modifier[1]
    return Fate(
        final=_address(group.get("final-recipient", "")),
        action=action,
        original=_original(group),
        diagnostic=diagnostic or group.get("error") or group.get("failure", ""),
    )


def _address(value: str) -> Address | None:
    try:
        return parse(_untyped(value).strip("<> "))
    except AddressError:
        return None


def _original(group: Fields) -> str | None:
    """Return the original recipient as an ORCPT is kept: type, semicolon, address."""
    value = group.get("original-recipient")
    if value is None:
        return None
    prefix = _PREFIX.match(value)
    kind = prefix[0].rstrip("; \t").lower() if prefix else "rfc822"
    return f"{kind};{_untyped(value)}"


def _untyped(value: str) -> str:
    prefix = _PREFIX.match(value)
    return value[prefix.end() :] if prefix else value
