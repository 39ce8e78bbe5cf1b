"""People with a GnuPG home of their own, for what is encrypted for one of them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a GnuPG home of their own."""

    home: Path

    def gpg(self, *words: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--no-tty"]
        command += ["--passphrase", "", "--pinentry-mode", "loopback", *words]
        return subprocess.run(command, input=given, capture_output=True, check=False)

    @classmethod
    def make(cls, home: Path, *how: str) -> "Person":
        home.mkdir(mode=0o700, parents=True)
        made = cls(home)
        name = f"{home.name} <{home.name}@essai.example>"
        done = made.gpg(
            "--quick-generate-key", name, *(how or ("future-default", "default", "never"))
        )
        assert done.returncode == 0, done.stderr.decode()
        return made

    @property
    def public(self) -> bytes:
        return self.gpg("--armor", "--export").stdout

    def reads(self, path: Path) -> "subprocess.CompletedProcess[bytes]":
        return self.gpg("--decrypt", str(path))


@contextmanager
def ended(people: dict[str, Person]) -> Iterator[dict[str, Person]]:
    """Have GnuPG's agents end with the tests."""
    try:
        yield people
    finally:
        for person in people.values():
            command = ["gpgconf", "--homedir", str(person.home), "--kill", "all"]
            subprocess.run(command, check=True)
