"""Submission as swaks does it: both kinds of TLS, both log-ins, every refusal a person can meet."""

import smtplib
import subprocess
from pathlib import Path

import pytest

from tests.interop.conftest import Pair
from tests.interop.mail import arrived, compose, context, eventually

OK, BAD_TRANSACTION, REFUSED_RECIPIENT, REFUSED_LOGIN = 0, 23, 24, 28

IMPLICIT = ("submission", "--tls-on-connect")
STARTTLS = ("submission_starttls", "--tls")


def swaks(pair: Pair, door: str, *options: str) -> tuple[int, str]:
    """Run swaks against a door of the laboratory; return its exit code and the dialogue."""
    words = ["--server", "127.0.0.1", "--port", str(pair.labo.ports[door]), "--helo", "pc.example"]
    trust = ["--tls-verify", "--tls-ca-path", str(pair.federation.anchors)]
    done = subprocess.run(
        ["swaks", *words, *trust, *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def who(pair: Pair, kind: str = "PLAIN", password: str | None = None) -> tuple[str, ...]:
    """Return the options that log the laboratory's robot in and name it as the sender."""
    robot = pair.robot
    login = ("--auth", kind, "--auth-user", robot.address)
    return (*login, "--auth-password", password or robot.password, "--from", robot.address)


@pytest.mark.parametrize("door", [IMPLICIT, STARTTLS])
@pytest.mark.parametrize("kind", ["PLAIN", "LOGIN"])
def test_a_message_is_submitted_and_arrives_unchanged(
    pair: Pair, tmp_path: Path, door: tuple[str, str], kind: str
) -> None:
    """Both ports of DST and RFC 8314, both ways of sending a password."""
    robot, doctor = pair.robot.address, pair.doctor.address
    sent = compose(robot, doctor, f"swaks {door[0]} {kind}", "Bonjour.\r\n.\r\n..fin\r\n")
    (tmp_path / "message").write_bytes(sent)
    code, said = swaks(
        pair, *door, *who(pair, kind), "--to", doctor, "--data", f"@{tmp_path / 'message'}"
    )

    assert (OK, True) == (code, "250 2.0.0" in said), said
    wanted = sent.rstrip()
    assert wanted in eventually(
        lambda: [m.rstrip() for m in arrived(pair.hopital, doctor)], lambda seen: wanted in seen
    )


def test_a_certificate_alone_logs_in(pair: Pair) -> None:
    """Software with a certificate needs no password (swaks knows no SASL EXTERNAL, smtplib does)."""
    robot, port = pair.robot, pair.labo.ports["submission_certificate"]
    shown = context(pair.labo, robot.credential)
    with smtplib.SMTP_SSL("127.0.0.1", port, timeout=30, context=shown) as line:
        line.ehlo()
        said = line.auth("EXTERNAL", lambda challenge=None: robot.address)
        content = compose(robot.address, pair.doctor.address, "Par certificat")
        refused = line.sendmail(robot.address, [pair.doctor.address], content)

    assert ((235, {}), True) == ((said[0], refused), said[1].startswith(b"2.7.0"))


@pytest.mark.parametrize("door", [IMPLICIT, STARTTLS])
def test_nobody_sends_without_logging_in(pair: Pair, door: tuple[str, str]) -> None:
    """MAIL before AUTH is refused in words."""
    code, said = swaks(pair, *door, "--from", pair.robot.address, "--to", pair.doctor.address)

    assert (BAD_TRANSACTION, True) == (code, "530 5.7.0" in said), said


def test_a_log_in_in_clear_is_not_even_offered(pair: Pair) -> None:
    """Before STARTTLS there is no AUTH to speak a password to."""
    code, said = swaks(pair, "submission_starttls", *who(pair), "--to", pair.doctor.address)

    assert REFUSED_LOGIN == code, said
    assert pair.robot.password not in said


def test_a_wrong_password_is_refused(pair: Pair) -> None:
    """535, and not a word about which half was wrong."""
    code, said = swaks(
        pair, *IMPLICIT, *who(pair, password="wrong-wrong-wrong"), "--to", pair.doctor.address
    )

    assert (REFUSED_LOGIN, True) == (code, "535 5.7.8" in said), said


def test_an_outsider_is_refused_at_rcpt(pair: Pair) -> None:
    """Before any content is sent, in words the sender can act on."""
    code, said = swaks(pair, *IMPLICIT, *who(pair), "--to", "patient@fournisseur.example")

    assert (REFUSED_RECIPIENT, True) == (code, "550 5.7.1" in said), said
    assert "trust list" in said
    assert "<~  354" not in said


def test_one_may_write_only_as_oneself(pair: Pair) -> None:
    """The mailbox that logged in, MAIL FROM and the header From are one."""
    other = f"dr.autre@{pair.labo.domain}"
    envelope = swaks(pair, *IMPLICIT, *who(pair)[:-1], other, "--to", pair.doctor.address)
    header = swaks(
        pair, *IMPLICIT, *who(pair), "--to", pair.doctor.address, "--h-From", f"<{other}>"
    )

    assert (BAD_TRANSACTION, True) == (envelope[0], "550 5.7.1" in envelope[1]), envelope[1]
    assert "550 5.7.1" in header[1], header[1]
    assert OK != header[0]


def test_what_swaks_pipelines_is_answered_in_order(pair: Pair) -> None:
    """Two recipients, one of them refused, in one write: each gets its own reply (RFC 2920)."""
    to = f"{pair.doctor.address},patient@fournisseur.example"
    code, said = swaks(pair, *IMPLICIT, *who(pair), "--to", to, "--pipeline")

    assert OK == code, said
    assert said.index("250 2.1.5") < said.index("550 5.7.1") < said.index("<~  354")
