"""Reading strace's output."""

from tests.interop.strace import Call, parse

TRACE = """\
12 1700000000.100000 openat(AT_FDCWD</srv>, "/srv/data/blobs/tmp.1", O_WRONLY|O_CREAT, 0600) = 9</srv/data/blobs/tmp.1>
12 1700000000.200000 write(9</srv/data/blobs/tmp.1>, "\\1\\2\\3"..., 4096) = 4096
13 1700000000.300000 fsync(9</srv/data/blobs/tmp.1> <unfinished ...>
12 1700000000.400000 sendto(7<TCP:[127.0.0.1:465->127.0.0.1:5000]>, "\\27\\3\\3"..., 40, 0, NULL, 0) = 40
13 1700000000.500000 <... fsync resumed>) = 0
12 1700000000.600000 rename("/srv/data/blobs/tmp.1", "/srv/data/blobs/ab") = 0
12 1700000000.700000 fdatasync(8</srv/data/sceau.db-wal>) = -1 EIO (Input/output error) (INJECTED)
12 1700000000.800000 --- SIGTERM {si_signo=SIGTERM} ---
13 1700000000.900000 +++ exited with 0 +++
"""


def test_a_call_that_another_thread_interrupts_is_one_call() -> None:
    """It is done where it is resumed, whatever was done meanwhile."""
    calls = parse(TRACE)
    fsync = next(call for call in calls if call.name == "fsync")
    sent = next(call for call in calls if call.name == "sendto")

    assert (2, 4) == (fsync.begun, fsync.done)
    assert fsync.begun < sent.begun < fsync.done
    assert fsync.syncs


def test_files_sockets_and_names_are_read() -> None:
    """What a descriptor stands for, and between which names a file went."""
    calls = parse(TRACE)

    assert [
        "",
        "/srv/data/blobs/tmp.1",
        "TCP:[127.0.0.1:465->127.0.0.1:5000]",
        "/srv/data/blobs/tmp.1",
        "",
        "/srv/data/sceau.db-wal",
    ] == [call.target for call in calls]
    assert ("/srv/data/blobs/tmp.1", "/srv/data/blobs/ab") == calls[4].names


def test_a_sync_that_failed_synced_nothing() -> None:
    """EIO is no promise."""
    failed = parse(TRACE)[-1]

    assert Call("fdatasync", "/srv/data/sceau.db-wal", (), 6, 6, 1700000000.7, -1) == failed
    assert not failed.syncs
