"""*Indicators*: the month's counts, as a picture, a table and a file. R-I5."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.around import Entry
from gateway.console.frame import Frame
from gateway.console.indicators_words import WORDS
from gateway.operations import tally
from gateway.operations.error import OperationError
from gateway.operations.indicators import INDICATORS, WHOLE, as_csv
from trust.addresses import Kind

INDICATORS_PAGE = "/console/indicators"
ENTRY = Entry(INDICATORS_PAGE, "indicators")
_YEAR = 12
_DRAWN = ("sent", "received", "came", "refused")


class Bar(NamedTuple):
    """One month of a picture: where its column begins and how high it is, in hundredths."""

    month: str
    many: int
    left: float
    width: float
    height: float


class Indicators:
    """A month, the year up to it, and the file."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def routes(self) -> list[BaseRoute]:
        """Return where they are."""
        return [
            Route(INDICATORS_PAGE, self._page, methods=["GET"]),
            Route(f"{INDICATORS_PAGE}.csv", self._file, methods=["GET"]),
        ]

    async def _page(self, request: Request) -> Response:
        await self._frame.operator(request)
        month = request.query_params.get("month", "")[:10]
        try:
            rows = await self._frame.perform(
                request, "indicators", month=month or None, months=_YEAR
            )
        except OperationError as error:
            return self._frame.refused(request, error, WORDS, 400)
        months = list(dict.fromkeys(row["month"] for row in rows))
        counts = {(row["month"], row["indicator"], row["kind"]): row["count"] for row in rows}
        return self._frame.page(
            request,
            "indicators.html",
            WORDS,
            month=months[-1],
            now=tally.month(self._frame.rooms.clock()),
            kinds=[kind.value for kind in Kind],
            by_kind=INDICATORS,
            whole=WHOLE,
            counts=counts,
            drawings={what: drawn(counts, months, what) for what in _DRAWN},
        )

    async def _file(self, request: Request) -> Response:
        await self._frame.operator(request)
        query = request.query_params
        months = query.get("months", "1")
        try:
            rows = await self._frame.perform(
                request,
                "indicators",
                month=query.get("month", "")[:10] or None,
                months=int(months) if months.isdecimal() else 1,
            )
        except OperationError as error:
            return self._frame.refused(request, error, WORDS, 400)
        name = f"indicators-{rows[-1]['month']}.csv"
        return Response(
            as_csv(rows),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def drawn(
    counts: Mapping[tuple[str, str, str], int], months: Sequence[str], what: str
) -> list[Bar]:
    """Return an indicator's columns, all kinds together, the highest as high as the picture."""
    found: list[int] = []
    for month in months:
        kinds: list[Any] = [kind.value for kind in Kind] if what in INDICATORS else [""]
        found.append(sum(counts.get((month, what, kind), 0) for kind in kinds))
    most, step = max(found, default=0), 100 / max(1, len(months))
    return [
        Bar(
            month,
            count,
            round(n * step + step * 0.15, 2),
            round(step * 0.7, 2),
            _share(count, most),
        )
        for n, (month, count) in enumerate(zip(months, found, strict=True))
    ]


def _share(count: int, most: int) -> float:
    return round(100 * count / most, 1) if most else 0.0
