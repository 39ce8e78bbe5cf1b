"""Peers that are not what they should be: the wrong certificate, broken, down, or lying."""

import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from gateway.demo.pki import Authority
from tests.interop.conftest import Pair, running_pair
from tests.interop.liar import DROP, END, Answers, Liar
from tests.interop.mail import compose, context, eventually, message_id, relay, submission
from tests.interop.postfix import free_port
from tests.interop.site import Credential, Federation, now


@dataclass(frozen=True, slots=True)
class Case:
    """How a next hop lies, what it may have heard by then, and what becomes of the message."""

    answers: Answers = field(default_factory=dict)
    state: str = "deferred"
    heard: frozenset[str] = frozenset()  # verbs that must not have been spoken


NOT_IN_CLEAR = frozenset({"MAIL", "RCPT", "DATA", END})
CASES = {
    "greets-with-garbage": Case({"CONNECT": b"\xff\xfe\x00 nonsense\r\n"}, heard=NOT_IN_CLEAR),
    "greets-with-554": Case({"CONNECT": b"554 5.3.2 No\r\n"}, heard=NOT_IN_CLEAR),
    "hangs-up-at-once": Case({"CONNECT": DROP}, heard=NOT_IN_CLEAR),
    "offers-no-tls": Case({"EHLO": b"250 menteur.example\r\n"}, heard=NOT_IN_CLEAR),
    "refuses-tls": Case({"STARTTLS": b"454 4.7.0 Not now\r\n"}, heard=NOT_IN_CLEAR),
    "speaks-before-tls-begins": Case(
        {"STARTTLS": b"220 Go ahead\r\n250 2.0.0 injected\r\n"}, heard=NOT_IN_CLEAR
    ),
    "answers-mail-with-garbage": Case({"MAIL": b"\x00\x01\x02\r\n"}, heard=frozenset({END})),
    "answers-mail-without-end": Case({"MAIL": b"2" * 300_000}, heard=frozenset({END})),
    "contradicts-itself": Case({"RCPT": b"250-yes\r\n550 no\r\n"}, heard=frozenset({END})),
    "never-ends-a-reply": Case({"EHLO": b"250-more\r\n" * 5000}, heard=NOT_IN_CLEAR),
    "hangs-up-during-data": Case({"DATA": DROP}),
    "hangs-up-after-the-dot": Case({END: DROP}),
    "answers-the-dot-with-garbage": Case({END: b"\xc3\x28\xa0 yes\r\n"}),
    "puts-it-off": Case({END: b"451 4.3.0 Later\r\n"}),
    "refuses-the-recipient": Case({"RCPT": b"550 5.1.1 Nobody\r\n"}, "failed", frozenset({END})),
    "refuses-the-content": Case({END: b"554 5.6.0 Not that\r\n"}, "failed"),
    "says-yes-and-hangs-up": Case({END: b"250 2.0.0 Ok\r\n", "RSET": DROP, "MAIL": b"250 Ok\r\n"},
        "relayed"),
    "says-yes-in-two-codes-of-text": Case({END: b"250 5.7.1 \x1b[31mOk\r\n"}, "relayed"),
}  # fmt: skip
BAD_CERTIFICATES = ("another-members", "unlisted", "expired", "of-another-authority")


def _domain(name: str) -> str:
    return f"{name}.example"


@pytest.fixture(scope="module")
def certificates(federation: Federation) -> dict[str, Credential]:
    """Certificates that a next hop must not get a message with."""
    neighbour = federation.credential("mx.voisin.example")
    federation.add("voisin.example", neighbour)
    old = now() - timedelta(days=30)
    made = {
        "expired": federation.authority.issue("mx.menteur.example", starts=old, days=10),
        "of-another-authority": Authority.make(now(), "Another").issue("mx.menteur.example"),
    }
    return {
        "another-members": neighbour,
        "unlisted": federation.credential("mx.unlisted.example"),
        **{name: Credential(one, *one.write(federation.pki, name)) for name, one in made.items()},
    }


@pytest.fixture(scope="module")
def honest(federation: Federation) -> Credential:
    return federation.credential("mx.menteur.example")


@pytest.fixture(scope="module")
def pair(
    federation: Federation, honest: Credential, certificates: dict[str, Credential]
) -> Iterator[Pair]:
    """Two gateways, and a list on which every liar is a member with a port of its own."""
    for name in (*CASES, *BAD_CERTIFICATES, "down"):
        federation.add(_domain(name), honest, free_port())
    with running_pair(federation, {"relay": {"retry": [600, 600], "reply_timeout": 5}}) as made:
        yield made


def _liar(pair: Pair, name: str, credential: Credential, answers: Answers) -> Liar:
    port = pair.federation.members[_domain(name)].hosts[0].port
    assert port is not None
    return Liar(pair.federation, credential, port, answers)


def _send(pair: Pair, domain: str) -> str:
    """Submit a message to somebody in the domain; return its Message-ID."""
    robot, to = pair.robot.address, f"dr.vrai@{domain}"
    content = compose(robot, to, f"Vers {domain}")
    with submission(pair.labo, pair.robot) as line:
        line.sendmail(robot, [to], content)
    return message_id(content)


def _delivery(pair: Pair, message: str) -> dict[str, Any]:
    found: dict[str, Any] = pair.labo.sceau("spool", "show", message)["deliveries"][0]
    return found


def _tried(delivery: dict[str, Any]) -> bool:
    return delivery["attempts"] >= 1 and delivery["state"] not in {"queued", "sending"}


@pytest.mark.parametrize("name", CASES)
def test_a_lying_next_hop_costs_nothing_but_time(pair: Pair, honest: Credential, name: str) -> None:
    """The message is kept, told of or gone, as the lie deserves, and never goes out in clear."""
    case = CASES[name]
    with _liar(pair, name, honest, case.answers).lying() as liar:
        message = _send(pair, _domain(name))
        found = eventually(lambda: _delivery(pair, message), _tried)

        assert case.state == found["state"], found
        assert set() == case.heard & set(liar.heard)
        assert 1 == found["attempts"]


@pytest.mark.parametrize("name", BAD_CERTIFICATES)
def test_a_next_hop_with_a_wrong_certificate_gets_nothing(
    pair: Pair, certificates: dict[str, Credential], name: str
) -> None:
    """DNS and the list say where, the certificate says whether: it waits, and the trace says why."""
    with _liar(pair, name, certificates[name], {}).lying() as liar:
        message = _send(pair, _domain(name))
        found = eventually(lambda: _delivery(pair, message), _tried)

        assert "deferred" == found["state"], found
        assert set() == NOT_IN_CLEAR & set(liar.heard)
    story = str(pair.labo.sceau("trace", message))
    assert "certificate" in story or "did not prove that it serves that domain" in story


def test_mail_for_a_peer_that_was_down_goes_when_it_is_up(pair: Pair, honest: Credential) -> None:
    """Nothing is lost meanwhile, and an operator can have it tried at once."""
    message = _send(pair, _domain("down"))
    down = eventually(lambda: _delivery(pair, message), _tried)
    with _liar(pair, "down", honest, {}).lying() as peer:
        pair.labo.sceau("spool", "retry", "--domain", _domain("down"))
        up = eventually(lambda: _delivery(pair, message), lambda d: d["state"] == "relayed")

    assert ("deferred", "relayed") == (down["state"], up["state"])
    assert 1 == len(peer.messages)
    assert message.encode() in peer.messages[0]


def _refused_by_tls(pair: Pair, made: ssl.SSLContext) -> bool:
    """Whether the relay ends the connection before it says a word over TLS."""
    with smtplib.SMTP("127.0.0.1", pair.hopital.ports["relay"], timeout=20) as line:
        try:
            line.starttls(context=made)
            line.ehlo()
        except (OSError, smtplib.SMTPServerDisconnected):
            line.close()
            return True
    return False


@pytest.mark.parametrize("name", ["expired", "of-another-authority"])
def test_a_peer_whose_certificate_does_not_hold_is_cut_off(
    pair: Pair, certificates: dict[str, Credential], name: str
) -> None:
    """Chain and dates are TLS's business: an alert, and the gateway goes on."""
    assert _refused_by_tls(pair, context(pair.hopital, certificates[name]))
    assert pair.hopital.sceau("mailbox", "list")


def test_a_peer_without_a_certificate_is_cut_off(pair: Pair) -> None:
    """The relay talks to nobody who does not say who he is."""
    assert _refused_by_tls(pair, context(pair.hopital))


@pytest.mark.parametrize(
    ("who", "sender"),
    [
        ("unlisted", "dr@unlisted.example"),  # a certificate of our authority, on no list
        ("another-members", "resultats@labo.example"),  # listed, but for another domain
    ],
)
def test_a_peer_speaks_only_for_its_own_domain(
    pair: Pair, certificates: dict[str, Credential], who: str, sender: str
) -> None:
    """The right authority is not enough: the certificate must be one the list names for the sender."""
    with relay(pair.hopital, certificates[who]) as line:
        replies = [line.mail(sender), line.rcpt(pair.doctor.address)]

    assert 550 in [code for code, _ in replies]
    assert 250 != replies[1][0]


def test_a_peer_may_not_write_in_anothers_name_inside_the_message(
    pair: Pair, certificates: dict[str, Credential]
) -> None:
    """MAIL FROM is its own, the header From is a neighbour's: refused at the end of DATA."""
    content = compose("resultats@labo.example", pair.doctor.address, "Usurpation")
    with relay(pair.hopital, certificates["another-members"]) as line:
        line.mail("dr.voisin@voisin.example")
        line.rcpt(pair.doctor.address)
        code, text = line.data(content)

    assert (550, True) == (code, text.startswith(b"5.7.1")), text
