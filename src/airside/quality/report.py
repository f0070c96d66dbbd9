"""A stand-alone report on two tables: one line of code, JSON and one HTML file that needs no network.

save(compare(last_year, this_year), "drift.html")
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from jinja2 import Environment

from airside.core.column import Column
from airside.data.ingest import infer_schema, read_table
from airside.quality.measures import drift
from airside.quality.measures.arrays import columns_of
from airside.quality.profiles import Drift, DriftReport

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Drift: {{ report.current }} against {{ report.reference }}</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #8884; vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
tr.drifted td:first-child { font-weight: 600 }
.verdict { white-space: nowrap }
</style></head><body>
<h1>{{ headline }}</h1>
<p>{{ report.current }} ({{ report.rows_current }} rows) against {{ report.reference }}
({{ report.rows_reference }} rows). A column has drifted when its p-value, adjusted for the number of columns, is at
most 1 % and its distance is at least {{ ks_effect }} (numbers, KS) or {{ tvd_effect }} (levels, total variation).
With this many rows, a distance of {{ "%.3f" % report.smallest_effect }} and more would be certain; smaller changes
cannot be ruled out.</p>
{% for text in missing %}<p>{{ text }}</p>{% endfor %}
<table><thead><tr><th>Column</th><th>Verdict</th><th class="number">Distance</th><th class="number">Adjusted p</th>
<th class="number">PSI</th><th class="number">JS</th><th class="number">Missing</th><th>What is new</th></tr></thead>
<tbody>{% for one in report.columns %}
<tr{% if one.is_drifted %} class="drifted"{% endif %}><td>{{ one.column }}</td>
<td class="verdict">{{ verdict(one) }}</td>
<td class="number">{{ "%.3f" % one.effect }} {{ one.statistic.upper() }}</td>
<td class="number">{{ chance(one.p_adjusted) }}</td><td class="number">{{ "%.3f" % one.psi }}</td>
<td class="number">{{ "%.3f" % one.js }}</td><td class="number">{{ one.missing }}</td>
<td>{{ one.findings | join("; ") }}</td></tr>{% endfor %}
</tbody></table>
</body></html>
"""


def compare(
    reference: Any, current: Any, columns: Sequence[Column] = (), *, names: tuple[str, str] = ("", "")
) -> DriftReport:
    """Compare two tables, column by column.

    Args:
        reference: what counts as normal: a Parquet or CSV file, a pyarrow Table, a frame, or a mapping of arrays.
        current: the other side.
        columns: the schema; inferred from the reference when left out.
        names: what the two sides are called; files have their own names.

    Raises:
        Invalid: a file is broken; the text names line and column.
    """
    left, left_name = _table(reference, names[0] or "reference")
    right, right_name = _table(current, names[1] or "current")
    schema = [one for one in columns or infer_schema(left) if one.role in {"feature", "label"}]
    found = drift.compare(columns_of(left), columns_of(right), schema)
    n, m = left.num_rows, right.num_rows
    return DriftReport(
        reference=left_name,
        current=right_name,
        rows_reference=n,
        rows_current=m,
        smallest_effect=smallest_effect(n, m, len(found)),
        only_in_reference=tuple(one for one in left.column_names if one not in right.column_names),
        only_in_current=tuple(one for one in right.column_names if one not in left.column_names),
        columns=tuple(sorted(found, key=_certainty)),
    )


def _certainty(one: Drift) -> tuple[bool, float, float]:
    return not one.is_drifted, 1.0 if one.p_adjusted is None else one.p_adjusted, -one.effect


def _table(source: Any, name: str) -> tuple[pa.Table, str]:
    if isinstance(source, str | Path):
        return read_table(Path(source)), Path(source).name
    if isinstance(source, pa.Table):
        return source, name
    return pa.table({key: pa.array(values, from_pandas=True) for key, values in columns_of(source).items()}), name


def smallest_effect(n: int, m: int, columns: int) -> float:
    """The smallest KS that is certain when one of so many columns changed: the two-sided limit of Kolmogorov.

    >>> round(smallest_effect(39_268, 4_150, 16), 3)
    0.033
    """
    if not n or not m or not columns:
        return 1.0
    chance = drift.FALSE_DISCOVERIES / columns
    return min(math.sqrt(-math.log(chance / 2) / 2 * (1 / n + 1 / m)), 1.0)


def to_html(report: DriftReport) -> str:
    """The report as one HTML page, without scripts and without anything from elsewhere."""
    drifted = [one.column for one in report.columns if one.is_drifted]
    headline = f"{len(drifted)} of {len(report.columns)} columns drifted" if drifted else "No drift"
    missing = [
        f"Only in {side}: {', '.join(names)}."
        for side, names in (
            (report.reference, report.only_in_reference),
            (report.current, report.only_in_current),
        )
        if names
    ]
    return (
        Environment(autoescape=True)
        .from_string(_PAGE)
        .render(
            report=report,
            headline=headline,
            missing=missing,
            verdict=verdict,
            chance=chance_text,
            ks_effect=drift.KS_EFFECT,
            tvd_effect=drift.TVD_EFFECT,
        )
    )


def verdict(one: Drift) -> str:
    """What is said of a column, in a word or two."""
    if one.is_drifted:
        return "drifted"
    if one.p is None:
        return "nothing to compare"
    if min(one.p_missing, one.p_unseen, one.p_range) <= drift.SURE:
        return "look: new values"
    return (
        "significant, small"
        if one.p_adjusted is not None and one.p_adjusted <= drift.FALSE_DISCOVERIES
        else "as before"
    )


def chance_text(p: float | None) -> str:
    """A p-value for people.

    >>> chance_text(0.0), chance_text(0.0312), chance_text(None)
    ('< 1e-300', '0.031', '-')
    """
    if p is None:
        return "-"
    if p < 1e-300:
        return "< 1e-300"
    return f"{p:.2g}"


def save(report: DriftReport, target: str | Path) -> None:
    """Write the report: as HTML to a file that ends in `.html`, else as JSON."""
    path = Path(target)
    path.write_bytes(to_html(report).encode() if path.suffix == ".html" else msgspec.json.encode(report))
