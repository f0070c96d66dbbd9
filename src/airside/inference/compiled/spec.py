"""What `model.json` of a compiled model says: blocks that turn columns into features, an estimator, a head.

All numbers that may be many (or not finite) stand in `.npy` files beside it, named here.
"""

from typing import Any, Literal

from airside.core.record import Record

FORMAT = 1
Key = str | bool | int | float


class Step(Record):
    """One operation on a number: `impute a`, `subtract a`, `divide a`, `multiply a`, `add a`, `clip a b`, `missing`."""

    kind: Literal["impute", "subtract", "divide", "multiply", "add", "clip", "missing"]
    a: float = 0.0
    b: float = 0.0


class NumberSpec(Record, tag="number", tag_field="kind"):
    """One column read as a number, after its steps one feature."""

    column: str
    steps: tuple[Step, ...] = ()
    nullable: bool = True


class LookupSpec(Record, tag="lookup", tag_field="kind"):
    """One column of known values.

    Whatever it feeds has a row for each of `keys`, then one for an unknown value, one for None and one for NaN.
    """

    column: str
    keys: tuple[Key, ...]
    nullable: bool = True


class SplineSpec(Record, tag="spline", tag_field="kind"):
    """One number through a B-spline basis, constant beyond the outer knots.

    Attributes:
        knots: array (n_knots,).
        outputs: features of the full basis.
    """

    column: str
    steps: tuple[Step, ...]
    knots: str
    degree: int
    outputs: int
    nullable: bool = True


class BinsSpec(Record, tag="bins", tag_field="kind"):
    """One number put into bins. Whatever it feeds has a row for each bin, then one for NaN.

    Attributes:
        edges: array (n_bins - 1,), the inner edges; a value on an edge belongs to the bin above it.
    """

    column: str
    steps: tuple[Step, ...]
    edges: str
    nullable: bool = True


BlockSpec = NumberSpec | LookupSpec | SplineSpec | BinsSpec


class LinearSpec(Record, tag="linear", tag_field="kind"):
    """Intercept plus the contribution of each block, in order.

    Attributes:
        intercept: array (n_scores,).
        weights: for each block an array: (1, n_scores) for a number, (rows, n_scores) for a lookup or bins,
            (outputs, n_scores) for a spline.
    """

    intercept: str
    weights: tuple[str, ...]


class MasksSpec(Record, tag="masks", tag_field="kind"):
    """Trees as bit masks: each row of a block says which leaves of which trees are still possible.

    The leaves that are left after the masks of all blocks are ANDed are the answer.

    Attributes:
        thresholds: for each block the sorted thresholds of a number (its rows: below each, above all, NaN), or ``""``.
        masks: array (rows of all blocks, words) of uint64.
        firsts: array (words,), the leaf that bit 0 of a word stands for.
        values: array (leaves, n_values).
    """

    thresholds: tuple[str, ...]
    masks: str
    firsts: str
    values: str
    trees: int


class NodesSpec(Record, tag="nodes", tag_field="kind"):
    """Trees as flat nodes over a matrix of features; a leaf points to itself.

    Attributes:
        features: for each block the features that it gives: arrays (rows, k) for lookups and bins, ``""`` otherwise.
        feature, threshold, children, missing, category: arrays by node; `children` is (2 · nodes,): right, left.
        left_sets: array (categorical nodes, 256), whether a code goes left; may be empty.
        values: array (nodes, n_values).
        roots: array (trees,).
    """

    features: tuple[str, ...]
    feature: str
    threshold: str
    children: str
    missing: str
    category: str
    left_sets: str
    values: str
    roots: str
    depth: int


class SumSpec(Record):
    """How the values of the leaves become scores.

    Attributes:
        initial: array (n_scores,), what the sum starts with.
        scores: how many scores a row has; leaves of one value belong to the classes in turn.
        mean: divide by the number of trees.
    """

    initial: str
    scores: int
    mean: bool = False


class HeadSpec(Record):
    """How scores become labels and probabilities.

    Attributes:
        link: `none` (regression), `fractions` (scores are probabilities), `logistic` (one score), `softmax`, `ovr`.
        classes: the labels.
        zero_is_positive: whether a score of exactly 0 means the second class.
        finite: whether a score that is no finite number is refused (linear models refuse such input).
    """

    link: Literal["none", "fractions", "logistic", "softmax", "ovr"]
    classes: tuple[Any, ...] = ()
    zero_is_positive: bool = False
    finite: bool = False


class ModelSpec(Record):
    """`model.json`."""

    format: int
    columns: tuple[str, ...]
    blocks: tuple[BlockSpec, ...]
    estimator: LinearSpec | MasksSpec | NodesSpec
    head: HeadSpec
    sum: SumSpec | None = None
    exact: bool = True
    compiled_from: str = ""
