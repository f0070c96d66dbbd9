"""A real model on the real years: estimated against realised quality, importance, and the fault of 2019's codes."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tests.monitoring.making import FEATURES, RELP_OF_2019, batch, people, rows_of, window

from airside.core.column import Column
from airside.monitoring.analyse import analyse, served_of
from airside.monitoring.records import AlertRule, Figure, WindowResult
from airside.monitoring.rules import decide, pooled
from airside.monitoring.words import opening
from airside.quality.measures.estimated import fit
from airside.quality.measures.importance import permutation_importance
from airside.quality.measures.intervals import Entities
from airside.quality.measures.performance import binary
from airside.quality.measures.profile import reference_of
from airside.quality.profiles import Reference

pytestmark = pytest.mark.slow
RULE = AlertRule()


def matrix(columns: Any) -> npt.NDArray[np.float64]:
    return np.column_stack([columns[name] for name in FEATURES]).astype(np.float64)


@lru_cache(maxsize=1)
def trained() -> tuple[Any, Reference, tuple[Figure, ...]]:
    """Boosting on the 2015 training households, its reference, and what it is worth on the others."""
    ensemble = pytest.importorskip("sklearn.ensemble")
    table = people()
    first = table["year"] == 2015
    train, test = first & (table["household"] % 5 != 0), first & (table["household"] % 5 == 0)
    codes = [index for index, name in enumerate(FEATURES) if name != "AGEP"]
    model = ensemble.HistGradientBoostingClassifier(max_iter=150, categorical_features=codes, random_state=0)
    model.fit(matrix(rows_of(train)), table["employed"][train])
    scores, labels = model.predict_proba(matrix(rows_of(test)))[:, 1], table["employed"][test].astype(bool)
    importance = permutation_importance(
        lambda columns: model.predict_proba(matrix(columns))[:, 1],
        {name: values.astype(np.float64) for name, values in rows_of(test).items()},
        labels,
        FEATURES,
        repeats=3,
    )
    columns = [Column(name=name, type="long", categorical=name != "AGEP") for name in FEATURES]
    profiled = {**rows_of(train), "prediction": model.predict_proba(matrix(rows_of(train)))[:, 1]}
    made = reference_of(profiled, [*columns, Column(name="prediction", type="double")], importance=importance)
    values = {name: getattr(made, name) for name in made.__struct_fields__}
    measured = binary(labels, scores, entities=Entities(None, len(labels)))
    baseline = (Figure(measure="accuracy", basis="reference", estimate=measured["accuracy"]),)
    return model, Reference(**{**values, "calibration": fit(labels, scores)}), baseline


@lru_cache(maxsize=64)
def served(year: int, number: int, *, recoded: bool = False) -> WindowResult:
    model, reference, baseline = trained()
    mask = batch(year, number)
    columns = rows_of(mask)
    if recoded:
        columns["RELP"] = np.array([RELP_OF_2019[code] for code in columns["RELP"].tolist()])
    scores = model.predict_proba(matrix(columns))
    answers, truth = (scores[:, 1] > 0.5).astype(int).tolist(), people()["employed"][mask].tolist()
    rows = served_of({name: values.tolist() for name, values in columns.items()}, answers, scores.tolist(), truth)
    return analyse(reference, rows, RULE, baseline=baseline, by_segment=("SEX",))


def yearly(year: int, measure: str, basis: str) -> float:
    found = [served(year, number).figures for number in range(1, 13)]
    wanted = (measure, basis, "")
    return pooled([f.estimate for figures in found for f in figures if (f.measure, f.basis, f.segment) == wanted]).value


def test_the_estimate_sinks_a_little_while_the_truth_rises() -> None:
    assert yearly(2016, "accuracy", "estimated") == pytest.approx(0.787, abs=0.004)
    assert yearly(2016, "accuracy", "realised") == pytest.approx(0.791, abs=0.004)
    assert yearly(2017, "accuracy", "estimated") < yearly(2017, "accuracy", "realised") - 0.005
    assert yearly(2016, "auc", "realised") == pytest.approx(0.855, abs=0.004)
    assert yearly(2017, "calibration", "realised") == pytest.approx(-0.0085, abs=0.003)


def test_the_alert_of_2016_says_that_the_drift_is_certain_and_does_not_matter() -> None:
    history = [window(number, *result.columns, figures=result.figures) for number, result in (
        (number, served(2016, number)) for number in (2, 3, 4, 5)
    )]  # fmt: skip
    decision = decide(RULE, history, [])

    assert [(one.kind, one.columns, one.severity) for one in decision.opened] == [("drift", ("ANC",), "warning")]
    _, text = opening(RULE, decision.opened[0], history, "retrain all the same")
    assert "ANC: certain, and of no consequence for the model." in text
    assert "Accuracy with labels: 0.7" in text


def test_the_score_does_not_drift_in_2016() -> None:
    score = served(2016, 4).prediction
    assert score is not None
    assert not score.is_flagged


def test_the_codes_of_2019_are_critical_although_boosting_bears_them() -> None:
    result = served(2018, 1, recoded=True)
    opened = decide(RULE, [window(1, *result.columns, figures=result.figures)], []).opened

    unseen = next(one for one in opened if one.kind == "unseen")
    assert (unseen.columns, unseen.severity) == (("RELP",), "critical")
    realised = next(
        f.estimate.value for f in result.figures if (f.measure, f.basis, f.segment) == ("accuracy", "realised", "")
    )
    assert realised == pytest.approx(0.785, abs=0.02)
