"""What one may do with a mailbox: the letters of RFC 4314, and the three words people use for them.

Pure. ``p`` is ours to mean what the RFC meant by it: whoever has it may send in the mailbox's name.
"""

from dataclasses import dataclass

LETTERS = "lrswipkxtea"  # RFC 4314 §2.1, in the order they are always written


class RightsError(ValueError):
    """Those are no rights; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Rights:
    """A set of rights, in one spelling."""

    letters: str = ""

    def __post_init__(self) -> None:
        if self.letters != "".join(each for each in LETTERS if each in self.letters):
            raise RightsError(f"not in their order: {self.letters}")

    def __contains__(self, letter: str) -> bool:
        return letter in self.letters

    def __bool__(self) -> bool:
        return bool(self.letters)

    def __str__(self) -> str:
        return self.letters

    @property
    def posts(self) -> bool:
        """Whether mail may be sent in the mailbox's name."""
        return "p" in self.letters


READER = Rights("lr")  # looks, and leaves no trace for the others
MEMBER = Rights("lrswipkxte")  # works in it: files, marks, answers in its name
OWNER = Rights(LETTERS)  # and says who else may

_WORDS = {"reader": READER, "member": MEMBER, "owner": OWNER}
_OBSOLETE = {"c": "kx", "d": "xte"}  # RFC 2086's, as RFC 4314 §2.1.1 reads them


def parse(text: str) -> Rights:
    """Return rights from a word ("reader", "member", "owner") or from letters, in any order."""
    if (known := _WORDS.get(text.lower())) is not None:
        return known
    asked = "".join(_OBSOLETE.get(each, each) for each in text)
    if unknown := sorted(set(asked) - set(LETTERS)):
        raise RightsError(
            f"{''.join(unknown)!r} is no right: say reader, member or owner, or letters of {LETTERS}"
        )
    return Rights("".join(each for each in LETTERS if each in asked))
