"""What the demonstration shows, scene by scene, and what it counts at the end.

The counts come from the far mailboxes, by comparing what arrived with what was sent, and from the
broker; never from a gateway's own counters.
"""

import email
import json
import threading
import time
from email.policy import SMTP
from hashlib import sha256
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table

from gateway.demo import documents
from gateway.demo.clients import client, listening, send, words
from gateway.demo.crossing import crossed
from gateway.demo.desks import welcome
from gateway.demo.disguises import disguised
from gateway.demo.ending import ending_on_terminate
from gateway.demo.filing import filed
from gateway.demo.lending import lent
from gateway.demo.looking import look_up, mended
from gateway.demo.night import evening, morning
from gateway.demo.owning import own
from gateway.demo.patients import corresponded
from gateway.demo.reading import opened
from gateway.demo.recalling import handed, taken_back
from gateway.demo.sending import handed_in
from gateway.demo.sites import DemoError, Site
from gateway.demo.stage import Stage, now, staged
from gateway.demo.tally import Tally
from gateway.demo.trusting import denial, moved, relayed
from smtp.address import Address

_PATIENCE = 60.0  # seconds to wait for what must arrive


def run(
    *, once: bool, as_json: bool, folder: Path | None, port_base: int | None, day: bool = False
) -> int:
    """Tell the story; return the exit code. Without ``once`` it stays up until Ctrl-C or SIGTERM.

    Everything lies in ``folder``; by default in ``demo``, or with ``once`` in a temporary folder. With
    ``day`` both gateways have a day of traffic behind them when it begins.
    """
    screen = Console(stderr=as_json, soft_wrap=True)  # a reference is never broken
    if folder is None and not once:
        folder = Path("demo")
    tally = Tally()
    try:
        with ending_on_terminate(), staged(folder, port_base, screen, day=day) as stage:
            with listening(stage.description["mqtt"], tally.receipts):
                tell(stage, tally, screen)
            report = tally.report()
            if as_json:
                print(json.dumps(report), flush=True)  # noqa: T201 - the promised line on stdout
            if not once:
                stay(stage, screen)
    except DemoError as error:
        Console(stderr=True).print(f"[red]The demonstration stopped:[/] {error}")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0 if report["ok"] else 1


def tell(stage: Stage, tally: Tally, screen: Console) -> None:
    """Play all scenes."""
    began = now()
    night = evening(stage, screen)
    results(stage, tally, screen)
    answer(stage, tally, screen)
    outsider(stage, tally, screen)
    look_up(stage, screen)
    tally.refused.append(mended(stage, screen))
    tally.refused.append(lent(stage, screen))
    crossed(stage, tally, screen)
    suspended(stage, tally, screen)
    disguised(stage, tally, screen)
    denial(stage, tally, screen)
    moved(stage, tally, screen)
    arrivals(tally, screen)
    opened(stage, screen)
    corresponded(stage, screen)
    taken_back(stage, screen)
    handed(stage, screen)
    handed_in(stage, screen)
    filed(stage, screen)
    own(stage, screen)
    tally.night = morning(night, began, screen)
    at_rest(stage, screen)
    one_story(stage, tally, screen)


def results(stage: Stage, tally: Tally, screen: Console) -> None:
    """The laboratory's software sends results, logged in by its certificate."""
    screen.rule("The laboratory sends its results")
    robot, doctor, desk = stage.robot, stage.doctor, stage.desk
    with client(stage, stage.labo, robot, "submission_certificate") as line:
        for number in range(1, 7):
            to = (doctor, desk) if number % 3 == 1 else (doctor,)
            found = documents.result(number - 1, now())
            body = documents.message(
                found, Address(robot.address), tuple(Address(user.address) for user in to)
            )
            said = send(line, robot.address, [user.address for user in to], body)
            screen.print(f"  result {number} ({found.title}), {len(body):,} octets: {said}")
            for user in to:
                tally.sent[f"result {number}:{user.address}"] = (stage.hopital, user.address, body)
        for path in stage.examples:
            body = documents.enclose(
                path.read_bytes(),
                path.name,
                now(),
                Address(robot.address),
                Address(doctor.address),
            )
            said = send(line, robot.address, [doctor.address], body)
            screen.print(f"  {path.name}, {len(body):,} octets: {said}")
            tally.sent[path.name] = (stage.hopital, doctor.address, body)


def answer(stage: Stage, tally: Tally, screen: Console) -> None:
    """A hospital doctor answers from an ordinary mail client, with a password."""
    screen.rule("The hospital answers")
    body = words(stage.doctor, stage.biologist.address, "Re: Ionogramme", "Merci, patient revu.")
    with client(stage, stage.hopital, stage.doctor, "submission_starttls") as line:
        said = send(line, stage.doctor.address, [stage.biologist.address], body)
    screen.print(f"  {stage.doctor.address} to {stage.biologist.address}: {said}")
    tally.sent["answer"] = (stage.labo, stage.biologist.address, body)


def outsider(stage: Stage, tally: Tally, screen: Console) -> None:
    """A message to two people, one of whom is on no list: refused by name, delivered to the other."""
    screen.rule("An outsider is refused, in words")
    biologist, outside = stage.biologist, stage.outsiders[0]
    to = [outside, stage.doctor.address]
    body = words(biologist, ", ".join(to), "Avis", "Pouvez-vous me donner votre avis ?")
    with client(stage, stage.labo, biologist, "submission") as line:
        line.mail(biologist.address)
        for address in to:
            code, text = line.rcpt(address)
            screen.print(f"  RCPT {address}: {code} {text.decode()}")
            if code == 550:
                tally.refused.append(address)
        code, text = line.data(body)
        screen.print(f"  {code} {text.decode()}")
    tally.sent["outsider"] = (stage.hopital, stage.doctor.address, body)
    notice = stage.labo.messages(biologist.address)[-1]
    screen.print(f"  and in {biologist.address}'s own mailbox, a notice:")
    for words_of_it in plain_words(notice):
        screen.print(f"    {words_of_it}", markup=False, highlight=False)


def plain_words(message: bytes, most: int = 12) -> list[str]:
    """Return the first lines of a message's text, as a mail client shows them."""
    body = email.message_from_bytes(message, policy=SMTP).get_body(("plain",))
    text = body.get_content() if body else ""
    return [line for line in text.splitlines() if line.strip()][:most]


def suspended(stage: Stage, tally: Tally, screen: Console) -> None:
    """A suspended member writes: a person at the hospital must look at it first."""
    screen.rule("A suspended member's message waits for a person")
    before = {case["id"] for case in stage.hopital.sceau("quarantine", "list")}
    with relayed(stage, stage.suspended.cert, stage.suspended.key) as line:
        body = words(stage.suspended, stage.desk.address, "Transfert", "Dossier en attente.")
        said = send(line, stage.suspended.address, [stage.desk.address], body)
    waiting = stage.hopital.sceau("quarantine", "list")
    cases = [case for case in waiting if case["id"] not in before]
    tally.held += len(cases)
    screen.print(f"  {stage.suspended.address} to {stage.desk.address}: {said}")
    screen.print(f"  held for: {', '.join(why for case in cases for why in case['reasons'])}")
    for case in cases:
        reviewed(stage, case["id"], screen)


def reviewed(stage: Stage, case: str, screen: Console) -> None:
    """A reviewer looks into the message, says why, and leaves a word for the next one."""
    why = "le bureau des entrées attend ce dossier"
    seen = stage.hopital.sceau("quarantine", "preview", case, "--reason", why)
    screen.print(f"  a reviewer looks ({why}), and the journal has it:")
    for text in seen["texts"]:
        screen.print(f"    {text['text'].strip()}", markup=False, highlight=False)
    for part in seen["parts"]:
        octets = f"{part['octets']} octets, SHA-256 {(part['sha256'] or '')[:16]}"
        screen.print(f"    {part['type']}: {octets}", markup=False, highlight=False)
    stage.hopital.sceau(
        "quarantine", "note", case, "Rappelé : l'expéditeur est bien celui qu'il dit."
    )


def arrivals(tally: Tally, screen: Console) -> None:
    """Look into the far mailboxes until all is there, and every receipt has come."""
    screen.rule("What arrived")
    deadline = time.monotonic() + _PATIENCE
    with Progress(console=screen, transient=True) as progress:
        bar = progress.add_task("in the mailboxes", total=len(tally.sent))
        while time.monotonic() < deadline:
            tally.delivered = sum(arrived(sent) for sent in by_mailbox(tally).items())
            progress.update(bar, completed=tally.delivered)
            if tally.delivered == len(tally.sent) <= tally.kinds()["delivered"]:
                break
            time.sleep(0.5)
    heads = ("message", "arrived in", "octets", "SHA-256 of what was sent")
    table = Table(*(Column(head, overflow="fold") for head in heads))
    table.columns[1].no_wrap = True  # an address is there to be copied
    for name, (_, address, body) in tally.sent.items():
        title = name.partition(":")[0]
        table.add_row(title, address, f"{len(body):,}", sha256(body).hexdigest()[:16])
    screen.print(table, soft_wrap=False)
    screen.print(f"  identical in the far mailboxes: {tally.delivered} of {len(tally.sent)}")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.kinds().items()))
    screen.print(f"  receipts heard from the broker: {kinds}")


def by_mailbox(tally: Tally) -> dict[tuple[str, str], tuple[Site, list[bytes]]]:
    """Group what was sent by the mailbox it should be in."""
    grouped: dict[tuple[str, str], tuple[Site, list[bytes]]] = {}
    for site, address, body in tally.sent.values():
        grouped.setdefault((site.name, address), (site, []))[1].append(body)
    return grouped


def arrived(sent: tuple[tuple[str, str], tuple[Site, list[bytes]]]) -> int:
    """Count the messages that lie in the mailbox unchanged, below the trace that we put on top."""
    (_, address), (site, bodies) = sent
    there = [sha256(_untraced(message)).digest() for message in site.messages(address)]
    return sum(sha256(body).digest() in there for body in bodies)


def _untraced(message: bytes) -> bytes:
    """Take off what each gateway put above the message: its trace, and the return path."""
    while message.startswith((b"Received:", b"Return-Path:")):
        end = message.index(b"\r\n")
        while message[end + 2 : end + 3] in {b" ", b"\t"}:
            end = message.index(b"\r\n", end + 2)
        message = message[end + 2 :]
    return message


def at_rest(stage: Stage, screen: Console) -> None:
    """Show what lies on the hospital's disk, and look for a patient in it."""
    screen.rule("What lies on the hospital's disk")
    files = {path: path.read_bytes() for path in stage.hopital.data.rglob("*") if path.is_file()}
    largest = max(files, key=lambda path: len(files[path]))
    where, block = densest(files[largest])
    screen.print(f"  {largest.relative_to(stage.hopital.data)}, from octet {where:,}:")
    for start in range(0, len(block), 32):
        row = block[start : start + 32]
        seen = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        screen.print(f"  {row.hex(' ', 4)}  {seen}", markup=False, highlight=False)
    patient = documents.PATIENTS[0]
    for secret in (patient.name, patient.ins, "dr.durand"):
        found = sum(content.count(secret.encode()) for content in files.values())
        total = sum(map(len, files.values()))
        screen.print(f"  '{secret}' in {total:,} octets at rest: found {found} times")
        if found:
            raise DemoError(f"'{secret}' lies in clear on disk")


def densest(content: bytes) -> tuple[int, bytes]:
    """Return where the 96 octets with the fewest zeros lie, looking once every 512."""
    where = min(range(0, len(content), 512), key=lambda at: content[at : at + 96].count(0))
    return where, content[where : where + 96]


def one_story(stage: Stage, tally: Tally, screen: Console) -> None:
    """The answer to 'where is that message?'."""
    screen.rule("Where is that message?")
    subjects = [r["subject"] for r in tally.receipts if str(r["type"]).endswith(".accepted")]
    screen.print(f"  $ sceau trace '{subjects[0]}'", markup=False)
    for line in stage.labo.sceau("trace", subjects[0]):
        screen.print(f"  {line['at']}  {line['event']:<24} {line.get('summary', '')}", markup=False)


def stay(stage: Stage, screen: Console) -> None:
    """Keep everything running until Ctrl-C."""
    screen.rule("The gateways stay up")
    for site in (stage.labo, stage.hopital, stage.nuit):
        screen.print(f"  {site.title}'s console, yours once: {welcome(site)}", markup=False)
    screen.print(f"  connect with what {stage.folder / 'demo.json'} says; Ctrl-C ends it")
    threading.Event().wait()
