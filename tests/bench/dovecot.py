"""The rival of our reading door: Debian's Dovecot, its mail encrypted by mail_crypt.

Maildir and durability are as Debian ships them; keys on the curve its documentation shows. It is
started as root, which lends the mail to nobody.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.interop.postfix import free_port

_CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{crt}
ssl_key = <{key}
mail_location = maildir:{folder}/home/%u
first_valid_uid = 0
first_valid_gid = 0
mail_max_userip_connections = 1000
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/home/%u
}}
mail_plugins = mail_crypt
plugin {{
  mail_crypt_global_private_key = <{folder}/mail.pem
  mail_crypt_global_public_key = <{folder}/mail.pub
  mail_crypt_save_version = 2
}}
service imap-login {{
  client_limit = 1000
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 1000
}}
"""
PASSWORD = "bench"


@contextmanager
def running(folder: Path, crt: Path, key: Path) -> Iterator[int]:
    """Run it in a folder; yield the port of its IMAP over TLS."""
    (folder / "home").mkdir(parents=True)
    shutil.chown(folder / "home", "nobody", "nogroup")
    for path in (folder, *folder.parents[:-1]):
        path.chmod(path.stat().st_mode | 0o055)
    curve = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"]
    private = subprocess.run(curve, check=True, capture_output=True).stdout
    (folder / "mail.pem").write_bytes(_pkey(private))
    (folder / "mail.pub").write_bytes(_pkey(private, "-pubout"))
    port = free_port()
    configuration = folder / "dovecot.conf"
    configuration.write_text(
        _CONFIGURATION.format(folder=folder, crt=crt, key=key, port=port, password=PASSWORD)
    )
    subprocess.run(["dovecot", "-c", str(configuration)], check=True)
    try:
        yield port
    finally:
        subprocess.run(["doveadm", "-c", str(configuration), "stop"], check=True)


def _pkey(private: bytes, *how: str) -> bytes:
    done = subprocess.run(["openssl", "pkey", *how], input=private, check=True, capture_output=True)
    return done.stdout
