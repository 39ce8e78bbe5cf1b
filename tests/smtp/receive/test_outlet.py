"""What a session says, and when it has said the last."""

from smtp import reply
from smtp.receive.events import Closed, TlsAsked
from smtp.receive.outlet import Outlet
from smtp.reply import Reply


def test_replies_wait_for_one_write() -> None:
    """Taken together, in order, once."""
    outlet = Outlet()
    outlet.say(reply.OK)
    outlet.list(250, ("gw.example", "SIZE 1", "DSN"))
    assert b"250 2.0.0 OK\r\n250-gw.example\r\n250-SIZE 1\r\n250 DSN\r\n" == outlet.take()
    assert b"" == outlet.take()


def test_a_list_may_have_one_line() -> None:
    """Then it is a plain reply."""
    outlet = Outlet()
    outlet.list(250, ("gw.example",))
    assert b"250 gw.example\r\n" == outlet.take()


def test_421_is_the_last_word() -> None:
    """After it nothing is said."""
    outlet = Outlet()
    outlet.say(reply.TOO_SLOW)
    outlet.say(reply.OK)
    assert (reply.TOO_SLOW.line(), True) == (outlet.take(), outlet.over)


def test_faults_add_up() -> None:
    """Twenty lines of nonsense, or three wrong passwords, are enough."""
    for said, times in (
        (reply.UNKNOWN_COMMAND, 20),
        (reply.BAD_CREDENTIALS, 3),
        (reply.LOGIN_THROTTLED, 3),
    ):
        outlet = Outlet()
        over = []
        for _ in range(times):
            outlet.say(said)
            over.append(outlet.over)
        assert [False] * (times - 1) + [True] == over
        assert outlet.take().endswith(said.line() + reply.TOO_MANY_ERRORS.line())


def test_mistyped_addresses_and_refusals_are_no_faults() -> None:
    """A message to a hundred people, all of them refused, is a message."""
    outlet = Outlet()
    for said in (reply.BAD_ADDRESS, reply.NO_SUCH_MAILBOX, reply.BAD_SEQUENCE) * 100:
        outlet.say(said)
    assert not outlet.over


def test_a_reply_of_the_intake_may_be_the_last() -> None:
    """Whoever says 421 means goodbye."""
    outlet = Outlet()
    outlet.say(Reply(421, "4.3.0", "not now"))
    assert outlet.over


def test_events_keep_their_order() -> None:
    """First told, first taken."""
    outlet = Outlet()
    outlet.tell(TlsAsked())
    outlet.tell(Closed())
    assert [TlsAsked(), Closed()] == list(outlet.events)
