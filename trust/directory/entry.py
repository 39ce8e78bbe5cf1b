"""One address as a directory describes it, and the words by which people look for it. R-D2, R-D3."""

import re
import unicodedata
from typing import NamedTuple

from smtp.address import Address, local_of
from trust.addresses import Kind, Listed

LONGEST = 160  # characters of a name, a profession, a service
_WORDS = re.compile(r"[^\W_]{2,}")  # one letter finds too much to find anything
_BLANKS = re.compile(r"\s+")


class Entry(NamedTuple):
    """An address of a directory. Texts are clean: no control characters, and not endless."""

    address: Address
    kind: Kind
    person: str = ""  # "rpps:10003456786", or nobody's
    organisation: str = ""  # "finess:540002698", or nobody's
    name: str = ""  # the person's, as it is shown
    profession: str = ""
    structure: str = ""  # the organisation's name
    service: str = ""  # the part of it
    hidden: bool = False  # *liste rouge*: exists, receives, is never shown

    @property
    def holder(self) -> str:
        """Whose it is: the person where there is one, or else the organisation."""
        return self.person or self.organisation

    @property
    def listed(self) -> Listed:
        """What the trust list's own entries say, said by the directory; it grants nothing."""
        return Listed(self.address, self.kind, self.holder, hidden=self.hidden)

    @property
    def words(self) -> frozenset[str]:
        """The words by which it is found."""
        texts = (local_of(self.address), self.name, self.structure, self.service)
        return frozenset(words(" ".join(texts)))


def clean(text: str) -> str:
    """Return text that may be shown: composed, on one line, without what is invisible."""
    if text.isprintable() and "  " not in text and unicodedata.is_normalized("NFC", text):
        return text.strip()[:LONGEST].rstrip()
    # What is unseen goes first: it may have kept blanks, or a letter and its accent, apart.
    seen = "".join(
        " " if c.isspace() else c
        for c in text
        if c.isspace() or unicodedata.category(c) not in _UNSEEN
    )
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", seen)).strip()[:LONGEST].rstrip()


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def fold(text: str) -> str:
    """Return text without what makes no difference to people: case, accents, ligatures."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


class _Folded(dict[int, str]):
    """What each character folds to: none depends on its neighbours."""

    def __missing__(self, code: int) -> str:
        bare = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", chr(code)).casefold())
        found = "".join(c for c in bare if not unicodedata.combining(c))
        if len(self) < _REMEMBERED:
            self[code] = found
        return found


_REMEMBERED = 4096  # nobody can fill our memory with characters
_FOLDED = _Folded()


def words(text: str) -> list[str]:
    """Return the words of a text, folded."""
    return _WORDS.findall(fold(text))
