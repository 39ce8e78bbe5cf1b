"""Verified bytes are made by verifiers, and there is no other way."""

import dataclasses
from pathlib import Path

import pytest

from tests.trust.simulator import signer
from trust.signatures.cms import sign
from trust.signatures.quorum import Quorum, verify
from trust.signatures.verified import Verified

ROOT = Path(__file__).parents[3]
ROOM = ROOT / "trust" / "signatures"
CONTENT = b"{}"


def test_only_verification_makes_verified_bytes() -> None:
    """Neither the class nor a copy of a good one."""
    with pytest.raises(TypeError):
        Verified(CONTENT, frozenset(), object())
    one = signer(0)
    quorum = Quorum.of([one.der], 1)
    good = verify(CONTENT, [sign(CONTENT, one.certificate, one.key)], quorum)
    with pytest.raises((TypeError, ValueError), match="witness"):  # TypeError since Python 3.13
        dataclasses.replace(good, content=b"other")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        dataclasses.replace(good, content=b"other", witness=None)


def test_only_this_room_knows_the_witness() -> None:
    """Python keeps no secrets; this keeps the one that counts."""
    packages = ("smtp", "trust", "vault", "quarantine", "imap", "gateway")
    named = {
        path
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        if "WITNESS" in path.read_text("utf-8")
    }
    assert {ROOM / f"{name}.py" for name in ("quorum", "signers", "verified")} == named
