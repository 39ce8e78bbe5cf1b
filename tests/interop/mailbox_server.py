"""A private Dovecot that holds mailboxes: Debian's, with the example of ``config/``, line by line.

Only its folders are others; what it leaves to the machine (users, ports) is in ``local.conf``, as it
says.
"""

import imaplib
import os
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Self

from tests.interop.mail import eventually
from tests.interop.postfix import free_port
from tests.interop.site import Credential

EXAMPLE = Path(__file__).parents[2] / "config/dovecot.conf"
PASSWORD = "un-mot-de-passe"

_LOCAL = """\
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
default_login_user = {login}
default_internal_user = {internal}
default_internal_group = {group}
mail_uid = {mail}
mail_gid = {mail_group}
first_valid_uid = 0
first_valid_gid = 0
service lmtp {{
  unix_listener sceau {{
    user =
  }}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service imap-login {{
  inet_listener imaps {{
    address = 127.0.0.1
    port = {imaps}
  }}
}}
service anvil {{
  chroot =
}}
{more}
"""


class MailboxServer:
    """One Dovecot in a folder of its own; a context manager that runs it."""

    def __init__(
        self, home: Path, credential: Credential, users: list[str], more: str = ""
    ) -> None:
        self.home, self.credential, self.more = home, credential, more
        self.users = users
        self.imaps, self.lmtp = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it takes mail."""
        return self.home / "run" / "sceau"

    def __enter__(self) -> Self:
        self.home.mkdir(mode=0o755)
        for folder in ("run", "state", "mail", "keys"):
            (self.home / folder).mkdir(mode=0o755)
        example = EXAMPLE.read_text()
        for there, here in (("/etc/dovecot/sceau", "keys"), ("/var/mail/sceau", "mail")):
            example = example.replace(there, str(self.home / here))
        (self.home / "dovecot.conf").write_text(example)
        self._keys()
        (self.home / "local.conf").write_text(self._local())
        shutil.chown(self.home / "mail", "nobody", "nogroup")
        with (self.home / "out").open("wb") as out:
            self._process = subprocess.Popen(
                ["/usr/sbin/dovecot", "-F", "-c", str(self.home / "dovecot.conf")],
                stdout=out,
                stderr=out,
            )
        ready = eventually(self._ready, bool, patience=15)
        if not ready:
            self.__exit__()
        assert ready, (self.home / "out").read_text() + self.log
        return self

    def _keys(self) -> None:
        """Make what lies in its folder of secrets, by the commands of the example."""
        keys = self.home / "keys"
        made = _run("openssl", "ecparam", "-name", "prime256v1", "-genkey")
        (keys / "mail.key").write_bytes(_run("openssl", "pkey", given=made))
        _run("openssl", "pkey", "-in", f"{keys}/mail.key", "-pubout", "-out", f"{keys}/mail.pub")
        hashed = _run("doveadm", "pw", "-s", "ARGON2ID", "-p", PASSWORD).decode().strip()
        (keys / "users").write_text("".join(f"{each}:{hashed}\n" for each in self.users))
        shutil.copyfile(self.credential.crt, keys / "imap.crt")
        shutil.copyfile(self.credential.key, keys / "imap.key")

    def _ready(self) -> bool:
        try:
            self.account(self.users[0]).logout()
        except OSError:
            return False
        return self.socket.exists()

    @property
    def log(self) -> str:
        """What it wrote."""
        log = self.home / "log"
        return log.read_text() if log.exists() else ""

    def __exit__(self, *exc: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(15)

    def account(self, user: str) -> imaplib.IMAP4_SSL:
        """Log in as a mail client does; while Dovecot's own log-in still starts, again."""
        for _ in range(20):
            try:
                return self._logged_in(user)
            except imaplib.IMAP4.error as error:
                if "UNAVAILABLE" not in str(error):
                    raise
        return self._logged_in(user)

    def _logged_in(self, user: str) -> imaplib.IMAP4_SSL:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        line = imaplib.IMAP4_SSL("127.0.0.1", self.imaps, ssl_context=context, timeout=15)
        try:
            line.login(user, PASSWORD)
        except imaplib.IMAP4.error:
            line.shutdown()
            raise
        return line

    def inbox(self, user: str) -> list[bytes]:
        """Return the messages in somebody's INBOX, as a mail client reads them."""
        line = self.account(user)
        line.select("INBOX", readonly=True)
        _, found = line.search(None, "ALL")
        messages = []
        for number in found[0].split():
            _, rows = line.fetch(number.decode(), "(BODY.PEEK[])")
            assert isinstance(rows[0], tuple)
            messages.append(rows[0][1])
        line.logout()
        return messages

    def on_disk(self) -> bytes:
        """Return every octet that it keeps, and every file name."""
        paths = [each for each in sorted((self.home / "mail").rglob("*")) if each.is_file()]
        assert paths, self.log
        return b"".join(str(each).encode() + b"\0" + each.read_bytes() for each in paths)

    def _local(self) -> str:
        return _LOCAL.format(
            home=self.home,
            login="dovenull",
            internal="dovecot",
            group="dovecot",
            mail="nobody",
            mail_group="nogroup",
            lmtp=self.lmtp,
            imaps=self.imaps,
            more=self.more,
        )


def _run(*command: str, given: bytes = b"") -> bytes:
    done = subprocess.run(
        command, check=True, input=given, capture_output=True, env={"PATH": os.environ["PATH"]}
    )
    return done.stdout
