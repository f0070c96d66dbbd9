"""The judge: tests of a challenger that stay valid at every look.

Pure functions of counts. The test of two proportions is the e-process of Turner, Ly and Grünwald, *Generic
E-variables for exact sequential k-sample tests that allow for optional stopping* (Journal of Statistical Planning and
Inference 230, 2024), averaged over risk ratios. The intervals are Robbins' beta-binomial mixture (Howard, Ramdas,
McAuliffe, Sekhon, Annals of Statistics 49(2), 2021). The paired tests bet against their hypothesis (Waudby-Smith and
Ramdas, *Estimating means of bounded random variables by betting*, JRSS-B 86(1), 2024).
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from airside.serving.records import Brake

RATIOS = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
"""The risk ratios that the e-process bets on."""
ODDS = (0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Shares of the one-sided pairs that the challenger loses, which the paired e-process bets on."""
STAKES = (0.1, 0.2, 0.4)
"""Stakes of the paired test of a margin. Below one half the wealth stays positive whatever the margin is.

The best stake is about (margin - difference) / share of one-sided pairs: a point over 5 to 15 %. Every further stake
costs the mixture evidence: eight of them need a tenth more rows than these three.
"""
PRIOR_BAD, PRIOR_ROWS = 0.2, 20.2
MAX_RATE = 0.999


class Tick(NamedTuple):
    """What came since the last look: rows and bad rows of champion and challenger."""

    champion_rows: int
    champion_bad: int
    challenger_rows: int
    challenger_bad: int


class TwoSample(NamedTuple):
    """The state of the test of two proportions: a log e-value for each ratio, and the champion's past."""

    log_e_ratios: tuple[float, ...] = (0.0,) * len(RATIOS)
    champion_rows: int = 0
    champion_bad: int = 0

    @property
    def log_e(self) -> float:
        """The log of the mixture's e-value: evidence that the challenger is worse.

        >>> TwoSample().log_e
        0.0
        """
        return log_sum_exp(self.log_e_ratios) - math.log(len(RATIOS))


def look(state: TwoSample, tick: Tick) -> TwoSample:
    """The state after one more tick. A tick that lacks one of the arms says nothing: merge it into the next.

    Under the hypothesis that in every tick the challenger's bad rate is not higher than the champion's, the
    probability that the e-value ever reaches 1 / alpha is at most alpha, however often one looks.

    >>> state = look(TwoSample(), Tick(540, 3, 60, 0))
    >>> round(state.log_e, 6)
    -0.671993
    >>> state = look(look(state, Tick(540, 2, 60, 2)), Tick(540, 3, 60, 4))
    >>> round(state.log_e, 6)
    3.884248
    """
    rows_a, bad_a, rows_b, bad_b = tick
    if rows_a == 0 or rows_b == 0:
        return state
    rate_a = (PRIOR_BAD + state.champion_bad) / (PRIOR_ROWS + state.champion_rows)
    log_e = []
    for ratio, before in zip(RATIOS, state.log_e_ratios, strict=True):
        rate_b = min(ratio * rate_a, MAX_RATE)
        common = (rows_a * rate_a + rows_b * rate_b) / (rows_a + rows_b)
        log_e.append(
            before
            + bad_a * math.log(rate_a / common)
            + (rows_a - bad_a) * math.log((1 - rate_a) / (1 - common))
            + bad_b * math.log(rate_b / common)
            + (rows_b - bad_b) * math.log((1 - rate_b) / (1 - common))
        )
    return TwoSample(tuple(log_e), state.champion_rows + rows_a, state.champion_bad + bad_a)


def log_limit(alpha: float, tests: int) -> float:
    """The log e-value at which one of several tests has found harm (Bonferroni).

    >>> round(log_limit(0.05, 1), 6)
    2.995732
    """
    return math.log(max(tests, 1) / alpha)


def interval(bad: int, rows: int, gamma: float) -> tuple[float, float]:
    """The confidence sequence of a rate: it holds at all times together with probability 1 - gamma.

    >>> [round(end, 6) for end in interval(5, 1000, 0.025)]
    [0.000462, 0.018937]
    >>> interval(0, 0, 0.025)
    (0.0, 1.0)
    """
    if rows == 0:
        return 0.0, 1.0
    level = _log_beta(0.5 + bad, 0.5 + rows - bad) - _log_beta(0.5, 0.5) - math.log(1 / gamma)
    centre = bad / rows

    def outside(rate: float) -> bool:
        return level > _log_power(bad, rate) + _log_power(rows - bad, 1 - rate)

    low = 0.0 if bad == 0 else _edge(outside, 0.0, centre)
    high = 1.0 if bad == rows else _edge(outside, 1.0, centre)
    return low, high


def log_e_paired(champion_wrong: int, challenger_wrong: int) -> float:
    """Evidence that, where exactly one of both is wrong, it is more often the challenger.

    >>> log_e_paired(0, 0)
    0.0
    >>> log_e_paired(10, 40) > log_limit(0.05, 1) > log_e_paired(25, 25)
    True
    """
    bets = [challenger_wrong * math.log(2 * q) + champion_wrong * math.log(2 * (1 - q)) for q in ODDS]
    return log_sum_exp(bets) - math.log(len(ODDS))


def log_e_margin(rows: int, champion_wrong: int, challenger_wrong: int, margin: float) -> float:
    """Evidence that the challenger's share of wrong rows exceeds the champion's by less than `margin`.

    Each row is a bet at a stake λ on the difference d ∈ {-1, 0, 1} of the two wrongs: the wealth is multiplied by
    1 - λ(d - margin), whose expectation is at most 1 as long as the mean of d is at least `margin`.

    >>> log_e_margin(2500, 85, 70, 0.02) > log_limit(0.05, 1) > log_e_margin(2500, 70, 120, 0.02)
    True
    """
    same = rows - champion_wrong - challenger_wrong
    bets = [
        challenger_wrong * math.log1p(-stake * (1 - margin))
        + champion_wrong * math.log1p(stake * (1 + margin))
        + same * math.log1p(stake * margin)
        for stake in STAKES
    ]
    return log_sum_exp(bets) - math.log(len(STAKES))


def paired_interval(rows: int, champion_wrong: int, challenger_wrong: int, alpha: float) -> tuple[float, float]:
    """The confidence sequence of (share wrong of the challenger - of the champion), each end at alpha / 2.

    >>> low, high = paired_interval(2500, 85, 70, 0.05)
    >>> low < -0.006 < high < 0.01
    True
    >>> paired_interval(0, 0, 0, 0.05)
    (-1.0, 1.0)
    """
    return -_paired_upper(rows, challenger_wrong, champion_wrong, alpha / 2), _paired_upper(
        rows, champion_wrong, challenger_wrong, alpha / 2
    )


def brake_text(recent: str, brake: Brake) -> str:
    """Why the brake falls, or an empty text. `recent`: a digit for each of the latest requests, 1 is a hard failure.

    >>> brake_text("0011111", Brake())
    '5 failures in a row'
    >>> brake_text("01011", Brake())
    ''
    """
    if brake.in_a_row and recent.endswith("1" * brake.in_a_row):
        return f"{brake.in_a_row} failures in a row"
    window = recent[-brake.last :]
    failed = window.count("1")
    if len(window) == brake.last and failed > brake.share * brake.last:
        return f"{failed} of the last {brake.last} requests failed"
    return ""


def log_sum_exp(values: Sequence[float]) -> float:
    """The log of the sum of the exponentials.

    >>> round(log_sum_exp([0.0, 0.0]), 6)
    0.693147
    """
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log_power(count: int, base: float) -> float:
    if count == 0:
        return 0.0
    return -math.inf if base <= 0 else count * math.log(base)


def _edge(outside: Callable[[float], bool], far: float, near: float) -> float:
    """Where the interval ends between a point outside and the centre, by bisection."""
    for _ in range(60):
        middle = (far + near) / 2
        if outside(middle):
            far = middle
        else:
            near = middle
    return (far + near) / 2


def _paired_upper(rows: int, champion_wrong: int, challenger_wrong: int, alpha: float) -> float:
    if rows == 0:
        return 1.0
    needed = math.log(1 / alpha)
    if log_e_margin(rows, champion_wrong, challenger_wrong, 1.0) < needed:
        return 1.0
    far, near = 1.0, -1.0
    for _ in range(50):
        middle = (far + near) / 2
        if log_e_margin(rows, champion_wrong, challenger_wrong, middle) >= needed:
            far = middle
        else:
            near = middle
    return far
