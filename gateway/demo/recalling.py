"""Two scenes of what lies elsewhere: a message taken back with proof, a mailbox on a server of the house."""

import time
from collections.abc import Callable

from rich.console import Console

from gateway.demo.clients import client, send, words
from gateway.demo.sites import DemoError
from gateway.demo.stage import Stage

_PATIENCE = 30.0
_SUBJECT = "Bilan, patient erroné"


def taken_back(stage: Stage, screen: Console) -> None:
    """A biologist sent a result to the wrong desk: nobody has opened it, and it goes."""
    screen.rule("A message is taken back, with proof")
    sender, desk = stage.biologist, stage.desk.address
    body = words(sender, desk, _SUBJECT, "Potassium 6,1 mmol/l.")
    with client(stage, stage.labo, sender, "submission") as line:
        said = send(line, sender.address, [desk], body)
    reference = said.rpartition(" ")[2]
    _until(lambda: body in b"".join(stage.hopital.messages(desk)), "it never arrived")
    screen.print(f"  {sender.address} to {desk}: it lies there, sealed and unopened")
    screen.print(f"  $ sceau recall {reference}", markup=False)
    for row in stage.labo.sceau("recall", reference):
        screen.print(f"    {row['recipient']}: {row['said']}", markup=False)
    if body in b"".join(stage.hopital.messages(desk)):
        raise DemoError("a message that was taken back is still there")
    _until(lambda: any(map(_proves, stage.labo.messages(sender.address))), "no proof came")
    screen.print("  it is there no more, and its key is destroyed; the hospital signed that:")
    proof = next(each for each in stage.labo.messages(sender.address) if _proves(each))
    screen.print(f"    recall.p7m, in a report of {len(proof):,} octets", markup=False)


def _proves(message: bytes) -> bool:
    return b"application/pkcs7-mime" in message


def handed(stage: Stage, screen: Console) -> None:
    """The radiology department kept its own mailbox server: a result is *delivered* when that server says so."""
    screen.rule("A mailbox on a server that was there before")
    who = f"imagerie@{stage.hopital.domain}"
    stage.hopital.sceau("mailbox", "add", who, "--kind", "ORG")
    body = words(stage.biologist, who, "Créatinine", "Créatinine 71 µmol/l.")
    with client(stage, stage.labo, stage.biologist, "submission") as line:
        said = send(line, stage.biologist.address, [who], body)
    screen.print(f"  {stage.biologist.address} to {who}: {said}")
    kept = stage.kept
    _until(lambda: any(body in each for each in kept), "the house's server was not asked")
    screen.print(f"  handed over by LMTP, {sum(map(len, kept)):,} octets, and kept there")
    ours = stage.hopital.messages(who)
    screen.print(f"  in the gateway's own mailboxes: {len(ours)} of them")


def _until(there: Callable[[], bool], failed: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not there():
        if time.monotonic() > deadline:
            raise DemoError(failed)
        time.sleep(0.3)
