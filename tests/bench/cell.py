"""One cell of the table: one system, one size of message, once."""

import subprocess
import sys
from pathlib import Path

import msgspec

from tests.bench import generator, processes
from tests.bench.rounds import Measure, percentile
from tests.bench.systems import Next, System

DRAIN = 120.0  # seconds for what was accepted to arrive


class CellError(Exception):
    """What was accepted did not arrive, or nothing was: such a figure would be no figure."""


def load(spec: generator.Spec) -> generator.Sent:
    """Run the generator to its end."""
    words = [sys.executable, "-m", "tests.bench.generator", msgspec.json.encode(spec).decode()]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=generator.Sent)


def measure(system: System, spec: generator.Spec, sink: Next | None) -> Measure:
    """Load the system, wait until all has arrived at the sink (if one is given), and account."""
    if sink is not None:
        sink.reset()
    before = processes.cpu(system.pid)
    sent = load(spec)
    if not sent.accepted:
        raise CellError(f"{system.name} accepted nothing: {sent.said}")
    last, harness = sent.last, sent.cpu
    if sink is not None:
        tally = sink.wait(sent.accepted, DRAIN)
        if tally.messages < sent.accepted:
            raise CellError(
                f"{system.name}: of {sent.accepted} messages of {spec.size} octets"
                f" {tally.messages} arrived in {DRAIN:.0f} s"
            )
        last, harness = tally.last, harness + tally.cpu
    used = processes.settled_cpu(system.pid) - before
    return Measure(
        system=system.name,
        size=spec.size,
        messages=sent.accepted,
        rate=sent.accepted / (last - sent.first),
        accepted=sent.accepted / (sent.last - sent.first),
        cpu=used / sent.accepted,
        p99=percentile(sent.waits, 0.99),
        harness=harness / sent.accepted,
    )


def keep(path: Path, what: object) -> None:
    """Write figures as indented JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(what), indent=2) + b"\n")
