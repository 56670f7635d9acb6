"""Prometheus metrics, read from the running parts at each scrape."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from stream.alerts.cases import Cases
from stream.api.messages import AlertMessage, StoredMessage
from stream.scope import Scope

if TYPE_CHECKING:
    from stream.api.app import Service


class KuaCollector(Collector):
    """Reads the parts of one service."""

    def __init__(self, service: "Service", device: str, models: dict[str, str]) -> None:
        self._desk = service.desk
        self._batcher = service.batcher
        self._bus = service.bus
        self._webhooks = service.webhooks
        self._device = device
        self._models = models
        self._cases: dict[str, int] = {}
        self._outbox: dict[str, int] = {}
        self._alerts: Counter[str] = Counter()
        service.recorder.on_stored(self._take)

    def _take(self, event: StoredMessage, _: Scope) -> None:
        if isinstance(event, AlertMessage):
            self._alerts[event.kind] += 1

    async def count(self, cases: Cases) -> None:
        """Read from the store what the next `collect` tells of it."""
        self._cases, self._outbox = await cases.counts(), await self._webhooks.store.counts()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        stats, dropped = self._batcher.stats, self._desk.dropped
        yield InfoMetricFamily("kua", "What runs", value={"device": self._device, **self._models})
        yield GaugeMetricFamily("kua_calls", "Calls that run", value=len(self._desk))
        yield GaugeMetricFamily("kua_viewers", "Live connections of viewers", value=len(self._bus))
        yield GaugeMetricFamily(
            "kua_windows_waiting", "Windows that wait for the detector", value=self._batcher.waiting
        )
        yield GaugeMetricFamily("kua_batch_windows", "Windows in the newest batch", value=stats.last_size)
        yield _latency(list(stats.latencies_s))
        yield CounterMetricFamily("kua_batches", "Batches that ran", value=stats.batches)
        yield CounterMetricFamily("kua_windows", "Windows that ran", value=stats.windows)
        yield CounterMetricFamily(
            "kua_windows_overload", "Windows let go, the detector was behind", value=stats.overload
        )
        yield CounterMetricFamily("kua_windows_error", "Windows that failed in the detector", value=stats.errors)
        yield GaugeMetricFamily("kua_pictures_dropped", "Pictures let go in running calls", value=dropped.pictures)
        yield _labelled(
            "kua_alerts", "Alerts since the start, by what happened", "kind", self._alerts, CounterMetricFamily
        )
        yield _labelled("kua_cases", "Cases by status", "status", self._cases, GaugeMetricFamily)
        yield _labelled("kua_webhook_messages", "Of webhooks, by state", "state", self._outbox, GaugeMetricFamily)
        yield GaugeMetricFamily("kua_audio_lost_seconds", "Sound lost in running calls", value=dropped.audio_s)


def _labelled(
    name: str,
    what: str,
    label: str,
    values: Mapping[str, int],
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily],
) -> Metric:
    family = kind(name, what, labels=[label])
    for value, n in values.items():
        family.add_metric([value], n)
    return family


def _latency(values_s: Sequence[float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily("kua_batch_latency_seconds", "Of the newest 1,000 batches", labels=["quantile"])
    ordered = sorted(values_s)
    for quantile in (0.5, 0.95, 0.99):
        if ordered:
            family.add_metric([str(quantile)], ordered[min(int(len(ordered) * quantile), len(ordered) - 1)])
    return family


def exposition(collector: Collector) -> bytes:
    """Return the text that Prometheus scrapes."""
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry)
