"""What of a night's results must go another way: one row a recipient, and a count of all. Pure.

A person reads it in the morning, in a spreadsheet: whom to call, print for or write to again, and
why. The count leaves nobody out: what is in no row was delivered, or is still on its way. R-F1.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from gateway.receipts.bounce import Why, why
from smtp.reply import Reply

COLUMNS = (
    "at",
    "answer",
    "recipient",
    "reference",
    "message",
    "message_id",
    "key",
    "file",
    "said",
    "why",
    "do",
    "pourquoi",
    "que_faire",
)
# What a spreadsheet would compute: at a cell's beginning, or where French ones begin another.
_FORMULA = re.compile(r"(^|[;\t\r\n])(?=[=+\-@\t\r])")


class Answer(StrEnum):
    """The last answer about a recipient who does not have the result, or may not."""

    FAILED = "failed"
    EXPIRED = "expired"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNCONFIRMED = "unconfirmed"
    CORRECTED = "corrected"
    NOT_SENT = "not-sent"  # no message came of the file


_AGAIN = Why(
    "Le destinataire ne l'a pas reçu : faites-le lui parvenir par un autre moyen.",
    "The recipient does not have it: let it arrive by other means.",
)
_DO = {
    Answer.UNCONFIRMED: Why(
        "Il est peut-être arrivé : demandez au destinataire, sinon un autre moyen.",
        "It may have arrived: ask the recipient, otherwise use other means.",
    ),
    Answer.CORRECTED: Why(
        "Il avait été annoncé comme reçu, à tort : faites-le parvenir par un autre moyen.",
        "It was said to have arrived, wrongly: let it arrive by other means.",
    ),
    Answer.NOT_SENT: Why(
        "Rien n'est parti : corrigez le fichier et déposez-le de nouveau, ou un autre moyen.",
        "Nothing was sent: correct the file and hand it in again, or use other means.",
    ),
}
_MAYBE = Why(
    "Le serveur du destinataire l'a pris et n'a pas confirmé qu'il est arrivé.",
    "The recipient's server took it and did not confirm that it arrived.",
)


@dataclass(frozen=True, slots=True)
class Left:
    """One recipient who must be reached another way."""

    at: datetime
    answer: Answer
    recipient: str  # empty: the file named nobody that could be read
    reference: str = ""
    message: str = ""
    message_id: str = ""
    key: str = ""
    file: str = ""
    said: Reply | None = None
    words: Why | None = None  # where nobody replied
    earlier: bool = False  # of a night before, whose answer came since

    def row(self, *, files: bool = True) -> dict[str, str]:
        """Return it as it is shown; ``files``: with what its file and its key are called."""
        meaning = _MAYBE if self.answer is Answer.UNCONFIRMED else why(self.said)
        if self.words is not None:
            meaning = self.words
        do = _DO.get(self.answer, _AGAIN)
        return {
            "at": self.at.isoformat(timespec="seconds"),
            "answer": self.answer.value,
            "recipient": self.recipient,
            "reference": self.reference,
            "message": self.message,
            "message_id": self.message_id,
            "key": self.key if files else "",
            "file": self.file if files else "",
            "said": "" if self.said is None else str(self.said),
            "why": meaning.english,
            "do": do.english,
            "pourquoi": meaning.french,
            "que_faire": do.french,
        }


@dataclass(frozen=True, slots=True)
class Account:
    """All of a night. ``recipients`` is the sum of what follows it."""

    results: int  # handed in, whether a message came of them or not
    recipients: int
    delivered: int
    on_the_way: int  # their last answer is still to come
    another_way: int  # they have a row
    taken_back: int  # by whoever sent them
    earlier: int = 0  # rows about nights before: their answer came since

    @property
    def whole(self) -> bool:
        """Whether nobody is missing."""
        told = self.delivered + self.on_the_way + self.another_way + self.taken_back
        return self.recipients == told

    @property
    def words(self) -> Why:
        """The same in a sentence."""
        return Why(
            f"{self.results} résultats, {self.recipients} destinataires : {self.delivered} reçus,"
            f" {self.on_the_way} en route, {self.another_way} à faire parvenir autrement,"
            f" {self.taken_back} rappelés ; et {self.earlier} des nuits d'avant.",
            f"{self.results} results, {self.recipients} recipients: {self.delivered} delivered,"
            f" {self.on_the_way} on their way, {self.another_way} to go another way,"
            f" {self.taken_back} taken back; and {self.earlier} of nights before.",
        )


@dataclass(frozen=True, slots=True)
class Morning:
    """What is told in the morning."""

    since: datetime
    until: datetime
    account: Account
    left: tuple[Left, ...]

    def told(self, *, files: bool = True) -> dict[str, object]:
        """Return it for software."""
        return {
            "since": self.since.isoformat(timespec="seconds"),
            "until": self.until.isoformat(timespec="seconds"),
            "account": asdict(self.account),
            "words": self.account.words.english,
            "mots": self.account.words.french,
            "rows": [each.row(files=files) for each in self.left],
        }


def as_csv(told: dict[str, object]) -> str:
    """Return what was told as a file for a spreadsheet: its last line is the count. RFC 4180."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    rows = told["rows"]
    assert isinstance(rows, list)
    writer.writerows({name: _inert(row[name]) for name in COLUMNS} for row in rows)
    total = {"at": told["until"], "answer": "account"}
    writer.writerow({**total, "why": told["words"], "pourquoi": told["mots"]})
    return out.getvalue()


def counted(left: Iterable[Left], *, earlier: bool) -> int:
    """Return how many rows are of nights before, or of this one."""
    return sum(each.earlier is earlier for each in left)


def _inert(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: a peer, or a file, may name it."""
    return _FORMULA.sub(r"\1'", cell)
