"""A gateway under an operator's hands: started twice, out of disk, out of descriptors, told to stop."""

import shutil
import smtplib
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.interop.conftest import QUICK
from tests.interop.mail import arrived, compose, context, eventually, submission
from tests.interop.site import COMMAND, Federation, Site, User

DESCRIPTORS = 80


@pytest.fixture(scope="module")
def site(federation: Federation) -> Site:
    """One gateway on its own, not running."""
    made = Site(federation, "labo", "labo.example", QUICK)
    made.found(federation.publish())
    return made


@pytest.fixture(scope="module")
def robot(site: Site) -> User:
    return site.user("resultats", "APP")


@pytest.fixture
def running(site: Site) -> Iterator[Site]:
    with site:
        yield site


def _send(site: Site, robot: User, subject: str) -> bytes:
    content = compose(robot.address, robot.address, subject)
    with submission(site, robot) as line:
        line.sendmail(robot.address, [robot.address], content)
    return content


def test_a_second_gateway_on_the_same_data_is_refused(running: Site, robot: User) -> None:
    """It says who is there, does nothing, and the first goes on."""
    second = subprocess.run(
        [*COMMAND, "serve", "--config", str(running.config)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (1, True) == (second.returncode, "sceau serve" in second.stderr), second.stderr
    assert "Traceback" not in second.stderr
    assert _send(running, robot, "Toujours la")


def test_told_to_stop_it_says_goodbye_and_ends_well(running: Site, robot: User) -> None:
    """An idle session hears 421 instead of silence, and the exit code is 0."""
    with submission(running, robot) as line:
        code = running.stop()
        said = line.getreply()
        line.close()

    assert (0, 421) == (code, said[0])


def test_what_was_taken_just_before_the_stop_is_there_after_it(site: Site, robot: User) -> None:
    """A stop loses nothing that had its 250."""
    with site:
        sent = _send(site, robot, "Juste avant l'arret")
    with site:
        found = eventually(lambda: arrived(site, robot.address), lambda seen: sent in seen)

    assert 1 == found.count(sent)


def test_short_of_disk_it_puts_senders_off(federation: Federation) -> None:
    """Below the reserve new mail gets 452; a list, which may revoke, is still taken in."""
    reserve = shutil.disk_usage(federation.folder).free * 3 // 2
    site = Site(federation, "plein", "plein.example", {"vault": {"reserve": reserve}})
    site.found(federation.publish())
    robot = site.user("resultats")
    with site, pytest.raises(smtplib.SMTPResponseException) as refused:
        _send(site, robot, "Disque plein")

    assert 452 == refused.value.smtp_code
    assert "4.3.1" in str(refused.value.smtp_error)


def test_out_of_descriptors_it_waits_and_goes_on(site: Site, robot: User) -> None:
    """More connections than the system allows it: when they are gone, it serves again."""
    site.wrapper = ("prlimit", f"--nofile={DESCRIPTORS}")
    with site, ExitStack() as crowd:
        for _ in range(DESCRIPTORS + 40):
            door = "127.0.0.1", site.ports["submission_starttls"]
            crowd.enter_context(socket.create_connection(door, timeout=10))
        crowd.close()
        sent = _send(site, robot, "Apres la foule")
        found = eventually(lambda: arrived(site, robot.address), lambda seen: sent in seen)
    site.wrapper = ()

    assert sent in found


def test_a_session_that_says_nothing_costs_the_others_nothing(running: Site, robot: User) -> None:
    """Half-open handshakes and silent sessions stay where they are; mail goes on beside them."""
    with ExitStack() as silent:
        for door in ("submission", "submission_starttls", "relay"):
            for _ in range(30):
                place = "127.0.0.1", running.ports[door]
                silent.enter_context(socket.create_connection(place, timeout=10))
        sent = _send(running, robot, "A cote des muets")
        found = eventually(lambda: arrived(running, robot.address), lambda seen: sent in seen)

    assert sent in found


def test_a_client_that_talks_nonsense_gets_a_reply(running: Site) -> None:
    """Octets that are no SMTP and no TLS end that connection, and no other."""
    for door in running.ports:
        with socket.create_connection(("127.0.0.1", running.ports[door]), timeout=10) as line:
            line.sendall(b"\x16\x03\x01\xff\xff" + b"\x00\xff" * 5000 + b"\r\n")
            line.shutdown(socket.SHUT_WR)
            while line.recv(4096):
                pass
    with smtplib.SMTP_SSL(
        "127.0.0.1", running.ports["submission"], timeout=30, context=context(running)
    ) as other:
        assert 250 == other.noop()[0]
