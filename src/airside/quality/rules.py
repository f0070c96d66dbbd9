"""The decision of checks on measured figures. Pure: records in, records out; the verdict is about the interval."""

from collections.abc import Callable, Iterable
from typing import Literal

from airside.core.estimate import Estimate
from airside.quality.records import Check, CheckKind, CheckResult, Measured, Outcome

LOWER_IS_BETTER = frozenset({"log_loss", "brier", "calibration_error", "false_positive_rate"})
NOT_MEASURED = "not measured; measure it with quality.evaluate and send it along"
TOO_FEW = "too few rows to tell"


def name_of(check: Check) -> str:
    """What the check is called: its name, else what it asks.

    >>> name_of(Check(kind="gap_at_most", measure="true_positive_rate", column="SEX", limit=0.05))
    'gap_at_most true_positive_rate SEX'
    """
    about = [check.kind, check.measure if check.kind not in _UNMEASURED else "", check.column, check.segment]
    return check.name or " ".join(part for part in (*about, check.against) if part)


def threshold_of(check: Check) -> str:
    """What is asked, for people.

    >>> threshold_of(Check(kind="within", measure="calibration", limit=0.015))
    'within ±0.015'
    """
    limit = f"{check.limit:g}"
    return {
        "at_least": f"at least {limit}",
        "at_most": f"at most {limit}",
        "within": f"within ±{limit}",
        "better_than": f"better than the {check.against} by at least {limit}",
        "no_provable_loss": f"no provable loss of more than {limit} against the {check.against}",
        "gap_at_most": f"largest difference at most {limit}",
        "somebody_selected": (
            f"somebody selected in each segment of {check.minimum_rows} rows"
            f" of which {check.minimum_positive_share:.0%} are positive"
        ),
        "label_balance": f"share of the label changed by at most {limit}",
    }[check.kind]


def judge(
    checks: Iterable[Check], measured: Iterable[Measured], *, champion: int = 0, compared_with: int = 0
) -> tuple[CheckResult, ...]:
    """Each check's results, in the order of the suite.

    Args:
        checks: what is asked.
        measured: what was found.
        champion: the version that is champion now; 0 for none (or when it is the one that is judged).
        compared_with: the version that the figures against the champion were measured with.
    """
    figures = tuple(measured)
    results: list[CheckResult] = []
    for check in checks:
        excuse = _without_champion(check, champion, compared_with)
        results += (excuse,) if excuse is not None else _JUDGES[check.kind](check, figures)
    return tuple(results)


def decide(results: Iterable[CheckResult]) -> tuple[Literal["pass", "fail"], str]:
    """Whether every blocking check passed, and the line that says so.

    >>> decide([CheckResult(name="a", kind="at_least", measure="auc", threshold="", outcome="pass")])
    ('pass', '1 of 1 checks passed')
    """
    blocking = [result for result in results if result.is_blocking]
    bad = [result for result in blocking if result.outcome != "pass"]
    if not blocking:
        return "fail", "nothing could be judged"
    line = f"{len(blocking) - len(bad)} of {len(blocking)} checks passed"
    if not bad:
        return "pass", line
    return "fail", f"{line}; {'; '.join(_reason(result) for result in bad[:5])}"


def _reason(result: CheckResult) -> str:
    found = f"{figure_text(result.estimate)}, asked {result.threshold}" if result.estimate else result.note
    where = f" [{result.segment}]" if result.segment else ""
    word = "failed" if result.outcome == "fail" else "not proven"
    return f"{word}: {result.name}{where}: {found}"


def figure_text(estimate: Estimate) -> str:
    """A figure with its interval.

    >>> figure_text(Estimate(value=0.0289, low=0.0231, high=0.0347))
    '0.0289 [0.0231, 0.0347]'
    """
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.4g}"
    return f"{estimate.value:.4g} [{estimate.low:.4g}, {estimate.high:.4g}]"


def inside(estimate: Estimate, low: float | None, high: float | None) -> Outcome:
    """`pass` when the interval lies wholly in [low, high], `fail` when wholly outside, else `unknown`.

    >>> inside(Estimate(value=1.0, low=0.5, high=1.5), 0.5, None)
    'pass'
    >>> one = Estimate(value=1.0, low=0.5, high=1.5)
    >>> inside(one, 2.0, None), inside(one, 1, None)
    ('fail', 'unknown')
    >>> inside(Estimate(value=1.0), 0.5, None)
    'unknown'
    """
    if estimate.low is None or estimate.high is None:
        return "unknown"
    if (low is not None and estimate.high < low) or (high is not None and estimate.low > high):
        return "fail"
    reaches_low = low is None or estimate.low >= low
    reaches_high = high is None or estimate.high <= high
    return "pass" if reaches_low and reaches_high else "unknown"


def _result(check: Check, figure: Measured, outcome: Outcome, *, is_blocking: bool = True) -> CheckResult:
    known = outcome if figure.is_known else "unknown"
    note = figure.note
    if not figure.is_known:
        note = note or TOO_FEW
    elif outcome == "unknown" and figure.estimate.low is None:
        note = note or "it has no interval"
    elif outcome == "unknown":
        note = note or "the interval lies across the limit"
    return CheckResult(
        name=name_of(check),
        kind=check.kind,
        measure=figure.measure,
        segment=figure.segment,
        against=figure.against,
        estimate=figure.estimate,
        threshold=threshold_of(check),
        outcome=known,
        is_blocking=is_blocking and figure.is_known,
        note=note,
    )


def _nothing(check: Check, note: str, *, is_blocking: bool = True) -> CheckResult:
    return CheckResult(
        name=name_of(check),
        kind=check.kind,
        measure=check.measure,
        segment=check.segment or check.column,
        against=check.against,
        threshold=threshold_of(check),
        outcome="unknown",
        is_blocking=is_blocking,
        note=note,
    )


def _without_champion(check: Check, champion: int, compared_with: int) -> CheckResult | None:
    if check.against != "champion":
        return None
    if not champion:
        return _nothing(check, "there is no champion to compare with", is_blocking=False)
    if champion != compared_with:
        compared = f"version {compared_with}" if compared_with else "no version"
        return _nothing(
            check, f"the champion is version {champion}, the figures compare with {compared}: measure again"
        )
    return None


def _matches(check: Check, figure: Measured) -> bool:
    if figure.measure != check.measure or figure.against != check.against:
        return False
    if check.segment == "*":
        return "=" in figure.segment
    if check.segment.endswith("=*"):
        return figure.segment.startswith(check.segment[:-1])
    return figure.segment == check.segment


def _limit(check: Check, figures: tuple[Measured, ...]) -> tuple[CheckResult, ...]:
    low = {"at_least": check.limit, "at_most": None, "within": -check.limit}[check.kind]
    high = {"at_least": None, "at_most": check.limit, "within": check.limit}[check.kind]
    found = [figure for figure in figures if _matches(check, figure)]
    if not found:
        return (_nothing(check, NOT_MEASURED),)
    return tuple(_result(check, figure, inside(figure.estimate, low, high)) for figure in found)


def _better_than(check: Check, figures: tuple[Measured, ...]) -> tuple[CheckResult, ...]:
    found = [figure for figure in figures if _matches(check, figure)]
    if not found:
        return (_nothing(check, NOT_MEASURED),)
    lower = check.measure in LOWER_IS_BETTER
    bounds = (None, -check.limit) if lower else (check.limit, None)
    return tuple(_result(check, figure, inside(figure.estimate, *bounds)) for figure in found)


def _no_provable_loss(check: Check, figures: tuple[Measured, ...]) -> tuple[CheckResult, ...]:
    found = [figure for figure in figures if _matches(check, figure)]
    if not found:
        return (_nothing(check, NOT_MEASURED),)
    return tuple(_result(check, figure, _loss(check, figure.estimate)) for figure in found)


def _loss(check: Check, estimate: Estimate) -> Outcome:
    if estimate.low is None or estimate.high is None:
        return "unknown"
    if check.measure in LOWER_IS_BETTER:
        return "fail" if estimate.low > check.limit else "pass"
    return "fail" if estimate.high < -check.limit else "pass"


def _gap(check: Check, figures: tuple[Measured, ...]) -> tuple[CheckResult, ...]:
    wanted = f"{check.measure}_gap"
    found = [figure for figure in figures if figure.measure == wanted and figure.segment == check.column]
    if not found:
        return (_nothing(check, NOT_MEASURED),)
    small = [
        figure
        for figure in figures
        if figure.measure == check.measure
        and figure.segment.startswith(f"{check.column}=")
        and not figure.against
        and not figure.is_known
    ]
    judged = [_gap_result(check, figure) for figure in found]
    return (*judged, *(_result(check, figure, "unknown") for figure in small))


def _gap_result(check: Check, figure: Measured) -> CheckResult:
    # A gap of fewer than two groups is no pass and no excuse: whoever asked for it must look.
    result = _result(check, figure, inside(figure.estimate, None, check.limit))
    return result if figure.is_known else _nothing(check, figure.note or TOO_FEW)


def _somebody_selected(check: Check, figures: tuple[Measured, ...]) -> tuple[CheckResult, ...]:
    positive = {
        figure.segment: figure.estimate.value
        for figure in figures
        if figure.measure == "positive_share" and not figure.against
    }
    rates = [
        figure
        for figure in figures
        if figure.measure == "selection_rate"
        and not figure.against
        and "=" in figure.segment
        and (not check.column or figure.segment.startswith(f"{check.column}="))
    ]
    judged = [
        figure
        for figure in rates
        if figure.estimate.n >= check.minimum_rows and positive.get(figure.segment, 0.0) >= check.minimum_positive_share
    ]
    if not judged:
        return (_nothing(check, "no segment is large enough, or none was measured"),)
    nobody = [figure for figure in judged if figure.estimate.value <= 0.0]
    if nobody:
        return tuple(_result(check, figure, "fail") for figure in nobody)
    least = min(judged, key=lambda figure: figure.estimate.value)
    told = _result(check, least, "pass")
    return (_with_note(told, f"the least of {len(judged)} segments; {len(rates) - len(judged)} are too small"),)


def _label_balance(check: Check, figures: tuple[Measured, ...]) -> tuple[CheckResult, ...]:
    found = [figure for figure in figures if figure.measure == "label_share_change"]
    if not found:
        return (_nothing(check, NOT_MEASURED),)
    results: list[CheckResult] = []
    for figure in found:
        outcome = inside(figure.estimate, -check.limit, check.limit)
        blocks = not figure.segment or outcome != "unknown"
        results.append(_result(check, figure, outcome, is_blocking=blocks))
    return tuple(results)


def _with_note(result: CheckResult, note: str) -> CheckResult:
    return CheckResult(**{name: getattr(result, name) for name in result.__struct_fields__} | {"note": note})


_UNMEASURED = frozenset({"somebody_selected", "label_balance"})
_JUDGES: dict[CheckKind, Callable[[Check, tuple[Measured, ...]], tuple[CheckResult, ...]]] = {
    "at_least": _limit,
    "at_most": _limit,
    "within": _limit,
    "better_than": _better_than,
    "no_provable_loss": _no_provable_loss,
    "gap_at_most": _gap,
    "somebody_selected": _somebody_selected,
    "label_balance": _label_balance,
}
