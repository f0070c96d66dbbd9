"""What the serving process counts, as Prometheus reads it."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping

BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
Key = tuple[str, int, str]
"""Endpoint, version, role."""


class Meters:
    """Counters and histograms. Used on the event loop only."""

    def __init__(self) -> None:
        self.rows: dict[Key, int] = defaultdict(int)
        self.failed: dict[Key, int] = defaultdict(int)
        self.refused: dict[int, int] = defaultdict(int)
        self.dropped_shadows = 0
        self._buckets: dict[Key, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS_S) + 1))
        self._seconds: dict[Key, float] = defaultdict(float)

    def answered(self, key: Key, rows: int, seconds: float) -> None:
        """Count an answer."""
        self.rows[key] += rows
        self._buckets[key][bisect_left(BOUNDS_S, seconds)] += 1
        self._seconds[key] += seconds

    def text(self, gauges: Mapping[str, float]) -> str:
        r"""Everything in Prometheus' text format.

        >>> meters = Meters()
        >>> meters.answered(("churn", 3, "champion"), 5, 0.002)
        >>> 'airside_serving_rows_total{endpoint="churn",version="3",role="champion"} 5' in meters.text({})
        True
        """
        lines = ["# TYPE airside_serving_rows_total counter"]
        lines += [f"airside_serving_rows_total{{{_labels(key)}}} {count}" for key, count in self.rows.items()]
        lines.append("# TYPE airside_serving_failed_total counter")
        lines += [f"airside_serving_failed_total{{{_labels(key)}}} {count}" for key, count in self.failed.items()]
        lines.append("# TYPE airside_serving_refused_total counter")
        lines += [f'airside_serving_refused_total{{status="{status}"}} {n}' for status, n in self.refused.items()]
        lines.append("# TYPE airside_serving_shadows_dropped_total counter")
        lines.append(f"airside_serving_shadows_dropped_total {self.dropped_shadows}")
        lines.append("# TYPE airside_serving_seconds histogram")
        for key, buckets in self._buckets.items():
            lines += self._histogram(key, buckets)
        for name, value in gauges.items():
            lines += [f"# TYPE {name} gauge", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"

    def _histogram(self, key: Key, buckets: list[int]) -> list[str]:
        lines, total = [], 0
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), buckets, strict=True):
            total += count
            lines.append(f'airside_serving_seconds_bucket{{{_labels(key)},le="{bound}"}} {total}')
        lines.append(f"airside_serving_seconds_sum{{{_labels(key)}}} {self._seconds[key]:.6f}")
        lines.append(f"airside_serving_seconds_count{{{_labels(key)}}} {total}")
        return lines


def _labels(key: Key) -> str:
    endpoint, version, role = key
    return f'endpoint="{endpoint}",version="{version}",role="{role}"'
