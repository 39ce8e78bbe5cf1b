"""What was found: tables for people, one JSON document for whatever compares runs."""

import math
from collections.abc import Sequence

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from tests.bench.laboratory import Laboratory
from tests.bench.large import Large
from tests.bench.memory import MIB, Memory
from tests.bench.rounds import Measure, Ratio, ratio, typical
from tests.bench.scale import Scale

NAMES = {5 << 10: "5 KB", 200 << 10: "200 KB", 1 << 20: "1 MB", 10 << 20: "10 MB"}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison must reach; None where nothing was promised."""

    rate: float  # at least, ours / theirs
    cpu: float | None = None  # at most, ours / theirs
    p99: float | None = None  # at most, ours / theirs


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Ours beside theirs at one size."""

    what: str
    size: int
    ours: Measure
    theirs: Measure
    rate: Ratio
    cpu: Ratio
    p99: Ratio
    target: Target
    met: bool
    rounds: list[Measure]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement, ours beside theirs where there is a theirs."""

    what: str
    unit: str
    ours: float
    theirs: float | None = None
    target: str
    met: bool


class Report(msgspec.Struct, kw_only=True):
    """Everything a run found."""

    comparisons: list[Comparison] = []
    apart: list[Measure] = []  # Sceau with CHUNKING, what the harness does with nothing to measure
    memory: Memory | None = None
    scale: Scale | None = None
    laboratory: Laboratory | None = None
    large: Large | None = None
    reading: list[Figure] = []
    desk: list[Figure] = []  # the console's pages; "theirs" is the first time, ours later ones
    seconds: float = 0.0


TARGETS = {
    "End to end, beside the better Postfix": {
        5 << 10: Target(rate=2.5, cpu=0.45, p99=1.0),
        200 << 10: Target(rate=1.3, cpu=0.7),
        1 << 20: Target(rate=1.1, cpu=0.7),
        10 << 20: Target(rate=1.1, cpu=0.7),
    },
    "Accepting alone, beside stock aiosmtpd": {
        5 << 10: Target(rate=2.0),
        10 << 20: Target(rate=4.0),
    },
}


def compare(what: str, ours: Sequence[Measure], theirs: Sequence[Measure]) -> Comparison:
    """Set the rounds of two systems side by side."""
    size = ours[0].size
    target = TARGETS[what][size]
    rate, cpu, p99 = (
        ratio([getattr(m, name) for m in ours], [getattr(m, name) for m in theirs])
        for name in ("rate", "cpu", "p99")
    )
    return Comparison(
        what=what,
        size=size,
        ours=typical(ours),
        theirs=typical(theirs),
        rate=rate,
        cpu=cpu,
        p99=p99,
        target=target,
        met=rate.median >= target.rate
        and (target.cpu is None or cpu.median <= target.cpu)
        and (target.p99 is None or p99.median <= target.p99),
        rounds=[m for pair in zip(ours, theirs, strict=True) for m in pair],
    )


def show(console: Console, report: Report) -> None:
    """Print the tables."""
    for what in dict.fromkeys(c.what for c in report.comparisons):
        table = _table(
            f"{what}: ours, theirs, ratio",
            ("size", "rate/s", "", "", "CPU ms", "", "", "p99 ms", "", "", "harness", ""),
        )
        for comparison in report.comparisons:
            if comparison.what == what:
                table.add_row(*_row(comparison))
        console.print(table)
    if report.apart:
        _show_apart(console, report.apart)
    if report.memory is not None:
        _show_memory(console, report.memory)
    if report.scale is not None:
        _show_scale(console, report.scale)
    if report.laboratory is not None:
        _show_laboratory(console, report.laboratory)
    if report.large is not None:
        _show_large(console, report.large)
    if report.reading:
        _show_reading(console, report.reading)
    if report.desk:
        _show_desk(console, report.desk)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1))
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _row(found: Comparison) -> list[str]:
    ours, theirs, target = found.ours, found.theirs, found.target
    return [
        NAMES.get(found.size, str(found.size)),
        f"{ours.rate:,.1f}",
        f"{theirs.rate:,.1f}",
        _against(found.rate, target.rate, met=found.rate.median >= target.rate),
        f"{ours.cpu * 1e3:.2f}",
        f"{theirs.cpu * 1e3:.2f}",
        _against(found.cpu, target.cpu, met=found.cpu.median <= (target.cpu or math.inf)),
        f"{ours.p99 * 1e3:.1f}",
        f"{theirs.p99 * 1e3:.1f}",
        _against(found.p99, target.p99, met=found.p99.median <= (target.p99 or math.inf)),
        f"{ours.harness * 1e3:.2f} ms",
        "[green]met[/]" if found.met else "[red]missed[/]",
    ]


def _against(found: Ratio, target: float | None, *, met: bool) -> str:
    """Return the ratio, coloured by whether it reaches its target, which stands behind it."""
    if target is None:
        return f"{found.median:.2f}"
    return f"[{'green' if met else 'red'}]{found.median:.2f}[/] [dim]of {target:g}[/]"


def _show_apart(console: Console, apart: Sequence[Measure]) -> None:
    columns = ("what", "size", "rate/s", "accepted/s", "CPU ms", "p99 ms", "harness ms")
    table = _table("Apart, not compared", columns)
    for m in apart:
        table.add_row(
            m.system,
            NAMES.get(m.size, str(m.size)),
            f"{m.rate:,.1f}",
            f"{m.accepted:,.1f}",
            f"{m.cpu * 1e3:.2f}",
            f"{m.p99 * 1e3:.1f}",
            f"{m.harness * 1e3:.2f}",
        )
    console.print(table)


def _show_reading(console: Console, figures: Sequence[Figure]) -> None:
    table = _table(
        "Reading, beside Dovecot with mail_crypt", ("what", "ours", "theirs", "target", "")
    )
    for one in figures:
        theirs = "" if one.theirs is None else f"{one.theirs:,.1f} {one.unit}"
        met = "[green]met[/]" if one.met else "[red]missed[/]"
        table.add_row(one.what, f"{one.ours:,.1f} {one.unit}", theirs, one.target, met)
    console.print(table)


def _show_desk(console: Console, figures: Sequence[Figure]) -> None:
    table = _table("The console's pages", ("page", "usually", "first time", "target", ""))
    for one in figures:
        met = "[green]met[/]" if one.met else "[red]missed[/]"
        table.add_row(one.what, f"{one.ours:,.1f} ms", f"{one.theirs:,.1f} ms", one.target, met)
    console.print(table)


def _show_scale(console: Console, scale: Scale) -> None:
    apart, lmdb = scale.apart, scale.lmdb
    table = _table(
        f"{apart.addresses:,} addresses, {apart.domains:,} domains",
        ("what", "sceau", "postfix, lmdb", "at most"),
    )
    rows = [
        ("made of its source", f"{apart.build:.1f} s", f"{lmdb.build:.1f} s", "20 s"),
        ("octets", f"{apart.octets / MIB:.0f} MiB", f"{lmdb.octets / MIB:.0f} MiB", ""),
        ("an address found", f"{apart.find * 1e6:.1f} µs", f"{lmdb.find * 1e6:.1f} µs", ""),
        ("a decision", f"{apart.decision * 1e6:.1f} µs", "", "5 µs"),
        ("the same again", f"{apart.again * 1e6:.1f} µs", "", ""),
        ("the machine's pace: a look-up in a dict", f"{apart.pace * 1e9:.0f} ns", "", ""),
        ("resident, one process with a list", f"{apart.resident / MIB:.0f} MiB", "", "250 MB"),
        ("signed XML verified and read", f"{apart.signed:.2f} s", "", "1 s"),
        ("longest pause meanwhile", f"{apart.pause * 1e3:.0f} ms", "", "20 ms"),
    ]
    for what, swap in (("list", scale.listed), ("directory", scale.directory)):
        rows += [
            (f"a {what}: read, used, kept under mail", f"{swap.seconds:.1f} s", "", "20 s"),
            ("resident, the gateway", f"{swap.resident / MIB:.0f} MiB", "", "250 MB"),
            ("longest pause", f"{swap.pause * 1e3:.0f} ms", "", ""),
            ("of it our own work", f"{swap.own * 1e3:.0f} ms", "", "20 ms"),
            ("longest pause, that mail alone", f"{swap.usual * 1e3:.0f} ms", "", ""),
            ("mail meanwhile", f"{swap.rate:.0f}/s", "", ""),
        ]
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _show_memory(console: Console, memory: Memory) -> None:
    table = _table("Memory, resident", ("when", "found", "at most"))
    table.add_row("at rest", f"{memory.rest / MIB:.0f} MiB", "150 MiB")
    table.add_row(
        f"each of {memory.sessions} idle TLS sessions",
        f"{memory.session / MIB:.3f} MiB",
        "0.3 MiB",
    )
    table.add_row(
        f"{memory.large} connections sending 10 MB", f"{memory.peak / MIB:.0f} MiB", "300 MiB"
    )
    console.print(table)


def _show_large(console: Console, found: Large) -> None:
    title = f"A document of {found.size / 1e6:,.0f} MB, too large for its next hop"
    table = _table(title, ("what", "laboratory", "hospital", "target"))
    sides = found.laboratory, found.hospital
    for what, seconds in (
        ("handed in by HTTPS", found.taken),
        ("then crossed, filed, and reported", found.crossed),
        ("then read by IMAP", found.read),
    ):
        table.add_row(what, f"{seconds:.1f} s", "", "")
    table.add_row("resident before", *(f"{side.rest / MIB:.0f} MiB" for side in sides), "")
    table.add_row(
        "the most meanwhile", *(f"{side.peak / MIB:.0f} MiB" for side in sides), "constant"
    )
    table.add_row("CPU", *(f"{side.cpu:.1f} s" for side in sides), "")
    console.print(table)


def _show_laboratory(console: Console, found: Laboratory) -> None:
    title = f"{found.results:,} results of {found.size >> 10} KB from a watched folder"
    table = _table(title, ("what", "laboratory", "hospital", "target"))
    sides = found.laboratory, found.hospital
    table.add_row("results a second, to the last answer", f"{found.rate:.0f}/s", "", "100/s")
    for what, name in (
        ("resident before the first", "rest"),
        ("with a tenth of them answered", "early"),
        ("with all of them", "late"),
        ("the most meanwhile", "peak"),
    ):
        table.add_row(what, *(f"{getattr(side, name) / MIB:.0f} MiB" for side in sides), "flat")
    table.add_row("CPU a result", *(f"{side.cpu * 1e3:.1f} ms" for side in sides), "")
    console.print(table)
