import pytest

from airside.serving import counting
from airside.serving.counting import Answer, Counts
from airside.serving.records import Phase, Role


def answer(
    labels: tuple[int, ...],
    role: Role = "champion",
    phase: Phase = "canary",
    *,
    latency_ms: float = 1,
    failed: bool = False,
    paired: str = "",
) -> Answer:
    return Answer(f"p-{role}", "r", role, "ro", phase, 3, latency_ms, failed, paired, labels)


@pytest.mark.parametrize(("latency_ms", "slow"), [(99, 0), (100, 0), (101, 1)])
def test_an_answer_over_the_objective_is_slow(latency_ms: float, slow: int) -> None:
    counts = Counts()
    counting.count_answer(counts, answer((1, 1, 1), "canary", latency_ms=latency_ms), 100)
    assert dict(counts.items()) == {
        ("ro", "canary", "error", "canary"): [1, 0],
        ("ro", "canary", "latency", "canary"): [1, slow],
        ("ro", "canary", "rows", "canary"): [3, 0],
    }


def test_a_failed_answer_is_an_error_and_has_no_latency() -> None:
    counts = Counts()
    counting.count_answer(counts, answer((), failed=True, latency_ms=9_999), 100)
    assert dict(counts.items()) == {("ro", "canary", "error", "champion"): [1, 1]}


def test_outside_a_rollout_nothing_is_counted() -> None:
    counts = Counts()
    counting.count_answer(counts, answer((1, 1, 1), phase=""), 100)
    assert counting.count_truth(counts, answer((1, 1, 1), phase=""), (1, 0, 1)) == 2
    assert dict(counts.items()) == {}


@pytest.mark.parametrize(
    ("champion", "shadow", "pair", "labelled"),
    [
        (answer((1, 1, 0)), answer((1, 0, 0), "shadow"), [3, 1], ([3, 0], [3, 1])),
        (answer((0, 0, 0)), answer((1, 1, 0), "shadow"), [3, 2], ([3, 2], [3, 0])),
        (answer((1, 1, 0)), answer((), "shadow", failed=True), [3, 3], ([3, 0], [3, 3])),
    ],
)
def test_pairs_are_counted_where_they_differ_and_where_one_alone_is_wrong(
    champion: Answer, shadow: Answer, pair: list[int], labelled: tuple[list[int], list[int]]
) -> None:
    counts = Counts()
    counting.count_pair(counts, champion, shadow)
    counting.count_labelled_pair(counts, champion, shadow, (1, 1, 0))
    assert dict(counts.items()) == {
        ("ro", "shadow", "pair", "shadow"): pair,
        ("ro", "shadow", "pair_label", "champion"): labelled[0],
        ("ro", "shadow", "pair_label", "shadow"): labelled[1],
    }


def test_where_the_champion_failed_there_is_nothing_to_compare() -> None:
    counts = Counts()
    failed, shadow = answer((), failed=True), answer((1, 1, 0), "shadow", paired="p-champion")
    counting.count_pair(counts, failed, shadow)
    counting.count_labelled_pair(counts, failed, shadow, (1, 1, 0))
    assert dict(counts.items()) == {}
    assert list(counting.pairs([failed, shadow])) == [(failed, shadow)]
    assert list(counting.pairs([shadow])) == []
