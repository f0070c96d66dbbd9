"""Filters and orders made of the parts that each search knows, and such texts with something broken in them."""

from typing import Any

from hypothesis import strategies as st
from tests.differential.filters import FILTERS, ORDERS

NUMBERS = ("0", "1", "-1", "1.5", ".9", "1e-1", "1e400", "1700000000001", "'1'", "9007199254740993", "-0.0", "1.0")
TEXTS = ("'v'", "'1'", '"v"', "''", "'%'", "'V%'", "'_'", "'é%'", "'two words'", "'a''b'", '"it\'s"', "1", "v", "`v`")
LISTS = ("('v')", "('v', '1')", "('v','READY')", "()", "(1)", "('v'", '("v", "OK")', "'v'")
STATES = ("'FINISHED'", "'RUNNING'", "'READY'", "'OK'", "'ERROR'", "'finished'", "'%N%'")
NUMERIC = ("=", "!=", ">", ">=", "<", "<=")
WORDS = ("=", "!=", "LIKE", "ILIKE", "like", "Ilike")
NULLS = ("IS NULL", "IS NOT NULL", "is null", "Is Not Null")
SETS = ("IN", "NOT IN", "in", "not  in")
EVERY = (*NUMERIC, *WORDS, *SETS, "==", "<>", "RLIKE", "NOT LIKE", "BETWEEN", "")
KEYS = (
    "a",
    "b",
    "lr",
    "`k é`",
    '"x-y"',
    "'x-y'",
    "p.q",
    "A",
    "`a/b`",
    "`a:b`",
    "mlflow.note.content",
    "`metrics.x`",
    "k é",
)

Sort = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""Prefixes, keys, operators, values."""

_PAIRS: Sort = (("tags.", "tag.", "tags.", "Tags."), KEYS, (*WORDS, *WORDS, *NULLS, *SETS), (*TEXTS, *LISTS))
_METRICS: Sort = (("metrics.", "metric.", "metrics."), KEYS, (*NUMERIC, "LIKE", "IS NULL"), NUMBERS)
_PARAMS: Sort = (("params.", "param.", "parameters."), KEYS, (*WORDS, *WORDS, *NULLS, "IN"), (*TEXTS, *LISTS))
_NAMES: tuple[str, ...] = ("", "", "attributes.", "attribute.", "attr.")
_TRACED = ("", "", "attributes.", "attribute.", "trace.")

SORTS: dict[str, tuple[Sort, ...]] = {
    "runs": (
        _METRICS,
        _METRICS,
        _PARAMS,
        _PAIRS,
        (_NAMES, ("status", "run_name", "user_id", "artifact_uri", "`Run name`"), (*WORDS, *SETS), (*TEXTS, *STATES)),
        (_NAMES, ("run_id",), (*WORDS, *SETS), ("'<run:0>'", "('<run:0>', '<run:1>')", "('x')", "'%'", *LISTS)),
        (_NAMES, ("start_time", "end_time", "created", "Created"), NUMERIC, NUMBERS),
        (
            ("dataset.", "datasets.", "dataset."),
            ("name", "digest", "context"),
            (*WORDS, *SETS),
            ("'one'", "'d1'", "('one', 'd1', 'v')", "'%'", *TEXTS, *LISTS),
        ),
    ),
    "experiments": (
        _PAIRS,
        (("", "attribute.", ""), ("name", "experiment_id"), (*WORDS, *SETS), (*TEXTS, *LISTS, "'1'", "('1', '2')")),
        (("", "attribute.", ""), ("creation_time", "last_update_time"), NUMERIC, NUMBERS),
    ),
    "models": (_PAIRS, (("", "attribute.", ""), ("name",), (*WORDS, *SETS), (*TEXTS, *LISTS, "'%m0'", "'%M0'"))),
    "versions": (
        _PAIRS,
        (
            ("", "attribute.", ""),
            ("name", "run_id", "source_path", "source"),
            (*WORDS, *SETS),
            (*TEXTS, *LISTS, "'<run:0>'", "'s3:%'"),
        ),
        (("", "attribute.", ""), ("version_number",), NUMERIC, (*NUMBERS, "'2'", "2", "1")),
    ),
    "logged": (
        (("metrics.", "metrics."), KEYS, NUMERIC, NUMBERS),
        (("params.", "tags."), KEYS, (*WORDS, *SETS), ("'v'", "'1'", "'V%'", "('v', '1')", "''")),
        (
            ("", "attributes.", ""),
            ("name", "model_type", "source_run_id", "experiment_id", "model_id"),
            (*WORDS, *SETS),
            ("'v'", "'lm'", "('lm', 'v')", "'%'", "'<run:0>'", "'<lm:0>'"),
        ),
        (("", "attributes."), ("creation_timestamp", "creation_time", "last_updated_timestamp"), NUMERIC, NUMBERS[:4]),
        (("", "attributes."), ("status",), ("=", "!="), ("'READY'", "'PENDING'", "'FAILED'")),
    ),
    "traces": (
        (("tags.", "tag.", "metadata.", "request_metadata."), KEYS, (*WORDS, *NULLS, "RLIKE"), TEXTS[:8]),
        (_TRACED, ("status", "name", "request_id", "client_request_id", "run_id"), (*WORDS, *SETS), (*TEXTS, *STATES)),
        (_TRACED, ("timestamp_ms", "timestamp", "execution_time_ms", "execution_time", "end_time"), NUMERIC, NUMBERS),
        (
            ("feedback.", "expectation."),
            ("good", "score", "grade", "`with blank`"),
            (*NUMERIC, *WORDS, *NULLS),
            ("'true'", "'yes'", "'1'", "0", "'0.5'", "1", "'%e%'", "'null'"),
        ),
        (
            ("span.",),
            ("name", "type", "status"),
            (*WORDS, *SETS),
            ("'root'", "'LLM'", "'OK'", "('child', 'root')", "'%'"),
        ),
    ),
}


@st.composite
def _comparisons(draw: Any, sort: Sort) -> str:
    prefixes, keys, operators, values = sort
    operator = draw(st.sampled_from(operators if draw(st.integers(0, 9)) else EVERY))
    left = draw(st.sampled_from(prefixes)) + draw(st.sampled_from(keys))
    if operator.upper().startswith("IS"):
        return f"{left} {operator}"
    right = draw(st.sampled_from(values))
    fitting = [value for value in values if value.startswith("(")]
    if operator.upper() in {"IN", "NOT IN", "NOT  IN"} and fitting and draw(st.integers(0, 5)):
        right = draw(st.sampled_from(fitting))
    space = draw(st.sampled_from([" ", " ", " ", "  "]))
    tight = operator in NUMERIC and draw(st.integers(0, 3)) == 0
    return f"{left}{operator}{right}" if tight else f"{left}{space}{operator}{space}{right}"


@st.composite
def _broken(draw: Any, text: str) -> str:
    at = draw(st.integers(0, len(text)))
    how = draw(st.integers(0, 4))
    if how == 0:
        return text[:at]
    if how == 1:
        stray: str = draw(st.sampled_from(["'", '"', "`", "(", ")", ";", ",", "--", ".", " OR ", "\0", "é"]))
        return text[:at] + stray + text[at:]
    words = text.split(" ")
    which = draw(st.integers(0, len(words) - 1))
    if how == 2:
        return " ".join(words[:which] + words[which + 1 :])
    if how == 3:
        return " ".join([*words[: which + 1], *words[which:]])
    return " ".join(reversed(words))


@st.composite
def made(draw: Any, kind: str) -> str:
    """A filter of one to three comparisons, one in six with something broken in it."""
    sorts = SORTS[kind]
    parts = [draw(_comparisons(draw(st.sampled_from(sorts)))) for _ in range(draw(st.sampled_from([1, 1, 1, 2, 2, 3])))]
    text = draw(st.sampled_from([" AND ", " AND ", " and ", " And ", "  AND\n"])).join(parts)
    return str(draw(_broken(text))) if draw(st.integers(0, 5)) == 0 else text


def filters(kind: str) -> Any:
    """A filter that is listed, or one that is made."""
    return st.one_of(st.sampled_from(FILTERS[kind]), made(kind), made(kind))


@st.composite
def _orders(draw: Any, kind: str) -> str:
    prefixes, keys, _, _ = draw(st.sampled_from(SORTS[kind]))
    direction = draw(
        st.sampled_from(["", "", " ASC", " DESC", " desc", " Asc", "  DESC", " UP", " NULLS LAST", " DESC ASC"])
    )
    return f"{draw(st.sampled_from(prefixes))}{draw(st.sampled_from(keys))}{direction}"


def orders(kind: str) -> Any:
    """At most three parts of an order, listed or made."""
    return st.lists(st.one_of(st.sampled_from(ORDERS[kind]), _orders(kind)), max_size=3)
