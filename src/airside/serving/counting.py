"""From logged requests and ground truth to the counts that the judge reads. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from airside.serving import rules
from airside.serving.records import Label, Phase, Role

Labels = tuple[Label, ...]
CountKey = tuple[str, str, str, str]
"""Rollout, phase, metric, role."""


class Answer(NamedTuple):
    """What the counts need to know of one logged request."""

    id: str
    request_id: str
    role: Role
    rollout_id: str
    phase: Phase
    rows: int
    latency_ms: float
    failed: bool
    paired_id: str
    labels: Labels


class Counts:
    """Rows and bad rows to be added, by rollout, phase, metric and role.

    >>> counts = Counts()
    >>> counts.add("ro-1", "canary", "error", "canary", 3, 1)
    >>> counts.add("ro-1", "canary", "error", "canary", 2, 0)
    >>> dict(counts.items())
    {('ro-1', 'canary', 'error', 'canary'): [5, 1]}
    """

    def __init__(self) -> None:
        self._counts: dict[CountKey, list[int]] = defaultdict(lambda: [0, 0])

    def add(self, rollout_id: str, phase: Phase, metric: str, role: Role, rows: int, bad: int) -> None:
        """Add rows and bad rows."""
        count = self._counts[rollout_id, phase, metric, role]
        count[0] += rows
        count[1] += bad

    def items(self) -> Mapping[CountKey, Sequence[int]]:
        """All that was added."""
        return self._counts


def count_answer(counts: Counts, answer: Answer, objective_ms: float) -> None:
    """Count a request that a rollout watches: failed, slow, and how many rows the challenger has answered."""
    if not answer.phase:
        return
    key = (answer.rollout_id, answer.phase)
    counts.add(*key, "error", answer.role, 1, int(answer.failed))
    if answer.phase == "canary" and not answer.failed:
        counts.add(*key, "latency", answer.role, 1, int(answer.latency_ms > objective_ms))
    if answer.role == "canary":
        counts.add(*key, "rows", "canary", answer.rows, 0)


def count_pair(counts: Counts, champion: Answer, shadow: Answer) -> None:
    """Count on how many rows the shadow's answer differs from the one that the caller got."""
    if champion.failed:
        return
    same = 0 if shadow.failed else sum(rules.right_rows(shadow.labels, champion.labels))
    counts.add(shadow.rollout_id, "shadow", "pair", "shadow", shadow.rows, shadow.rows - same)


def count_truth(counts: Counts, answer: Answer, truth: Labels) -> int:
    """Count the wrong labels of a request; the number of right ones is the answer."""
    right = sum(rules.right_rows(answer.labels, truth))
    if answer.phase == "canary" and answer.role != "shadow":
        counts.add(answer.rollout_id, "canary", "wrong_label", answer.role, answer.rows, answer.rows - right)
    return right


def count_labelled_pair(counts: Counts, champion: Answer, shadow: Answer, truth: Labels) -> None:
    """Count the labelled rows on which exactly one of both was wrong. A failed answer of the shadow is wrong."""
    if champion.failed:
        return
    champions = rules.right_rows(champion.labels, truth)
    shadows = [False] * len(champions) if shadow.failed else rules.right_rows(shadow.labels, truth)
    only_champion = sum(theirs and not ours for ours, theirs in zip(champions, shadows, strict=True))
    only_shadow = sum(ours and not theirs for ours, theirs in zip(champions, shadows, strict=True))
    counts.add(shadow.rollout_id, "shadow", "pair_label", "champion", shadow.rows, only_champion)
    counts.add(shadow.rollout_id, "shadow", "pair_label", "shadow", shadow.rows, only_shadow)


def pairs(answers: Iterable[Answer]) -> Iterable[tuple[Answer, Answer]]:
    """Each shadow with the answer that the caller got, where both are known."""
    every = list(answers)
    by_id = {answer.id: answer for answer in every}
    for answer in every:
        if answer.role == "shadow" and answer.paired_id in by_id:
            yield by_id[answer.paired_id], answer
