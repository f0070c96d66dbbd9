"""A version of a model: what was asked of it before it may serve, and how it came out."""

import json
from collections.abc import Sequence
from typing import Any

from airside.core.errors import Invalid
from airside.core.ids import ModelName
from airside.core.record import Record
from airside.quality.operations.gates import GetGate, ListGates
from airside.quality.records import CheckKind, CheckResult, GateDecision
from airside.registry.operations.approvals import SearchApprovals
from airside.registry.operations.lineage import GetVersionLineage
from airside.registry.operations.models import GetModel
from airside.registry.operations.versions import GetVersion
from airside.server.web.drawing.whisker import Whisker, whisker
from airside.server.web.page import Call, Crumb, PageQuery, Table, Trouble, View, address, attempt, block

STAGES = ("None", "Staging", "Production", "Archived")
ORDER = {"fail": 0, "unknown": 1, "pass": 2}
TOLD_ONLY = 3
MANY = 4
"""Segments of one check that are shown without asking."""
HEADS = (
    *("gate", "check", "measure", "segment", "against", "threshold", "value", "low", "high", "level", "n", "outcome"),
    *("is_blocking", "note"),
)


class CheckRow(Record):
    """A check as it is shown."""

    it: CheckResult
    picture: Whisker
    sentence: str


class Folded(Record):
    """A check that was asked of many segments: one line, the rest on request. `worst` is what decides."""

    name: str
    measure: str
    threshold: str
    outcome: str
    counts: dict[str, int]
    worst: CheckRow
    rows: tuple[CheckRow, ...]


class GateCard(Record):
    """A gate's decision with its checks, failed first; what was asked of many segments is folded."""

    it: GateDecision
    rows: tuple[CheckRow, ...]
    folded: tuple[Folded, ...]
    counts: dict[str, int]


class SignatureColumn(Record):
    """A column of the model's signature."""

    name: str
    type: str
    required: bool


def version_number(text: str) -> int:
    """A version's number as it stands in an address.

    Raises:
        Invalid: it is none.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise Invalid(f"'{text[:40]}' is no version number: those are 1, 2, 3 …")
    return int(text)


def version(call: Call, query: PageQuery) -> View:
    """One version with its gates."""
    name, number = ModelName(query.names["name"]), version_number(query.names["version"])
    found = call(GetVersion(name=name, version=number))
    decisions = attempt(call, ListGates(model=name, version=number, max_results=20))
    gates = decisions if isinstance(decisions, Trouble) else tuple(gate_card(one) for one in decisions.items)
    cards = () if isinstance(gates, Trouble) else gates
    return View(
        template="version.html",
        title=f"{name} v{number}",
        place="Catalog",
        crumbs=(
            Crumb(text="Catalog", href="/"),
            Crumb(text=name, href=address("/models/{}", name)),
            Crumb(text=f"v{number}"),
        ),
        shows={
            "version": found,
            "gates": gates,
            "requires": block(lambda: call(GetModel(name=name)).requires),
            "approvals": attempt(call, SearchApprovals(subject_kind="version", subject=f"{name}@{number}")),
            "made_from": attempt(call, GetVersionLineage(name=name, version=number)),
            "stages": STAGES,
            "inputs": signature(found.signature, "inputs"),
            "outputs": signature(found.signature, "outputs"),
            "topics": (f"model:{name}", "gates", "approvals"),
        },
        data={"version": found, "gates": [one.it for one in cards]},
        table=Table(heads=HEADS, rows=tuple(row for card in cards for row in _cells(card.it))),
    )


def gate_card(decision: GateDecision) -> GateCard:
    """Arrange a decision: what blocks first, then what is not decided, then what passed."""
    ordered = sorted(decision.results, key=lambda one: ORDER[one.outcome] if one.is_blocking else TOLD_ONLY)
    groups: dict[tuple[str, str, str], list[CheckResult]] = {}
    for one in ordered:
        groups.setdefault((one.name, one.measure, one.against), []).append(one)
    small = [one for one in ordered if len(groups[one.name, one.measure, one.against]) <= MANY]
    return GateCard(
        it=decision,
        rows=tuple(check_row(one) for one in small),
        folded=tuple(_folded(some) for some in groups.values() if len(some) > MANY),
        counts=_counts(decision.results),
    )


def _counts(results: Sequence[CheckResult]) -> dict[str, int]:
    return {outcome: sum(one.outcome == outcome for one in results) for outcome in ORDER}


def _folded(some: Sequence[CheckResult]) -> Folded:
    first = some[0]
    return Folded(
        name=first.name,
        measure=first.measure,
        threshold=first.threshold,
        outcome=first.outcome,
        counts=_counts(some),
        worst=check_row(first),
        rows=tuple(check_row(one) for one in some),
    )


def check_row(one: CheckResult) -> CheckRow:
    """A check with its picture: the interval, and the limits read from the threshold's words."""
    estimate = one.estimate
    limits = limits_of(one.kind, one.threshold)
    picture = whisker(estimate.value, estimate.low, estimate.high, limits) if estimate else Whisker()
    return CheckRow(it=one, picture=picture, sentence=f"{one.name or one.measure}: {one.threshold}, {one.outcome}")


def limits_of(kind: CheckKind, threshold: str) -> tuple[float, ...]:
    """The limits of a check, from its threshold's words: the last number, with both signs where it binds both ways.

    >>> limits_of("at_least", "at least +0.01"), limits_of("within", "within ±0.03")
    ((0.01,), (-0.03, 0.03))
    >>> limits_of("somebody_selected", "10%")
    ()
    """
    if kind in {"somebody_selected", "no_provable_loss"}:
        return ()
    for word in reversed(threshold.replace("\u2212", "-").replace("±", "").replace("%", "").split()):
        try:
            limit = float(word.strip("[](),;"))
        except ValueError:
            continue
        return (-limit, limit) if kind in {"within", "label_balance"} else (limit,)
    return ()


def _cells(decision: GateDecision) -> list[tuple[object, ...]]:
    return [
        (
            *(decision.id, one.name, one.measure, one.segment, one.against, one.threshold),
            *((e.value, e.low, e.high, e.level, e.n) if (e := one.estimate) else (None,) * 5),
            *(one.outcome, one.is_blocking, one.note),
        )
        for one in decision.results
    ]


def signature(text: str, part: str) -> tuple[SignatureColumn, ...]:
    r"""The columns of a signature, as the MLmodel format writes it; what cannot be read has none.

    >>> [c.name for c in signature('{"inputs": "[{\\"name\\": \\"age\\", \\"type\\": \\"long\\"}]"}', "inputs")]
    ['age']
    """
    try:
        columns = json.loads(text).get(part) if text else None
        columns = json.loads(columns) if isinstance(columns, str) else columns
        return tuple(_column(one, i) for i, one in enumerate(columns or ()) if isinstance(one, dict))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return ()


def _column(one: dict[str, Any], index: int) -> SignatureColumn:
    kind = one.get("type", "")
    if kind == "tensor":
        spec = one.get("tensor-spec") or {}
        kind = f"{spec.get('dtype', 'tensor')} {spec.get('shape', '')}"
    return SignatureColumn(name=str(one.get("name", index)), type=str(kind), required=bool(one.get("required", True)))


def gate(call: Call, query: PageQuery) -> View:
    """A gate stands on its version's page."""
    found = call(GetGate(id=query.names["gate"]))
    return View(
        redirect=address("/models/{}/versions/{}", found.model, str(found.version)) + f"#{found.id}", data=found
    )
