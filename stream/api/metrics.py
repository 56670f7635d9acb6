"""Prometheus metrics, read from the running parts at each scrape."""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from stream.alerts.bus import Bus
from stream.batcher import Batcher
from stream.desk import Desk


class KuaCollector(Collector):
    """Reads the parts of one service."""

    def __init__(self, desk: Desk, batcher: Batcher, bus: Bus, device: str, models: dict[str, str]) -> None:
        self._desk = desk
        self._batcher = batcher
        self._bus = bus
        self._device = device
        self._models = models

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
        yield GaugeMetricFamily("kua_audio_lost_seconds", "Sound lost in running calls", value=dropped.audio_s)


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
