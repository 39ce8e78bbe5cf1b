"""What goes out, and what the next hop offered: commands that fit both, or a plain refusal.

Mail is never converted on its way (R-E6): a next hop that cannot take a message as it is does not
get it, and the sender is told. RFC 1870, RFC 3461 §4, RFC 6152, RFC 6531, RFC 6533 §3, RFC 9422.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import msgspec

from smtp.address import Address
from smtp.envelope import Body, Recipient, Ret
from smtp.reply import Reply

NO_EIGHT_BIT = Reply(
    554, "5.6.3", "The next hop cannot take 8-bit mail, and mail is never altered; it was not sent"
)
NO_UTF8_ADDRESSES = Reply(
    553, "5.6.7", "The next hop cannot take internationalised addresses or headers; it was not sent"
)
TOO_BIG_FOR_THEM = Reply(
    552, "5.3.4", "The message is larger than the next hop accepts; it was not sent"
)
NO_RECALL = Reply(550, "5.3.3", "The recipient's gateway gives nothing back once it has taken it")
TOO_MANY_FOR_THEM = Reply(
    452, "4.5.3", "The next hop takes fewer recipients at once; the others follow"
)

_PLAIN = re.compile(r"[!-*,-<>-~]*")  # what xtext leaves as it is (RFC 3461 §4)


class Outgoing(msgspec.Struct, frozen=True):
    """One message for one next hop, as its MAIL and RCPT commands will say it."""

    mail_from: Address | None  # None is the null reverse-path <>
    recipients: tuple[Recipient, ...]
    size: int
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    envid: str | None = None
    ret: Ret | None = None
    transfer: str | None = None  # the same for every attempt: lets another Sceau drop a repeat
    again: bool = False  # an attempt before this one may have got there
    recall: bool = False  # nothing is sent: what went under that transfer is wanted back
    large: int | None = None  # this stands for a message of so many octets, which they fetch

    @property
    def international(self) -> bool:
        """The next hop must speak SMTPUTF8."""
        return self.smtputf8 or not (
            (self.mail_from or "").isascii() and all(r.address.isascii() for r in self.recipients)
        )


class Outcome(msgspec.Struct, frozen=True):
    """What became of a message at the next hop."""

    replies: tuple[tuple[Address, Reply], ...]  # one per recipient; positive: it is theirs now
    dsn: bool  # they promised delivery reports (RFC 3461)
    reusable: bool  # the connection will take another message
    delivered: bool = False  # another Sceau: it is in their mailboxes already
    stale: bool = False  # they had hung up before this message: a new connection may try at once


@dataclass(frozen=True, slots=True)
class Offer:
    """The extensions that a server's EHLO reply lists."""

    keywords: frozenset[str] = frozenset()
    size: int = 0  # 0: no limit told
    rcpt_max: int | None = None
    mail_max: int | None = None
    large: int = 0  # another Sceau: the largest message that it fetches

    @classmethod
    def parse(cls, lines: Sequence[str]) -> Self:
        """Read the lines after the greeting; what makes no sense counts as not offered."""
        offered: dict[str, list[str]] = {}
        for line in lines:
            keyword, *values = line.split() or [""]
            offered[keyword.upper()] = values
        limits = dict(value.upper().partition("=")[::2] for value in offered.get("LIMITS", ()))
        return cls(
            keywords=frozenset(offered),
            size=_number(next(iter(offered.get("SIZE", ())), "")) or 0,
            rcpt_max=_number(limits.get("RCPTMAX", "")),
            mail_max=_number(limits.get("MAILMAX", "")),
            large=_number(next(iter(offered.get("XLARGE", ())), "")) or 0,
        )

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords

    def refusal(self, outgoing: Outgoing) -> Reply | None:
        """Say why they cannot take the message at all, or None if they can."""
        if outgoing.recall and "XRECALL" not in self:
            return NO_RECALL
        if outgoing.international and "SMTPUTF8" not in self:
            return NO_UTF8_ADDRESSES
        if outgoing.body is Body.EIGHT_BIT and "8BITMIME" not in self:
            return NO_EIGHT_BIT
        if 0 < self.size < outgoing.size:
            return TOO_BIG_FOR_THEM
        return None

    def mail(self, outgoing: Outgoing) -> bytes:
        """Return the MAIL command, with the parameters that they understand."""
        words = [f"MAIL FROM:<{outgoing.mail_from or ''}>"]
        if "SIZE" in self:
            words.append(f"SIZE={outgoing.size}")
        if "8BITMIME" in self and outgoing.body is Body.EIGHT_BIT:
            words.append("BODY=8BITMIME")
        if outgoing.international:
            words.append("SMTPUTF8")
        if "DSN" in self and outgoing.ret is not None:
            words.append(f"RET={outgoing.ret}")
        if "DSN" in self and outgoing.envid is not None:
            words.append(f"ENVID={xtext(outgoing.envid)}")
        if "XTRANSFER" in self and outgoing.transfer is not None:
            words.append(f"XTRANSFER={xtext(outgoing.transfer)}")
        if "XLARGE" in self and outgoing.large is not None:
            words.append(f"XLARGE={outgoing.large}")
        if outgoing.recall:
            words.append("XRECALL")
        return " ".join(words).encode() + b"\r\n"

    def rcpt(self, recipient: Recipient) -> bytes:
        """Return the RCPT command, with the parameters that they understand."""
        words = [f"RCPT TO:<{recipient.address}>"]
        if "DSN" in self and recipient.notify:
            words.append(f"NOTIFY={','.join(sorted(recipient.notify))}")
        if "DSN" in self and recipient.orcpt is not None:
            words.append(f"ORCPT={_orcpt(recipient.orcpt)}")
        return " ".join(words).encode() + b"\r\n"


def xtext(text: str) -> str:
    """Encode a parameter's value: everything but plain characters as ``+HH`` (RFC 3461 §4)."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(
        chr(octet) if 33 <= octet <= 126 and octet not in b"+=" else f"+{octet:02X}"
        for octet in text.encode()
    )


def _orcpt(orcpt: str) -> str:
    r"""Encode an original recipient; beyond ASCII, ``\x{E9}``, which needs no SMTPUTF8."""
    kind, _, address = orcpt.partition(";")
    if kind.lower() != "utf-8" and address.isascii():
        return f"{kind};{xtext(address)}"
    return "utf-8;" + "".join(
        c if "!" <= c <= "~" and c not in "+=\\" else f"\\x{{{ord(c):X}}}" for c in address
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None
