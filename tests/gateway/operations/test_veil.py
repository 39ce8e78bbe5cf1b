"""Citizens' addresses are hidden wherever they stand; everybody else's are left alone."""

from time import process_time

import pytest

from gateway.operations.veil import veiled


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("279033512151834@patient.mssante.fr", "•••@patient.mssante.fr"),
        ("2790335121518@labo.example", "•••@labo.example"),
        ("2A90335121518@labo.example", "2A90335121518@labo.example"),
        ("179032A12151834@chu.example", "•••@chu.example"),
        ("nathalie.desmaux@patient.essai.example", "•••@patient.essai.example"),
        (
            "550 <279033512151834@chu.example> is unknown; dr@chu.example is not",
            "550 <•••@chu.example> is unknown; dr@chu.example is not",
        ),
        ("dr.durand@chu.example", "dr.durand@chu.example"),
        ("no key: 279033512151834 here", "no key: 279033512151834 here"),
        ("courrier de 279033512151805.", "courrier de •••."),
        ("(279033512151805)", "(•••)"),
        ("resultat-279033512151805", "resultat-279033512151805"),
        ("279033512151805 and dr@chu.example", "••• and dr@chu.example"),
    ],
)
def test_by_shape_and_by_domain(told: str, shown: str) -> None:
    """The number itself, or a domain for patients, in any sentence."""
    assert shown == veiled(told)


def test_in_everything_that_is_told() -> None:
    """However deep it lies."""
    told = {"who": "x@patients.example", "n": 3, "all": [("y@patient.example", None)]}

    assert {
        "who": "•••@patients.example",
        "n": 3,
        "all": [["•••@patient.example", None]],
    } == veiled(told)


def test_in_the_domain_that_the_house_names() -> None:
    """Whatever its name is, and however it is written."""
    told = "<anne.martin@USAGERS.example> to dr@usagers.example.org"

    assert "<•••@USAGERS.example> to dr@usagers.example.org" == veiled(told, "usagers.example")


def test_what_somebody_sends_is_looked_at_once() -> None:
    """A long run of letters costs no more than its length."""
    hostile = "1" * 200_000 + " " + "a" * 200_000 + "@x"

    began = process_time()
    assert hostile == veiled(hostile, "usagers.example")
    assert process_time() - began < 1
