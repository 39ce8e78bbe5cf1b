"""A private Dovecot: Debian's IMAP server for one user, over a pipe, with its own mail folder.

Nothing of the machine's own Dovecot is touched. It refuses to be root, so root lends it another
user's name.
"""

import imaplib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

IMAP = "/usr/lib/dovecot/imap"
Node: TypeAlias = "bytes | list[Node] | None"

_CONFIGURATION = """\
mail_location = maildir:{home}/Maildir
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
ssl = no
first_valid_uid = 0
first_valid_gid = 0
mail_uid = {user}
mail_gid = {group}
"""
_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r\n|[()]|[^\s()"{]+', re.DOTALL)


def preauthenticated(home: Path) -> imaplib.IMAP4_stream:
    """Start it in a folder and return a connection that is logged in."""
    user, group = ("nobody", "nogroup") if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    home.mkdir(mode=0o755)
    if os.geteuid() == 0:
        import shutil

        shutil.chown(home, "nobody")
    configuration = home.parent / "dovecot.conf"
    configuration.write_text(_CONFIGURATION.format(home=home, user=user, group=group))
    command = f"USER=interop HOME={home} {IMAP} -c {configuration} 2>{home.parent}/dovecot.err"
    return imaplib.IMAP4_stream(command)


def told(connection: imaplib.IMAP4_stream, items: str) -> Iterator[dict[bytes, Node]]:
    """Fetch items of every message; yield each message's, by name."""
    kind, rows = connection.fetch("1:*", items)
    assert "OK" == kind, rows
    whole = b""
    for row in rows:
        # imaplib takes a literal for a value of its own; here it is part of the text.
        assert row is not None
        whole += row if isinstance(row, bytes) else row[0] + b"\r\n" + row[1]
        if isinstance(row, bytes) and whole.count(b"(") and row.endswith(b")"):
            nodes = parsed(whole[whole.index(b"(") :])
            assert isinstance(nodes, list)
            yield {
                bytes(name): value
                for name, value in zip(nodes[::2], nodes[1::2], strict=True)
                if isinstance(name, bytes)
            }
            whole = b""


def parsed(text: bytes) -> Node:
    """Read one value as IMAP writes it: a list, a string, a number, NIL."""
    stack: list[list[Node]] = [[]]
    at = 0
    while match := _TOKEN.search(text, at):
        at = match.end()
        if match[0] == b"(":
            stack.append([])
        elif match[0] == b")":
            done = stack.pop()
            stack[-1].append(done)
        elif match[2] is not None:
            stack[-1].append(text[at : at + int(match[2])])
            at += int(match[2])
        elif match[1] is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", match[1]))
        else:
            stack[-1].append(None if match[0] == b"NIL" else match[0])
    (value,) = stack[0]
    return value
