"""One command line of a client, from octets to values: verbs, paths, parameters, xtext.

Everything here raises ``CommandError`` with the reply to give, or returns a whole value; no state,
so that ``smtp.receive.session`` is about order alone. RFC 5321 §4.1, RFC 1870, RFC 3030, RFC 3461 §4,
RFC 6531 §3.4, RFC 6533 §3.
"""

import re
from collections.abc import Mapping

from smtp import reply
from smtp.address import Address, AddressError, parse
from smtp.envelope import Body, Mail, Notify, Recipient, Ret
from smtp.reply import Reply

_PATH = r'(<(?:"(?:[^"\\]|\\.)*"|[^<>"\s])*>)(?: +(.*?))? *'
_FROM = re.compile(rf"FROM: *{_PATH}", re.IGNORECASE)
_TO = re.compile(rf"TO: *{_PATH}", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}")
_CHUNK = re.compile(r"([0-9]{1,20})( +LAST)?", re.IGNORECASE)
_SIZE = re.compile(r"[0-9]{1,20}")
_TRANSFER = re.compile(r"[A-Za-z0-9.-]{1,64}")
_ADDR_TYPE = re.compile(r"[A-Za-z0-9-]{1,40}")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")
_EMBEDDED = re.compile(r"\\x\{(10[0-9A-F]{4}|[1-9A-F][0-9A-F]{1,4}|[1-9A-F][0-9A-F]?)\}")

FLAGS = frozenset({"SMTPUTF8", "XRECALL"})
MAIL_PARAMETERS = frozenset({"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID"})
RCPT_PARAMETERS = frozenset({"NOTIFY", "ORCPT"})


MAX_LINE = 12288  # RFC 4954 §4 wants so much for AUTH; nothing else needs it
_MAX_SKIPPED = 64 << 10


class CommandError(Exception):
    """The command cannot be carried out; ``reply`` says why."""

    def __init__(self, said: Reply) -> None:
        super().__init__(str(said))
        self.reply = said


class Lines:
    """What has arrived and is not yet read: commands are taken line by line, content whole."""

    __slots__ = ("_at", "_buf", "_skipped")

    def __init__(self) -> None:
        self._buf, self._at, self._skipped = b"", 0, 0

    def __len__(self) -> int:
        return len(self._buf) - self._at

    def push(self, block: bytes) -> None:
        """Add what arrived."""
        self._buf = self._buf[self._at :] + block if self._buf else block
        self._at = 0

    def put_back(self, block: bytes) -> None:
        """Put bytes that were taken before all others again."""
        self._buf = block + self._buf[self._at :]
        self._at = 0

    def take_all(self) -> bytes:
        """Take everything, as content."""
        taken = self._buf[self._at :] if self._at else self._buf
        self._buf, self._at = b"", 0
        return taken

    def take(self) -> bytes | None:
        """Take one line without its CRLF; None while it is incomplete.

        A line that ends in LF alone is refused, like one that is too long; of an endless one
        nothing is kept, and it is not listened to for ever.
        """
        end = self._buf.find(b"\n", self._at)
        if end < 0:
            if len(self) + self._skipped > MAX_LINE:
                self._skipped += len(self.take_all())
            if self._skipped > _MAX_SKIPPED:
                raise CommandError(reply.TOO_MUCH)
            return None
        line, self._at = self._buf[self._at : end], end + 1
        too_long, self._skipped = self._skipped + len(line) > MAX_LINE, 0
        if too_long:
            raise CommandError(reply.LINE_TOO_LONG)
        if not line.endswith(b"\r"):
            raise CommandError(reply.SYNTAX)
        return line[:-1]


def split(line: bytes) -> tuple[str, str]:
    """Return the verb in capitals and its argument, of a line without its CRLF."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError(reply.SYNTAX) from None
    if not text.isprintable():
        raise CommandError(reply.SYNTAX)
    verb, _, argument = text.partition(" ")
    return verb.upper(), argument.strip(" ")


def client_name(argument: str) -> str:
    """Return the name that the client gives itself: a domain or an address literal."""
    if not _NAME.fullmatch(argument):
        raise CommandError(reply.SYNTAX)
    return argument


def mail(argument: str, offered: frozenset[str]) -> Mail:
    """Read ``FROM:<path> parameters``; ``offered`` names the parameters that EHLO promised."""
    path, given = _read(_FROM, argument, offered)
    smtputf8 = "SMTPUTF8" in given
    if not smtputf8 and not path.isascii():
        raise CommandError(reply.NEEDS_SMTPUTF8)
    if "AUTH" in given:
        _allow_auth(given["AUTH"])
    return Mail(
        mail_from=_address(path[1:-1], reply.BAD_SENDER_ADDRESS) if path != "<>" else None,
        size=int(_matched(_SIZE, given["SIZE"])) if "SIZE" in given else None,
        body=Body(_choice(given["BODY"], Body)) if "BODY" in given else Body.SEVEN_BIT,
        smtputf8=smtputf8,
        ret=Ret(_choice(given["RET"], Ret)) if "RET" in given else None,
        envid=_envelope_id(given["ENVID"]) if "ENVID" in given else None,
        transfer=_matched(_TRANSFER, given["XTRANSFER"]) if "XTRANSFER" in given else None,
        recall=_recalls(given),
        large=int(_matched(_SIZE, given["XLARGE"])) if "XLARGE" in given else None,
    )


def _recalls(given: Mapping[str, str]) -> bool:
    if "XRECALL" in given and "XTRANSFER" not in given:
        raise CommandError(reply.SYNTAX)  # nothing says what is meant
    return "XRECALL" in given


def recipient(argument: str, *, smtputf8: bool, postmaster: str) -> Recipient:
    """Read ``TO:<path> parameters``; ``<postmaster>`` alone is ours (RFC 5321 §4.5.1)."""
    path, given = _read(_TO, argument, RCPT_PARAMETERS)
    if not smtputf8 and not path.isascii():
        raise CommandError(reply.NEEDS_SMTPUTF8)
    written = path[1:-1]
    if written.lower() == "postmaster" and postmaster:
        written = postmaster
    return Recipient(
        address=_address(written, reply.BAD_ADDRESS),
        notify=_notify(given["NOTIFY"]) if "NOTIFY" in given else None,
        orcpt=_original(given["ORCPT"], smtputf8=smtputf8) if "ORCPT" in given else None,
    )


def _allow_auth(value: str) -> None:
    # RFC 4954 §5: who first submitted it. We trust nobody's word for that: read and forgotten.
    if value != "<>":
        decode_xtext(value)


def chunk(argument: str) -> tuple[int, bool]:
    """Read BDAT's argument: how many octets follow, and whether they are the last."""
    match = _CHUNK.fullmatch(argument)
    if match is None:
        raise CommandError(reply.SYNTAX)
    return int(match[1]), match[2] is not None


def _read(
    pattern: re.Pattern[str], argument: str, offered: frozenset[str]
) -> tuple[str, dict[str, str]]:
    match = pattern.fullmatch(argument)
    if match is None:
        raise CommandError(reply.SYNTAX)
    return match[1], _parameters(match[2], offered) if match[2] else {}


def _parameters(text: str, offered: frozenset[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for parameter in text.split():
        name, equals, value = parameter.partition("=")
        name = name.upper()
        if name not in offered:
            raise CommandError(reply.UNKNOWN_PARAMETER)
        if name in given or (name in FLAGS) is bool(equals) or (equals and not value):
            raise CommandError(reply.SYNTAX)
        given[name] = value
    return given


def _address(text: str, refusal: Reply) -> Address:
    try:
        return parse(text)
    except AddressError:
        raise CommandError(refusal) from None


def _matched(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.fullmatch(value):
        raise CommandError(reply.SYNTAX)
    return value


def _choice(value: str, choices: type[Body] | type[Ret]) -> str:
    chosen = value.upper()
    if chosen not in choices.__members__.values():
        raise CommandError(reply.SYNTAX)
    return chosen


def _notify(value: str) -> frozenset[Notify]:
    words = value.upper().split(",")
    if any(word not in Notify.__members__ for word in words):
        raise CommandError(reply.SYNTAX)
    asked = frozenset(Notify(word) for word in words)
    if len(asked) != len(words) or (Notify.NEVER in asked and len(asked) > 1):
        raise CommandError(reply.SYNTAX)
    return asked


def _envelope_id(value: str) -> str:
    # RFC 3461 §4.4: at most 100 characters as sent, printable US-ASCII when decoded.
    decoded = decode_xtext(value)
    if len(value) > 100 or not decoded:
        raise CommandError(reply.SYNTAX)
    return decoded


def _original(value: str, *, smtputf8: bool) -> str:
    kind, semicolon, text = value.partition(";")
    if not semicolon or not text or len(value) > 500 or not _ADDR_TYPE.fullmatch(kind):
        raise CommandError(reply.SYNTAX)
    kind = kind.lower()
    decoded = (
        _decode_utf8_address(text, smtputf8=smtputf8) if kind == "utf-8" else decode_xtext(text)
    )
    return f"{kind};{decoded}"


def decode_xtext(text: str) -> str:
    """Undo RFC 3461 §4's xtext; ``+00`` and other control characters are refused."""
    if not _XTEXT.fullmatch(text):
        raise CommandError(reply.SYNTAX)
    decoded = _HEXCHAR.sub(lambda match: chr(int(match[1], 16)), text)
    if not decoded.isascii() or not decoded.isprintable():
        raise CommandError(reply.SYNTAX)
    return decoded


def _decode_utf8_address(text: str, *, smtputf8: bool) -> str:
    r"""Undo RFC 6533 §3's utf-8-addr-xtext (``\x{E9}``) and, under SMTPUTF8, -unitext."""
    if not smtputf8 and not text.isascii():
        raise CommandError(reply.SYNTAX)
    if any(c in _EMBEDDED.sub("", text) for c in "+=\\"):
        raise CommandError(reply.SYNTAX)
    try:
        decoded = _EMBEDDED.sub(lambda match: chr(int(match[1], 16)), text)
        decoded.encode("utf-8")
    except (ValueError, UnicodeEncodeError):
        raise CommandError(reply.SYNTAX) from None
    if not decoded.isprintable():
        raise CommandError(reply.SYNTAX)
    return decoded
