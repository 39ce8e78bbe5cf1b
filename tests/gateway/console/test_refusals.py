"""Why something could not be done is said in French too, and without what only a command line can do."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console.refusals import FRENCH, told

_ROOT = Path(__file__).parents[3]
_ROOMS = [
    *(
        f"gateway/operations/{room}.py"
        for room in [
            "account",
            "citizens",
            "mailbox",
            "finding",
            "people",
            "trust",
            "trust_change",
            "trust_denial",
            "certificates",
            "quarantine",
            "ruling",
            "preview",
            "escrow",
            "operators",
            "words",
            "search",
            "story",
            "peers",
            "spool",
            "journal",
            "indicators",
        ]
    ),
    "gateway/accounts/mailboxes.py",
    "gateway/accounts/operators.py",
    "gateway/accounts/shares.py",
    "quarantine/case.py",
    "quarantine/review.py",
]
_ERRORS = {"OperationError", "AccountError", "QuarantineError"}
# Of verbs that no page has, or that a page cannot ask so.
_ELSEWHERE = {
    "a password is for something that is known",
    "not all was handed over: {}",
    "that absence ends before it begins",
    "that file holds no certificate",
    "the history of the lists is not as it was: {}",
    "the list was not put in force ({}): {}",
    "there is no message {} in {}",
    "{} cannot take it",
    "{} is {}: its content is its own person's",
    "case {} {} legal hold",  # each of the two it may be is there
}


def _sentences() -> Iterator[str]:
    """Yield what the verbs of three rooms may say, with blanks."""
    for room in _ROOMS:
        for node in ast.walk(ast.parse((_ROOT / room).read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and getattr(node.func, "id", "") in _ERRORS:
                said = node.args[0]
                if isinstance(said, ast.Constant):
                    yield str(said.value)
                elif isinstance(said, ast.JoinedStr):
                    pieces = said.values
                    yield "".join(
                        str(p.value) if isinstance(p, ast.Constant) else "{}" for p in pieces
                    )


def test_every_refusal_has_its_french() -> None:
    """What a verb says that a page has; a new sentence is missed here."""
    missing = {
        each
        for each in _sentences()
        if each not in _ELSEWHERE
        and told(each.replace("{}", "x"), "", "fr").what == each.replace("{}", "x")
    }
    assert set() == missing


@pytest.mark.parametrize(
    ("what", "hint", "french", "english"),
    [
        (
            "there is no mailbox a@b.example here",
            "see sceau mailbox list",
            ("Il n'y a pas de boîte a@b.example ici.", ""),
            ("there is no mailbox a@b.example here", ""),
        ),
        (
            "operator:anne has agreed already, and another operator must",
            "as another user of this machine: sceau trust approve ab",
            ("anne a déjà approuvé : une autre personne doit le faire aussi.", ""),
            ("anne has agreed already, and another operator must", ""),
        ),
        (
            (
                "There is already a mailbox of this address; nothing changed. See it with"
                " `sceau mailbox show`; a closed address is not given again."
            ),
            "",
            (
                (
                    "Cette adresse a déjà une boîte, et celle d'une boîte fermée n'est pas redonnée :"
                    " rien n'a changé."
                ),
                "",
            ),
            ("There is already a mailbox of this address; nothing changed.", ""),
        ),
        (
            (
                "Case 5f was already decided for one of these recipients: a decision is taken once."
                " Nothing changed."
            ),
            "",
            (
                (
                    "Le cas 5f est déjà décidé pour un de ces destinataires : on ne décide qu'une fois."
                    " Rien n'a changé."
                ),
                "",
            ),
            (
                (
                    "Case 5f was already decided for one of these recipients: a decision is taken once."
                    " Nothing changed."
                ),
                "",
            ),
        ),
        ("the sky falls", "wait", ("the sky falls", "wait"), ("the sky falls", "wait")),
    ],
)
def test_a_refusal_is_told(
    what: str, hint: str, french: tuple[str, str], english: tuple[str, str]
) -> None:
    """In the reader's language; what is not known, as it was said."""
    assert (french, english) == (told(what, hint, "fr"), told(what, hint, "en"))


def test_no_french_sentence_asks_for_a_terminal() -> None:
    """Whoever reads it sits before a browser."""
    assert [] == [each for each in FRENCH.values() if "sceau " in each or "--" in each]


@given(st.text(max_size=80), st.text(max_size=40))
def test_whatever_is_said_is_told(what: str, hint: str) -> None:
    """Blanks may hold anything, braces included."""
    for sentence in (what, f"there is no case {what}", f"{what} is not ours"):
        for language in ("fr", "en"):
            assert isinstance(told(sentence, hint, language).what, str)
