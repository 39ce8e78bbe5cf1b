"""``python -m tests.bench``: Sceau beside Postfix, stock aiosmtpd, and Dovecot."""

import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import click
import msgspec
from rich.console import Console

from tests.bench import cell, desk, laboratory, large, memory, reading, report, scale, systems
from tests.bench.rounds import Measure, order

SIZES = {"5k": 5 << 10, "200k": 200 << 10, "1m": 1 << 20, "10m": 10 << 20}


ROUNDS, SECONDS = 6, 3.0
QUICK_ROUNDS, QUICK_SECONDS, QUICK_SIZES = 2, 0.5, ("5k", "200k", "1m")


@dataclass(slots=True)
class Bench:
    """One run: how long a cell lasts, how often it is played, and what has been found so far."""

    console: Console
    ground: systems.Ground
    sizes: Sequence[int]
    rounds: int
    seconds: float
    found: report.Report = field(default_factory=report.Report)

    def play(self, system: systems.System, size: int, sink: systems.Next | None) -> Measure:
        """Measure one cell and say so."""
        spec = msgspec.structs.replace(system.load(size), seconds=self.seconds)
        found = cell.measure(system, spec, sink)
        self.console.print(
            f"  {found.system:16} {report.NAMES[size]:>6} {found.rate:9,.1f}/s"
            f" {found.cpu * 1e3:7.2f} ms CPU {found.p99 * 1e3:7.1f} ms p99"
            f"   harness {found.harness * 1e3:.2f} ms",
            highlight=False,
        )
        return found

    def null(self) -> None:
        """What the generator and the sink can do with nothing between them."""
        with systems.Null.running(self.ground) as null:
            self.found.apart += [self.play(null, size, null.sink) for size in self.sizes]

    def postfix(self) -> None:
        """Sceau beside the better of the two configurations of Postfix, at each size."""
        with ExitStack() as stack:
            sceau = stack.enter_context(systems.SceauRelay.running(self.ground, "postfix"))
            rivals = [
                stack.enter_context(systems.PostfixRelay.running(self.ground, kind))
                for kind in ("default", "tuned")
            ]
            for size in self.sizes:
                trials = [self.play(rival, size, self.ground.sink) for rival in rivals]
                best = rivals[trials.index(max(trials, key=lambda m: m.rate))]
                what = "End to end, beside the better Postfix"
                self._compare(what, sceau, best, size, self.ground.sink)
            chunking = sceau.to(systems.CHUNKING, "sceau, CHUNKING")
            self.console.rule("CHUNKING outward, apart", align="left")
            self.found.apart += [
                self.play(chunking, size, self.ground.chunking) for size in self.sizes
            ]

    def accept(self) -> None:
        """Accepting alone, beside stock aiosmtpd: the next hop of these messages is down."""
        with (
            systems.SceauRelay.running(self.ground, "accept") as sceau,
            systems.Stock.running(self.ground) as stock,
        ):
            down = sceau.to(systems.DOWN, sceau.name)
            for size in self.sizes:
                if size in report.TARGETS["Accepting alone, beside stock aiosmtpd"]:
                    what = "Accepting alone, beside stock aiosmtpd"
                    self._compare(what, down, stock, size, None)

    def memory(self) -> None:
        """The memory of a gateway that has just been started."""
        with systems.SceauRelay.running(self.ground, "memory") as sceau:
            self.found.memory = memory.measure(sceau, sessions=200, large=100)

    def reading(self) -> None:
        """The reading door beside Dovecot with mail_crypt."""
        folder = self.ground.folder / "reading"
        folder.mkdir()
        self.found.reading = reading.measure(folder, self.seconds, self.rounds)

    def scale(self) -> None:
        """A country's addresses, beside Postfix's map of as many."""
        share = 1 if self.rounds == ROUNDS else 10
        addresses, domains = scale.ADDRESSES // share, scale.DOMAINS // share
        self.found.scale = scale.measure(self.ground, addresses, domains, scale.ROUNDS)

    def desk(self) -> None:
        """Every page of the console, with a million messages in the database."""
        share = 1 if self.rounds == ROUNDS else 10
        folder = self.ground.folder / "console"
        self.found.desk = desk.measure(folder, desk.MESSAGES // share)

    def laboratory(self) -> None:
        """A night's results, from a watched folder to the other gateway's mailboxes."""
        share = 1 if self.rounds == ROUNDS else 10
        folder = self.ground.folder / "laboratory"
        self.found.laboratory = laboratory.measure(folder, laboratory.RESULTS // share)

    def large(self) -> None:
        """Half a gigabyte that is too large for its next hop, in constant memory."""
        share = 1 if self.rounds == ROUNDS else 10
        folder = self.ground.folder / "large"
        self.found.large = large.measure(folder, large.SIZE // share)

    def _compare(
        self,
        what: str,
        ours: systems.System,
        theirs: systems.System,
        size: int,
        sink: systems.Next | None,
    ) -> None:
        self.console.rule(f"{what}, {report.NAMES[size]}: {theirs.name}", align="left")
        played: dict[str, list[Measure]] = {ours.name: [], theirs.name: []}
        for number in range(self.rounds):
            for system in order([ours, theirs], number):
                played[system.name].append(self.play(system, size, sink))
        found = report.compare(what, played[ours.name], played[theirs.name])
        self.found.comparisons.append(found)


PARTS = {
    "null": Bench.null,
    "memory": Bench.memory,
    "postfix": Bench.postfix,
    "accept": Bench.accept,
    "scale": Bench.scale,
    "laboratory": Bench.laboratory,
    "large": Bench.large,
    "reading": Bench.reading,
    "console": Bench.desk,
}


@click.command()
@click.option("--rounds", default=ROUNDS, show_default=True, help="Rounds a comparison.")
@click.option("--seconds", default=SECONDS, show_default=True, help="How long a cell is loaded.")
@click.option("--size", "names", multiple=True, type=click.Choice(list(SIZES)), help="Only these.")
@click.option("--only", "parts", multiple=True, type=click.Choice(list(PARTS)), help="Only these.")
@click.option("--quick", is_flag=True, help="Up to 1 MB, under two minutes, indicative.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("build/bench"), show_default=True
)
def main(
    *,
    rounds: int,
    seconds: float,
    names: tuple[str, ...],
    parts: tuple[str, ...],
    quick: bool,
    out: Path,
) -> None:
    """Measure Sceau beside Postfix and Dovecot from Debian and stock aiosmtpd, and its memory."""
    console = Console(width=max(130, Console().width))
    if quick:
        rounds, seconds, names = QUICK_ROUNDS, QUICK_SECONDS, names or QUICK_SIZES
    began = time.monotonic()
    run = (out / "run").resolve()
    shutil.rmtree(run, ignore_errors=True)
    with systems.ground(run) as ground:
        sizes = [SIZES[name] for name in names or SIZES]
        bench = Bench(console, ground, sizes, rounds, seconds)
        for part in parts or PARTS:
            console.rule(f"[bold]{part}", align="left")
            PARTS[part](bench)
            bench.found.seconds = time.monotonic() - began
            cell.keep(out / "report.json", bench.found)  # the next part may fail
    shutil.rmtree(run, ignore_errors=True)
    report.show(console, bench.found)
    console.print(f"{bench.found.seconds:.0f} s in all; every figure is in {out / 'report.json'}")


if __name__ == "__main__":
    main()
