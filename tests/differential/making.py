"""Sessions of requests, made by Hypothesis: what clients send, and what they should not."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from tests.differential import genai, grammar
from tests.differential.clients import STYLES
from tests.differential.filters import ORDERS
from tests.differential.peers import Step

WHOLE = frozenset({"experiments/search", "registered-models/search", "model-versions/search"})
"""Searches over all that there is: their filter, which keeps them to the session, is never spoilt."""
Draw = Callable[[Any], Any]
T0 = 1_700_000_000_000
MLFLOW = "2.0/mlflow/"

keys = st.sampled_from(["a", "b", "lr", "metrics.x", "a/b", "k é", "x-y", "a:b", "p.q", "A", "mlflow.note.content"])
odd_keys = st.sampled_from(
    [
        "",
        " ",
        ".",
        "..",
        "a//b",
        "../a",
        "/abs",
        "a/",
        "a$",
        "x" * 250,
        "x" * 251,
        "a\nb",
        "日本",
        "a/./b",
        "a,b",
        "#",
        "%41",
    ]
)
names = st.sampled_from(["one", "two", "Three", "a b", "with.dot", "é", "x_y", "name-1"])
odd_names = st.sampled_from(
    ["", " ", "\n", "a/b", "a:b", "..", ".", "n" * 256, "n" * 501, " padded ", "'quoted'", '"q"', "%", "🙂"]
)
texts = st.sampled_from(
    ["", "1", "v", "two words", "é🙂", "line\nbreak", '{"a": [1]}', "'", '"', "<b>&amp;", "%", "x" * 300]
)
long_texts = st.sampled_from(["x" * 6001, "y" * 8001, "z" * 500, "w" * 5001, "é" * 6100])
wrong = st.sampled_from(
    [None, 5, 1.5, True, False, [], ["a"], {}, {"a": 1}, "abc", "1e5", "", -1, 2**63, 1e300, "0", "TRUE"]
)
values = st.sampled_from(
    [0.0, 1.0, -1.5, 0.1 + 0.2, 5e-324, 1e308, "NaN", "Infinity", "-Infinity", "1e5", "0.5", -0.0, 7, "7"]
)
stamps = st.sampled_from([T0, T0 + 1, T0 + 2, 0, 1, str(T0), "1.7e+12"])
steps = st.sampled_from([0, 1, 2, -1, 10, "3", 2.0, 2**62])
stages = st.sampled_from(["None", "Staging", "Production", "Archived", "staging", "PRODUCTION", "bogus"])
aliases = st.sampled_from(
    ["champion", "Champion", "a-b", "é", "latest", "LATEST", "v1", "V2", "v", "a b", "", "x" * 256, "a/b", "v1x"]
)
statuses = st.sampled_from(["RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED", 1, 3, "3"])
views = st.sampled_from(["ACTIVE_ONLY", "DELETED_ONLY", "ALL", 1, 2, 3])
sources = st.sampled_from(
    [
        "s3://bucket/m",
        "models:/<lm:0>",
        "runs:/<run:0>/model",
        "mlflow-artifacts:/0/<run:0>/artifacts/model",
        "/etc",
        "file:///etc",
        "http://h/x",
        "../x",
        "s3://b/../c",
        "dbfs:/x",
        "models:/<S>-m0/1",
        "models:/none/1",
        "",
        "gs://b/%2e%2e/x",
        "relative/path",
        "models:/<S>-m0@champion",
    ]
)
digits = st.sampled_from(["1", "2", "3", "99", "0", "-1", "abc", "1.0"])
sizes = st.sampled_from([1, 2, 3, 100, 1000, 0, -1, 50_000, 50_001, "2", "abc", 1.5, None, 10**10])


def mostly(usual: Any, odd: Any, odds: int = 8) -> Any:
    """One in `odds` is odd."""
    return st.integers(0, odds).flatmap(lambda drawn: odd if drawn == odds else usual)


class Known:
    """How many of each kind the session has asked to make."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts = {"exp": 0, "run": 0, "lm": 0, "trace": 0, "as": 0, "ds": 0}

    def ref(self, kind: str) -> Any:
        """An id of that kind, sometimes one that is not there."""
        there = [f"<{kind}:{number}>" for number in range(self.counts[kind])] or [f"<{kind}:0>"]
        odd = st.sampled_from([f"<{kind}:99>", "", "abc", "a b", "é"])
        return mostly(st.sampled_from(there), odd, 25)

    def model(self) -> Any:
        """The name of a registered model."""
        there = st.sampled_from([f"{self.name}-m{number}" for number in range(3)])
        return mostly(there, st.sampled_from(["nobody", "", " ", "a/b"]), 20)


def _pairs(key: Any = None, value: Any = None, most: int = 3) -> Any:
    key = mostly(keys, odd_keys) if key is None else key
    pair = st.fixed_dictionaries({"key": key, "value": mostly(texts, long_texts) if value is None else value})
    return st.lists(pair, max_size=most)


def _metric(known: Known) -> dict[str, Any]:
    return {
        "key": mostly(keys, odd_keys, 15),
        "value": mostly(values, wrong, 40),
        "timestamp": mostly(stamps, wrong, 40),
        "step": mostly(steps, wrong, 40),
    }


def _metrics(known: Known) -> Any:
    return st.lists(
        st.fixed_dictionaries(_metric(known), optional={"model_id": mostly(st.just(""), known.ref("lm"), 5)}),
        max_size=4,
    )


def _dataset() -> Any:
    texts_ = mostly(names, st.sampled_from(["", "d" * 37, "s" * 501]), 15)
    return st.fixed_dictionaries(
        {
            "name": texts_,
            "digest": st.sampled_from(["d1", "d2", "é"]),
            "source_type": st.just("local"),
            "source": texts,
        },
        optional={"schema": texts, "profile": texts},
    )


def calls(known: Known) -> list[tuple[int, str, str, dict[str, Any], dict[str, Any]]]:
    """Weight, method, path, fields that are nearly always sent, fields that are sent now and then."""
    exp, run, lm, model = known.ref("exp"), known.ref("run"), known.ref("lm"), known.model()
    key, value = mostly(keys, odd_keys), mostly(texts, long_texts, 12)
    key_value = {"key": key, "value": value}
    tags = {"tags": _pairs()}
    page = {"max_results": mostly(st.sampled_from([1, 2, 3, 1000]), sizes), "page_token": _tokens()}
    version = {"name": model, "version": mostly(st.sampled_from(["1", "2"]), digits, 6)}
    exp_name = mostly(names.map(lambda one: f"{known.name}-{one}"), odd_names, 6)
    own = f"name LIKE '{known.name}-%'"
    return [
        (3, "POST", "experiments/create", {"name": exp_name}, {**tags, "artifact_location": _locations()}),
        (2, "GET", "experiments/get", {"experiment_id": exp}, {}),
        (1, "GET", "experiments/get-by-name", {"experiment_name": exp_name}, {}),
        (1, "POST", "experiments/update", {"experiment_id": exp, "new_name": exp_name}, {}),
        (1, "POST", "experiments/delete", {"experiment_id": exp}, {}),
        (1, "POST", "experiments/restore", {"experiment_id": exp}, {}),
        (2, "POST", "experiments/set-experiment-tag", {"experiment_id": exp, **key_value}, {}),
        (1, "POST", "experiments/delete-experiment-tag", {"experiment_id": exp, "key": key}, {}),
        (
            5,
            "POST|GET",
            "experiments/search",
            {"max_results": page["max_results"], "filter": grammar.filters("experiments").map(_and(own))},
            {"view_type": views, "order_by": grammar.orders("experiments"), "page_token": _tokens()},
        ),
        (
            6,
            "POST",
            "runs/create",
            {"experiment_id": exp, "start_time": mostly(st.just(T0 + known.counts["run"]), wrong, 60)},
            {"run_name": mostly(names, odd_names), "user_id": texts, "tags": _pairs()},
        ),
        (5, "GET", "runs/get", {"run_id": run}, {}),
        (2, "POST", "runs/update", {"run_id": run}, {"status": statuses, "end_time": stamps, "run_name": names}),
        (1, "POST", "runs/delete", {"run_id": run}, {}),
        (1, "POST", "runs/restore", {"run_id": run}, {}),
        (5, "POST", "runs/log-metric", {"run_id": run, **_metric(known)}, {"model_id": lm}),
        (4, "POST", "runs/log-parameter", {"run_id": run, **key_value}, {}),
        (4, "POST", "runs/set-tag", {"run_id": run, **key_value}, {}),
        (2, "POST", "runs/delete-tag", {"run_id": run, "key": key}, {}),
        (
            6,
            "POST",
            "runs/log-batch",
            {"run_id": run},
            {"metrics": _metrics(known), "params": _pairs(), "tags": _pairs()},
        ),
        (
            3,
            "POST",
            "runs/log-inputs",
            {"run_id": run},
            {
                "datasets": st.lists(
                    st.fixed_dictionaries(
                        {"dataset": _dataset()},
                        optional={"tags": _pairs(st.sampled_from(["mlflow.data.context", "a"]), texts)},
                    ),
                    max_size=2,
                ),
                "models": st.lists(st.fixed_dictionaries({"model_id": lm}), max_size=2),
            },
        ),
        (2, "POST", "runs/outputs", {"run_id": run, "models": _outputs(lm)}, {}),
        (
            9,
            "POST",
            "runs/search",
            {
                "experiment_ids": st.lists(exp, min_size=1, max_size=3),
                "filter": grammar.filters("runs"),
                "order_by": grammar.orders("runs"),
            },
            {**page, "run_view_type": views},
        ),
        (4, "GET", "metrics/get-history", {"run_id": run, "metric_key": key}, page),
        (
            2,
            "GET",
            "metrics/get-history-bulk-interval",
            {"run_ids": st.lists(run, min_size=1, max_size=2), "metric_key": key},
            {"max_results": sizes, "start_step": steps, "end_step": steps},
        ),
        (
            1,
            "GET",
            "artifacts/list",
            {"run_id": run},
            {"path": mostly(st.sampled_from(["", "a", "b/c"]), st.just(".."))},
        ),
        (
            4,
            "POST",
            "logged-models",
            {"experiment_id": exp},
            {
                "name": mostly(names, odd_names),
                "model_type": texts,
                "source_run_id": run,
                "params": _pairs(),
                "tags": _pairs(),
            },
        ),
        (3, "GET", "logged-models/<lm:0>", {}, {"allow_deleted": st.sampled_from(["true", "False", "x"])}),
        (1, "PATCH", "logged-models/<lm:0>", {"model_id": lm, "status": _model_status()}, {}),
        (1, "DELETE", "logged-models/<lm:1>", {}, {}),
        (2, "PATCH", "logged-models/<lm:0>/tags", {"tags": _pairs()}, {"model_id": lm}),
        (1, "DELETE", "logged-models/<lm:0>/tags/a", {}, {}),
        (1, "POST", "logged-models/<lm:0>/params", {"model_id": st.just("<lm:0>"), "params": _pairs()}, {}),
        (
            4,
            "POST",
            "logged-models/search",
            {"experiment_ids": st.lists(exp, min_size=1, max_size=3), "filter": grammar.filters("logged")},
            {
                **page,
                "order_by": st.lists(
                    st.fixed_dictionaries(
                        {"field_name": st.sampled_from(ORDERS["logged"])}, optional={"ascending": st.booleans()}
                    ),
                    max_size=2,
                ),
            },
        ),
        (4, "POST", "registered-models/create", {"name": model}, {"description": texts, **tags}),
        (2, "GET", "registered-models/get", {"name": model}, {}),
        (1, "PATCH", "registered-models/update", {"name": model}, {"description": texts}),
        (1, "POST", "registered-models/rename", {"name": model, "new_name": model}, {}),
        (1, "DELETE", "registered-models/delete", {"name": model}, {}),
        (2, "POST", "registered-models/set-tag", {"name": model, **key_value}, {}),
        (1, "DELETE", "registered-models/delete-tag", {"name": model, "key": key}, {}),
        (
            2,
            "POST|GET",
            "registered-models/get-latest-versions",
            {"name": model},
            {"stages": st.lists(stages, max_size=2)},
        ),
        (
            4,
            "GET",
            "registered-models/search",
            {"filter": grammar.filters("models").map(_and(own))},
            {
                "max_results": mostly(st.sampled_from([1, 2, 100]), sizes),
                "order_by": grammar.orders("models"),
                "page_token": _tokens(),
            },
        ),
        (2, "POST", "registered-models/alias", {**version, "alias": aliases}, {}),
        (1, "DELETE", "registered-models/alias", {"name": model, "alias": aliases}, {}),
        (2, "GET", "registered-models/alias", {"name": model, "alias": aliases}, {}),
        (
            6,
            "POST",
            "model-versions/create",
            {"name": model, "source": mostly(st.just("s3://bucket/m"), sources, 2)},
            {"run_id": run, "description": texts, "run_link": texts, "model_id": lm, **tags},
        ),
        (2, "GET", "model-versions/get", version, {}),
        (1, "PATCH", "model-versions/update", version, {"description": texts}),
        (1, "DELETE", "model-versions/delete", version, {}),
        (
            3,
            "POST",
            "model-versions/transition-stage",
            {**version, "stage": stages},
            {"archive_existing_versions": st.booleans()},
        ),
        (1, "GET", "model-versions/get-download-uri", version, {}),
        (2, "POST", "model-versions/set-tag", {**version, **key_value}, {}),
        (1, "DELETE", "model-versions/delete-tag", {**version, "key": key}, {}),
        (
            4,
            "GET",
            "model-versions/search",
            {"filter": grammar.filters("versions").map(_and(own))},
            {
                "max_results": mostly(st.sampled_from([1, 2, 100]), sizes),
                "order_by": grammar.orders("versions"),
                "page_token": _tokens(),
            },
        ),
    ]


def _and(own: str) -> Callable[[str], str]:
    return lambda more: f"{own} AND {more}" if more else own


def _tokens() -> Any:
    return st.sampled_from(["", "", "<page:0>", "!!!", "bm90IGpzb24=", "e30=", "eyJvZmZzZXQiOiAxfQ=="])


def _outputs(lm: Any) -> Any:
    output = st.fixed_dictionaries({"model_id": lm}, optional={"step": st.sampled_from([0, 1, "2"])})
    return st.lists(output, max_size=2, unique_by=lambda one: one["model_id"])


def _locations() -> Any:
    return mostly(
        st.sampled_from(["", "s3://bucket/x", "s3://bucket/x/", "gs://b/y?z=1", "dbfs:/x"]),
        st.sampled_from(
            [
                "s3://b/x#f",
                "s3://b/x;p",
                "runs:/a/b",
                "http://h/x",
                "ftp://h/x",
                "s3://b/?a=..",
                "x" * 2049,
                "hdfs://h/x",
            ]
        ),
    )


def _model_status() -> Any:
    return st.sampled_from(["LOGGED_MODEL_READY", "LOGGED_MODEL_PENDING", "LOGGED_MODEL_UPLOAD_FAILED", 2, "2"])


@st.composite
def sessions(draw: Draw, name: str, length: int = 25) -> list[Step]:
    """A session: something is made first, then anything may follow; one in three is about traces."""
    known = Known(name)
    is_genai = draw(st.integers(0, 2)) == 0
    style = STYLES["python" if is_genai else draw(st.sampled_from(["python", "python", "java", "r", "camel"]))]
    made = [_step(draw, known, call, spoils=False) for call in _first(known)]
    for _ in range(draw(st.integers(5, length))):
        if is_genai and draw(st.integers(0, 7)) == 0:
            made.append(draw(genai.spans(known)))
            continue
        table = _genai(known) if is_genai else calls(known)
        number = draw(st.integers(0, sum(row[0] for row in table) - 1))
        for row in table:
            number -= row[0]
            if number < 0:
                made.append(style(_step(draw, known, row)))
                break
    return made


def _genai(known: Known) -> list[Any]:
    return genai.calls(known, {"traces": grammar.filters("traces")}, ORDERS)


def _first(known: Known) -> list[Any]:
    exact = {
        "experiments/create": {"name": st.just(f"{known.name}-first")},
        "runs/create": {"experiment_id": st.just("<exp:0>"), "start_time": st.just(T0)},
        "registered-models/create": {"name": st.just(f"{known.name}-m0")},
        "logged-models": {"experiment_id": st.just("<exp:0>"), "name": st.just("lm")},
        "model-versions/create": {"name": st.just(f"{known.name}-m0"), "source": st.just("s3://bucket/m")},
    }
    exact["runs/create again"] = {"experiment_id": st.just("<exp:0>"), "start_time": st.just(T0 + 1)}
    order = ["experiments/create", "runs/create", "runs/create again", "logged-models", "registered-models/create"]
    return [(1, "POST", path.removesuffix(" again"), exact[path], {}) for path in [*order, "model-versions/create"]]


MAKES = (
    ("exp", "experiments/create"),
    ("run", "runs/create"),
    ("lm", "logged-models"),
    ("trace", "2.0/mlflow/traces"),
    ("as", "assessments"),
    ("ds", "datasets/create"),
)


def _step(draw: Draw, known: Known, call: Any, *, spoils: bool = True) -> Step:
    _, methods, path, usual, seldom = call
    method = draw(st.sampled_from(methods.split("|")))
    fields: dict[str, Any] = {}
    for field, strategy in usual.items():
        fields[field] = draw(strategy)
    for field, strategy in seldom.items():
        if draw(st.integers(0, 2)) == 0:
            fields[field] = draw(strategy)
    if spoils and fields and path not in WHOLE and draw(st.integers(0, 11)) == 0:
        _spoil(draw, fields)
    fields = {field: _named(value, known.name) for field, value in fields.items()}
    if isinstance(path, tuple):
        path = path[0].format(*(quote(draw(part), safe="<>:") or "none" for part in path[1:]))
    for kind, where in MAKES:
        if path.endswith(where) and method == "POST":
            known.counts[kind] += 1
    whole = path if path[1:2] == "." else MLFLOW + path
    prefix = draw(st.sampled_from(["/api/", "/api/", "/ajax-api/"]))
    if method == "GET":
        return Step(method=method, path=whole, query=_query(fields), prefix=prefix)
    body = fields if fields or method in {"POST", "PATCH"} else None
    return Step(method=method, path=whole, body=body, prefix=prefix)


def _named(value: Any, name: str) -> Any:
    return value.replace("<S>", name) if isinstance(value, str) else value


def _spoil(draw: Draw, fields: dict[str, Any]) -> None:
    field = draw(st.sampled_from(sorted(fields)))
    how = draw(st.integers(0, 2))
    if how == 0:
        del fields[field]
    elif how == 1:
        fields[field] = draw(wrong)
    else:
        fields["unknown_field"] = draw(wrong)


def _query(fields: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (field, str(one))
        for field, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    )
