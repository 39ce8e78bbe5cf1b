"""The numbers are right, without secrets in their labels, and documented."""

import re
from pathlib import Path

from gateway.observe.metrics import Metrics, Standing, names

_DOCUMENTED = re.compile(r"^\| `(sceau_[a-z_]+)", re.MULTILINE)


def _lines(metrics: Metrics) -> list[str]:
    return metrics.page().decode().splitlines()


def test_counters_count_by_their_labels() -> None:
    """A refusal is told apart by its reason."""
    metrics = Metrics()
    metrics.refused.labels("submission", "recipient-not-listed").inc()
    metrics.attempt_seconds.labels("relayed").observe(0.2)

    lines = _lines(metrics)
    wanted = 'sceau_recipients_refused_total{door="submission",reason="recipient-not-listed"} 1.0'
    assert wanted in lines
    assert 'sceau_attempt_seconds_bucket{le="0.25",outcome="relayed"} 1.0' in lines


def test_gauges_are_asked_at_the_moment_of_the_question() -> None:
    """A gauge never shows how things stood at start."""
    standing = Standing()
    metrics = Metrics(lambda: standing)
    assert "sceau_outbox_unsent 0.0" in _lines(metrics)

    standing = Standing(outbox=7, deliveries={"DEFERRED": 2})

    assert "sceau_outbox_unsent 7.0" in _lines(metrics)
    assert 'sceau_spool_deliveries{state="DEFERRED"} 2.0' in _lines(metrics)


def test_every_metric_is_documented_and_no_other() -> None:
    """docs/operations.md lists exactly what the code counts."""
    page = Path("docs/operations.md").read_text("utf-8")

    assert names(Metrics()) == set(_DOCUMENTED.findall(page))
