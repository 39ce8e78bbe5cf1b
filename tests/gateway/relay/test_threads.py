"""Who may write to whom when one of the two is a citizen."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents import ins
from gateway.documents.coherence import Citizens
from gateway.relay.threads import (
    Objection,
    Pair,
    Rules,
    Step,
    Thread,
    Threads,
    Written,
    at_rcpt,
    mark,
    replied,
    wrote,
)
from smtp.address import parse
from smtp.message.header import Header
from tests.world.clock import START

NUMBER = "185017507500" + "1"
CITIZEN = parse(f"{NUMBER}{ins.key(NUMBER)}@patient.mssante.fr")
SHORT = parse(f"{NUMBER}@patient.mssante.fr")
DR, PHARMACY = parse("dr@labo.example"), parse("Pharmacie@labo.example")
ROBOT = parse("essai@patient.mssante.fr")
RULES = Rules(Citizens(services=frozenset({str(ROBOT)})), frozenset({"pharmacie@labo.example"}))
ONE, TWO, THREE, FOUR = (mark(f"<{n}@x.example>") for n in range(1, 5))


@pytest.mark.parametrize(
    ("sender", "recipient", "found"),
    [
        (DR, CITIZEN, Pair(DR, CITIZEN, by_citizen=False)),
        (CITIZEN, DR, Pair(DR, CITIZEN, by_citizen=True)),
        (CITIZEN, CITIZEN, Objection.AMONG_CITIZENS),
        (DR, SHORT, Objection.NO_CITIZEN),
        (DR, parse("jean.dupont@patient.mssante.fr"), Objection.NO_CITIZEN),
        (DR, ROBOT, None),
        (ROBOT, DR, None),
        (parse("Postmaster@patient.mssante.fr"), DR, None),
        (DR, PHARMACY, None),
    ],
)
def test_who_is_who(sender: str, recipient: str, found: object) -> None:
    """A citizen is who has an address in their domain; whoever is no citizen is a professional."""
    assert found == RULES.pair(parse(sender), parse(recipient))


def test_the_number_of_digits_is_a_setting() -> None:
    """Sources disagree between 15 and 13 (R-G1)."""
    short = Rules(Citizens(digits=13))
    assert Pair(DR, SHORT, by_citizen=False) == short.pair(DR, SHORT)
    assert Objection.NO_CITIZEN == short.pair(DR, CITIZEN)


def test_a_thread_ends_by_silence() -> None:
    """Each by itself, counted from the last word of either side; without a setting none does."""
    old = wrote((), Written(ONE, at=START.timestamp()))
    later = START + timedelta(days=300)
    threads = wrote(old, Written(TWO, at=later.timestamp()))
    quiet = Rules(Citizens(), silence=timedelta(days=365))
    assert threads == quiet.lasting(threads, later)
    assert threads[1:] == quiet.lasting(threads, START + timedelta(days=365))
    answered = replied(threads, Written(THREE, frozenset({ONE}), at=later.timestamp()), first=False)
    assert 2 == len(quiet.lasting(answered.threads, START + timedelta(days=365)))
    assert () == quiet.lasting(threads, later + timedelta(days=365))
    assert threads == RULES.lasting(threads, later + timedelta(days=9999))


def test_a_citizen_has_one_name() -> None:
    """With the key or without it; what bears no number is named by itself."""
    assert RULES.name(CITIZEN) == RULES.name(SHORT) == NUMBER
    assert "x@patient.mssante.fr" == RULES.name(parse("X@patient.mssante.fr"))


def test_whom_it_concerns() -> None:
    """Everybody else's mail never comes so far; what has no return path answers to nobody."""
    assert RULES.concern(DR, CITIZEN)
    assert RULES.concern(CITIZEN, DR)
    assert not RULES.concern(DR, PHARMACY)
    assert not RULES.concern(None, CITIZEN)


def test_only_a_professional_begins() -> None:
    """R-G2; a pharmacy may be written to first (R-G3)."""
    assert Objection.NOT_BEGUN == at_rcpt((), first=False)
    assert Step((), Objection.NOT_BEGUN) == replied((), Written(ONE), first=False)
    assert at_rcpt((), first=RULES.first(PHARMACY)) is None
    begun = replied((), Written(ONE), first=True)
    assert Step((Thread((ONE,), answered=True),), answer=True) == begun
    assert not RULES.first(DR)


def test_a_citizen_answers_until_it_is_closed() -> None:
    """And once more when the professional writes again (R-G2, R-G4)."""
    threads = wrote((), Written(ONE))
    step = replied(threads, Written(TWO, frozenset({ONE})), first=False)
    assert step.objection is None
    threads = wrote(step.threads, Written(THREE, frozenset({TWO}), closing=True))
    assert (Thread((ONE, TWO, THREE), closed=True, answered=True),) == threads
    assert Objection.CLOSED == at_rcpt(threads, first=False)
    refused = Step(threads, Objection.CLOSED)
    for answers in ({THREE}, {ONE}, {FOUR}, set()):
        assert refused == replied(threads, Written(FOUR, frozenset(answers)), first=False)
    threads = wrote(threads, Written(FOUR, frozenset({ONE})))
    assert at_rcpt(threads, first=False) is None
    assert replied(threads, Written(TWO, frozenset({ONE})), first=False).objection is None


def test_each_thread_is_closed_alone() -> None:
    """What names a closed thread is refused though another one is open."""
    threads = wrote(wrote((), Written(ONE)), Written(TWO, closing=True))
    assert at_rcpt(threads, first=False) is None
    named = replied(threads, Written(THREE, frozenset({TWO})), first=False)
    assert Objection.CLOSED == named.objection
    unnamed = replied(threads, Written(THREE), first=False)
    assert (Thread((TWO,), closed=True), Thread((ONE, THREE), answered=True)) == unnamed.threads


def test_a_pharmacy_that_closed_may_be_written_to_again() -> None:
    """The exception is the pharmacy's, not the thread's (R-G3)."""
    threads = wrote((), Written(ONE, closing=True))
    again = replied(threads, Written(TWO, frozenset({ONE})), first=True)
    assert (Thread((ONE, TWO), answered=True),) == again.threads


def test_the_citizen_is_answered_once_a_thread() -> None:
    """Not when it was a machine that wrote (RFC 3834 §2)."""
    threads = wrote((), Written(ONE))
    robot = replied(threads, Written(TWO, automatic=True), first=False)
    assert not robot.answer
    first = replied(robot.threads, Written(THREE), first=False)
    assert first.answer
    assert not replied(first.threads, Written(FOUR), first=False).answer


def test_what_answers_for_a_professional_opens_nothing() -> None:
    """Being away is no consent to be written to."""
    assert () == wrote((), Written(ONE, automatic=True))
    closed = wrote((), Written(ONE, closing=True))
    after = wrote(closed, Written(TWO, frozenset({ONE}), automatic=True))
    assert (Thread((ONE, TWO), closed=True),) == after


def test_what_a_header_says() -> None:
    """All it answers, that it closes, and whether somebody wrote it."""
    header = Header.parse(
        b"Subject: =?utf-8?q?R=C3=A9sultats_[fin]?=\r\nIn-Reply-To: <1@x.example> (hier\r\n"
        b"References: <2@x.example>\r\n <3@x.example>\r\nAuto-Submitted: auto-replied\r\n\r\n"
    )
    at = START.timestamp()
    told = Written(FOUR, frozenset({ONE, TWO, THREE}), closing=True, automatic=True, at=at)
    assert told == Written.of(header, " <4@x.example>", START)
    plain = Header.parse(b"X-MSS-MES: FIN\r\n\r\n")
    assert Written(FOUR, closing=True, at=at) == Written.of(plain, "<4@x.example>", START)


def test_a_header_may_name_ever_so_many() -> None:
    """The first and the newest are enough."""
    many = b" ".join(b"<%d@x.example>" % n for n in range(1000))
    found = Written.of(Header.parse(b"References: " + many + b"\r\n\r\n"), "<x@y.example>", START)
    assert 64 == len(found.answers)
    assert {mark("<0@x.example>"), mark("<999@x.example>")} <= found.answers


def test_what_is_remembered_has_an_end() -> None:
    """Thirty-two threads, sixty-four messages each, the first among them."""
    threads: Threads = ()
    for number in range(40):
        threads = wrote(threads, Written(mark(f"<{number}>")))
    assert 32 == len(threads)
    one = mark("<39>")
    for number in range(100):
        threads = wrote(threads, Written(mark(f"<{number}@y>"), frozenset({one})))
    assert 64 == len(threads[-1].messages)
    assert one == threads[-1].messages[0]


_MARKS = st.sampled_from([mark(str(n)) for n in range(6)])
_WRITTEN = st.builds(Written, _MARKS, st.frozensets(_MARKS), st.booleans(), st.booleans())
_MOVES = st.lists(st.tuples(st.booleans(), _WRITTEN))


def _played(moves: list[tuple[bool, Written]], *, first: bool) -> tuple[Threads, int, int]:
    threads: Threads = ()
    taken = answered = 0
    for by_citizen, written in moves:
        if not by_citizen:
            threads = wrote(threads, written)
            continue
        step = replied(threads, written, first=first)
        refused = step.objection is not None
        assert refused <= (step.threads == threads and not step.answer)
        if at_rcpt(threads, first=first) is not None:
            assert refused
        threads, taken, answered = step.threads, taken + (not refused), answered + step.answer
    return threads, taken, answered


@given(_MOVES)
def test_nothing_is_taken_from_a_citizen_unless_a_professional_wrote(
    moves: list[tuple[bool, Written]],
) -> None:
    """Whatever either side sends, in whatever order."""
    citizens_alone = [move for move in moves if move[0]]
    assert ((), 0, 0) == _played(citizens_alone, first=False)


@given(_MOVES, st.booleans())
def test_no_thread_is_answered_twice(moves: list[tuple[bool, Written]], first: bool) -> None:  # noqa: FBT001 - hypothesis'
    """As many answers as threads say that they had one."""
    threads, _, answered = _played(moves, first=first)
    assert answered == sum(each.answered for each in threads)


@given(_MOVES)
def test_what_refuses_changes_nothing_and_rcpt_never_contradicts(
    moves: list[tuple[bool, Written]],
) -> None:
    """A refusal at RCPT is never taken back by the header."""
    _played(moves, first=False)


@given(st.binary(max_size=200))
def test_any_header_is_read(octets: bytes) -> None:
    """Or refused before it comes here."""
    header = Header.skim(octets.replace(b"\r", b"").replace(b"\n", b" ") + b"\r\n\r\n")
    assert 16 == len(Written.of(header, "<x@y.example>", START).mark)
