"""A private Postfix: Debian's, with its own configuration, queue and data, on a loopback port.

Nothing of the machine's own Postfix is touched. Its master insists on being started by root.
"""

import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

MASTER = "/usr/lib/postfix/sbin/master"
_PATIENCE = 15.0
_GIVEN: set[int] = set()
_SIDE_BY_SIDE = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))  # processes of tests
_WHICH = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))  # of them we are

# What Debian's master.cf runs, without the chroot, without what no test needs.
_SERVICES = """\
pickup    unix  n  -  n  60    1  pickup
cleanup   unix  n  -  n  -     0  cleanup
qmgr      unix  n  -  n  300   1  qmgr
tlsmgr    unix  -  -  n  1000? 1  tlsmgr
rewrite   unix  -  -  n  -     -  trivial-rewrite
bounce    unix  -  -  n  -     0  bounce
defer     unix  -  -  n  -     0  bounce
trace     unix  -  -  n  -     0  bounce
verify    unix  -  -  n  -     1  verify
flush     unix  n  -  n  1000? 0  flush
proxymap  unix  -  -  n  -     -  proxymap
proxywrite unix -  -  n  -     1  proxymap
smtp      unix  -  -  n  -     -  smtp
relay     unix  -  -  n  -     -  smtp
showq     unix  n  -  n  -     -  showq
error     unix  -  -  n  -     -  error
retry     unix  -  -  n  -     -  error
discard   unix  -  -  n  -     -  discard
virtual   unix  -  n  n  -     -  virtual
lmtp      unix  -  -  n  -     -  lmtp
anvil     unix  -  -  n  -     1  anvil
scache    unix  -  -  n  -     1  scache
tlsproxy  unix  -  -  n  -     0  tlsproxy
postlog   unix-dgram n - n -   1  postlogd
"""


class PostfixError(Exception):
    """Postfix could not be started; the message has its own words."""


def free_port() -> int:
    """Return a free loopback port, each once, for those who cannot be given port 0.

    Below those that the system gives to connections: one of these may be taken again by the time
    its listener starts, or starts anew. Tests in several processes have ports of their own.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000) // _SIDE_BY_SIDE * _SIDE_BY_SIDE + _WHICH
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _GIVEN:
                _GIVEN.add(port)
                return port


class Postfix:
    """One instance in a folder of its own; ``settings`` is the main.cf it is meant to run.

    ``${config_directory}`` in the settings is the folder where ``files`` were put.
    """

    def __init__(
        self,
        folder: Path,
        settings: str,
        *,
        files: Mapping[str, bytes | str] | None = None,
        listener: str = "",
        log: bool = True,
        port: int = 0,
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.log = folder / "mail.log"
        self._listener = listener
        self._settings = settings
        self._files = dict(files or {})
        self._logging = log
        self.pid = 0

    @property
    def config(self) -> Path:
        """The configuration directory."""
        return self.folder / "etc"

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise PostfixError("Postfix's master must be started by root; run this as root")
        self._lay_out()
        self._run("postfix", "-c", str(self.config), "check")
        self._run(MASTER, "-c", str(self.config), "-w")
        pid_file = self.folder / "queue" / "pid" / "master.pid"
        self.pid = int(pid_file.read_text("ascii"))
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the master, which ends its children, and wait for it to be gone."""
        pid, self.pid = self.pid, 0
        if not pid:
            return
        watch = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(watch, signal.SIGTERM)
            if not select.select([watch], [], [], _PATIENCE)[0]:
                signal.pidfd_send_signal(watch, signal.SIGKILL)
        finally:
            os.close(watch)

    def command(self, *words: str, text: str = "") -> str:
        """Run one of Postfix's commands (``postqueue -p`` ...) on this instance."""
        name, *rest = words
        return self._run(name, "-c", str(self.config), *rest, text=text)

    def sendmail(self, sender: str, recipient: str, content: bytes, *options: str) -> None:
        """Hand a message to this instance as a local program would."""
        text = content.decode("utf-8").replace("\r\n", "\n")
        words = ["-C", str(self.config), "-i", "-f", sender, *options, recipient]
        self._run("/usr/sbin/sendmail", *words, text=text)

    def _lay_out(self) -> None:
        for part in ("etc", "queue", "data"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        # Its daemons give up root: every folder above must let them through.
        for folder in (self.folder, *(self.folder / p for p in ("etc", "queue", "data"))):
            folder.chmod(0o755)
        shutil.chown(self.folder / "data", "postfix")
        for name, content in self._files.items():
            target = self.config / name
            target.write_bytes(content.encode() if isinstance(content, str) else content)
            target.chmod(0o600)
        (self.config / "main.cf").write_text(f"{self._own()}\n{self._settings}", "utf-8")
        door = f"127.0.0.1:{self.port} inet n - n - - smtpd {self._listener}\n"
        (self.config / "master.cf").write_text(door + _SERVICES, "utf-8")

    def _own(self) -> str:
        logging = f"maillog_file = {self.log}\nmaillog_file_prefixes = {self.folder}\n"
        return (
            "compatibility_level = 3.6\n"
            f"queue_directory = {self.folder}/queue\ndata_directory = {self.folder}/data\n"
            "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n"
            "alias_maps =\nalias_database =\nlocal_recipient_maps =\n"
            f"{logging if self._logging else ''}"
        )

    def _run(self, *command: str, text: str = "") -> str:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            log = self.log.read_text("utf-8") if self.log.exists() else ""
            raise PostfixError(f"{command[0]}: {done.stderr or done.stdout}{log}")
        return done.stdout
