"""IMAPClient's own live tests, as it ships them, against a gateway: with UIDs and with numbers."""

import re
import subprocess
import sys
from pathlib import Path

from tests.interop.conftest import Pair

_INI = """\
[DEFAULT]
host = 127.0.0.1
port = {port}
username = {user.address}
password = {user.password}
ssl = true
ssl_check_hostname = false
ssl_ca_file = {anchors}
timeout = 30
"""


# What does not pass, and why: nothing else may join them.
_OTHERWISE = {
    "test_getacl": "broken in itself: it takes its configuration for a mapping",
    "test_fetch": "broken in itself: it takes an envelope, no sequence any more, for one",
    "test_move": "broken in itself, without UIDs: imaplib knows no MOVE",
    "test_small_connection_timeout_fail": "it needs a network slower than loopback",
    "test_small_read_timeout_fail": "it needs a network slower than loopback",
}


def test_all_of_them(pair: Pair, tmp_path: Path) -> None:
    """Folders, flags, searches, literals, idling: all but those whose reason is above."""
    ini = tmp_path / "live.ini"
    port, anchors = pair.hopital.ports["imap"], pair.federation.anchors
    ini.write_text(_INI.format(port=port, user=pair.doctor, anchors=anchors))
    done = subprocess.run(
        [sys.executable, "-m", "imapclient.livetest", str(ini)],
        capture_output=True,
        check=False,
        text=True,
        timeout=90,
    )
    failed = set(re.findall(r"^(?:ERROR|FAIL): (\w+)", done.stderr, re.MULTILINE))
    ran = re.search(r"^Ran (\d+) tests", done.stderr, re.MULTILINE)

    assert set() == failed - _OTHERWISE.keys(), done.stderr[-4000:]
    assert ran is not None, done.stderr[-4000:]
    assert int(ran[1]) >= 59
