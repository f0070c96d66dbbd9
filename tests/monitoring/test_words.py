"""What an alert says."""

from tests.monitoring.making import figure, finding, flagged, window

from airside.monitoring.records import AlertRule, Distribution, LevelCount, Window
from airside.monitoring.rules import decide
from airside.monitoring.words import opening

RULE = AlertRule()
POLICY = "retrain on all labelled years, even where the drift does not matter"


def said(history: list[Window], policy: str = "") -> tuple[str, str]:
    return opening(RULE, decide(RULE, history, []).opened[0], history, policy)


def test_an_unimportant_drift_is_called_certain_and_of_no_consequence() -> None:
    quality = (figure("accuracy", "estimated", 0.787), figure("accuracy", "reference", 0.789))

    title, text = said([window(4, flagged()), window(5, flagged(), figures=quality)], POLICY)

    assert title == "ANC drifts"
    assert "ANC: certain, and of no consequence for the model." in text
    assert "Since delivery 2016-04, 2 windows" in text
    assert "4.0 % of the rows changed their code (3.0 % counts)" in text
    assert "Accuracy estimated without labels: 0.787 [0.777, 0.797] on 1,000 rows, 0.789 in the reference." in text
    assert text.endswith(f"Policy of this monitor: {POLICY}")


def test_the_codes_that_changed_most_are_named() -> None:
    shares = Distribution(cells=("1", "4"), reference=(0.55, 0.13), current=(0.51, 0.17))
    found = finding("ANC", effect=0.04, p_adjusted=1e-8, is_flagged=True, distribution=shares)

    assert "1 from 55.0 % to 51.0 %, 4 from 13.0 % to 17.0 %" in said([window(1, found), window(2, found)])[1]


def test_a_value_beyond_the_range_is_told_with_both_figures() -> None:
    found = finding("AGEP", above=37, p_range=1e-30, maximum=95.0, reference_maximum=94.0)

    title, text = said([window(1, found)])

    assert title == "AGEP 95 above the reference's maximum 94"
    assert "in 37 rows (0.9 %)" in text


def test_a_change_of_unit_is_named() -> None:
    found = finding("AGEP", above=3990, p_range=0.0, maximum=1140.0, reference_maximum=94.0, unit_factor=12.0)

    assert "Divided by 12 it fits the reference: a change of unit." in said([window(1, found)])[1]


def test_unseen_codes_are_listed_and_the_lost_ones_too() -> None:
    codes = tuple(LevelCount(level=str(code), rows=10) for code in range(20, 28))
    found = finding("RELP", unseen=codes, unseen_rows=4000, p_unseen=0.0, vanished=("0", "1"))

    text = said([window(1, found)])[1]

    assert "100 % of the rows have codes that the reference lacks: 20, 21, 22, 23, 24, 25 and more." in text
    assert "Gone: 0 and 1." in text
    assert "below 1e-300" in text


def test_missing_values_are_told_with_the_share_that_is_new() -> None:
    found = finding("SEX", n=3600, missing=400, p_missing=1e-40)

    assert "10.0 % of the rows have no value, 10.0 % more than in the reference." in said([window(1, found)])[1]


def test_nothing_is_known_of_the_quality_is_said() -> None:
    assert "Nothing is known of the quality" in said([window(1, flagged()), window(2, flagged())])[1]


def test_an_accuracy_alert_tells_interval_margin_and_reference() -> None:
    figures = (figure("accuracy", "realised", 0.55), figure("accuracy", "reference", 0.79))

    title, text = said([window(1, figures=figures)])

    assert title == "Accuracy is below the reference's"
    assert "0.550 [0.540, 0.560], provably more than 2 points below the reference's 0.790" in text


def test_a_calibration_alert_says_in_which_direction() -> None:
    figures = (figure("calibration", "realised", -0.02, reach=0.005),)

    title, text = said([window(1, figures=figures)])

    assert title == "Predictions are too low"
    assert "-2.00 points [-2.50, -1.50]" in text
