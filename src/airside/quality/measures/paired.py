"""One model against another on the same rows: the verdict is the interval of the difference, never two figures."""

import numpy as np

from airside.core.estimate import Estimate
from airside.quality.measures.arrays import Bools, Floats
from airside.quality.measures.auc import auc_difference
from airside.quality.measures.intervals import LEVEL, Entities, mean, share
from airside.quality.measures.performance import losses


def differences(
    labels: Bools,
    ours: Floats,
    theirs: Floats,
    *,
    entities: Entities,
    threshold: float = 0.5,
    level: float = LEVEL,
) -> dict[str, Estimate]:
    """Ours - theirs of each measure, with the interval of the paired difference over entities.

    Args:
        labels: the truth. Shape (n,).
        ours: our probabilities. Shape (n,).
        theirs: the champion's or the baseline's. Shape (n,).
        entities: the entities of the rows.
        threshold: a probability at or above it selects.
        level: the coverage.

    Returns:
        `accuracy`, `auc`, `log_loss`, `brier`, `calibration`, and `disagreement`: the share of rows that the two
        judge differently.
    """
    our_choice, their_choice = ours >= threshold, theirs >= threshold
    right = (our_choice == labels).astype(np.float64) - (their_choice == labels)
    everyone = np.ones(len(labels), dtype=bool)
    return {
        "accuracy": mean(right, entities, level),
        "auc": auc_difference(labels, theirs, ours, entities, level),
        "log_loss": mean(losses(labels, ours) - losses(labels, theirs), entities, level),
        "brier": mean((ours - labels) ** 2 - (theirs - labels) ** 2, entities, level),
        "calibration": mean(ours - theirs, entities, level),
        "disagreement": share(our_choice != their_choice, everyone, entities, level),
    }
