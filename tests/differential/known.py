"""The differences that are meant: each belongs to a row of docs/deviations.md, by the first words of that row."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from tests.differential.peers import Answered, Step

GENERAL_SQL = re.compile(r"\[SQL: |sqlite3\.|sqlalche\.me")
RAN_INTO = {400, 404}


def _text(answer: Answered) -> str:
    return str(answer.body.get("message", "")) if isinstance(answer.body, dict) else ""


def _code(answer: Answered) -> str:
    return str(answer.body.get("error_code", "")) if isinstance(answer.body, dict) else ""


def _refused(answer: Answered) -> bool:
    return answer.status == 400 and _code(answer) == "INVALID_PARAMETER_VALUE"


def _field(step: Step, name: str) -> Any:
    body = step.body
    if step.raw is not None:
        body = json.loads(step.raw) if step.raw.startswith("{") else {}
    if body is not None:
        return body.get(name)
    return [value for key, value in step.query or () if key == name]


HINTED = re.compile(r"Invalid value (.*) for parameter '(?:.*\.)?(\w+)(?:\[\d+\])?' supplied:  Hint: ", re.DOTALL)
WHOLE = frozenset(
    {"timestamp", "step", "start_time", "end_time", "max_results", "start_step", "end_step", "max_traces"}
)
SMALL = frozenset({"max_results", "start_step", "end_step", "max_traces"})
"""Fields of 32 bits; those of the searches of experiments and of the registry have 64."""


def _wrong_type(step: Step, theirs: Answered, ours: Answered) -> bool:
    """We refuse a value that really is of the wrong type: MLflow stores nonsense then, or refuses something too."""
    told = HINTED.match(_text(ours))
    if told is None or not _refused(ours) or not (theirs.status in {200, 500} or _refused(theirs)):
        return False
    return told[1].endswith("…") or not _fits(told[2], json.loads(told[1]))


def _fits(field: str, value: Any) -> bool:
    """Whether a field may have the value, by the contract (section 1.3)."""
    if field in WHOLE or field.endswith(("_ms", "_millis")):
        return _is_whole(value, 2**31 if field in SMALL else 2**63)
    if field == "value" and not isinstance(value, str):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _is_whole(value: Any, bound: int) -> bool:
    if isinstance(value, bool | list | dict) or value != (value.strip() if isinstance(value, str) else value):
        return False
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return False
    return number == number // 1 and -bound <= number < bound


def _enum(step: Step, theirs: Answered, ours: Answered) -> bool:
    return theirs.status == 200 and _refused(ours) and " Valid values are " in _text(ours)


def _worded_boolean(step: Step, theirs: Answered, ours: Answered) -> bool:
    if "Invalid boolean value" in _text(ours):
        return True
    return "archive_existing_versions" in _text(theirs) and "'str'" in _text(theirs)


def _mistake(step: Step, theirs: Answered, ours: Answered) -> bool:
    return theirs.status == 500 and ours.status in RAN_INTO and _code(theirs) != "INVALID_STATE"


def _sql(step: Step, theirs: Answered, ours: Answered) -> bool:
    return bool(GENERAL_SQL.search(_text(theirs))) and not GENERAL_SQL.search(_text(ours)) and ours.status in RAN_INTO


def _duplicate_tags(step: Step, theirs: Answered, ours: Answered) -> bool:
    lists = [_field(step, "tags"), *(item.get("tags") for item in _field(step, "datasets") or [])]
    keys = [[tag.get("key") for tag in tags if isinstance(tag, dict)] for tags in lists if tags]
    is_twice = any(len(set(some)) < len(some) for some in keys)
    return ours.status == 200 and theirs.status == 400 and is_twice


def _no_experiment(step: Step, theirs: Answered, ours: Answered) -> bool:
    return step.path.endswith("runs/create") and not _field(step, "experiment_id") and ours.status == 200


def _page_token(step: Step, theirs: Answered, ours: Answered) -> bool:
    return bool(_field(step, "page_token") or _field(step, "pageToken")) and (
        "page token" in _text(theirs) or "page token" in _text(ours)
    )


def _aliases(step: Step, theirs: Answered, ours: Answered) -> bool:
    return theirs.status == ours.status == 200 and _without(theirs.body, "aliases") == _without(ours.body, "aliases")


def _without(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, name) for key, item in value.items() if key != name}
    if isinstance(value, list):
        return [_without(item, name) for item in value]
    return value


def _post_search(step: Step, theirs: Answered, ours: Answered) -> bool:
    return theirs.status == 405 and step.path.endswith("registered-models/search")


def _unknown_model(step: Step, theirs: Answered, ours: Answered) -> bool:
    return ours.status == 404 and "Logged model" in _text(ours) and step.path.endswith(("log-metric", "log-batch"))


def _patched_other(step: Step, theirs: Answered, ours: Answered) -> bool:
    return step.method == "PATCH" and step.path.rpartition("/")[0].endswith("logged-models")


def _unknown_path(step: Step, theirs: Answered, ours: Answered) -> bool:
    return theirs.status == ours.status and theirs.status in {404, 405} and theirs.body is None


def _upper_type(step: Step, theirs: Answered, ours: Answered) -> bool:
    return (step.content_type or "").isupper()


def _white_name(step: Step, theirs: Answered, ours: Answered) -> bool:
    return _refused(ours) and "Invalid experiment name" in _text(ours)


def _server_path(step: Step, theirs: Answered, ours: Answered) -> bool:
    return _refused(theirs) and _refused(ours) and "To use a local path" in _text(theirs)


def _number_like(step: Step, theirs: Answered, ours: Answered) -> bool:
    return _refused(ours) and step.path.endswith("logged-models/search") and " LIKE " in str(_field(step, "filter"))


def _unknown_status(step: Step, theirs: Answered, ours: Answered) -> bool:
    return _refused(ours) and "Unknown model status in filter" in _text(ours)


def _quoted_name(step: Step, theirs: Answered, ours: Answered) -> bool:
    asked = str(_field(step, "filter"))
    return (
        _refused(theirs) and ours.status == 200 and bool(re.search("`(name|run_id|source_path|version_number)`", asked))
    )


def _models(step: Step, theirs: Answered, ours: Answered, word: str) -> tuple[list[Any], list[Any]] | None:
    """The models that two servers found, where that is asked with this word in the filter."""
    is_search = step.path.endswith("logged-models/search") and theirs.status == ours.status == 200
    if not is_search or not re.search(word, str(_field(step, "filter"))):
        return None
    return [_sorted_points(one) for one in theirs.body.get("models", [])], [
        _sorted_points(_zeroed(one)) for one in ours.body.get("models", [])
    ]


def _status(step: Step, theirs: Answered, ours: Answered) -> bool:
    found = _models(step, theirs, ours, r"status`?\s*(!?=|(NOT )?IN)")
    return found is not None and (not found[0] or all(one in found[0] for one in found[1]))


def _latest_point(step: Step, theirs: Answered, ours: Answered) -> bool:
    found = _models(step, theirs, ours, r"metrics\.")
    return found is not None and all(one in found[0] for one in found[1])


def _double_quotes(step: Step, theirs: Answered, ours: Answered) -> bool:
    found = _models(step, theirs, ours, "\"|\\.'")
    return found is not None and all(one in found[1] for one in found[0])


def _number_for_text(step: Step, theirs: Answered, ours: Answered) -> bool:
    is_told = _text(ours).startswith("Expected a quoted string value")
    return step.path.endswith("logged-models/search") and theirs.status == 200 and _refused(ours) and is_told


def _odd_key(step: Step, theirs: Answered, ours: Answered) -> bool:
    asked = f"{_field(step, 'filter')} {_field(step, 'order_by')} {_field(step, 'orderBy')}"
    is_odd = re.search(r"\w\.(\d|(in|is|not|like|and|or|null)\b)|(is|not|IS|NOT)\s{2,}", asked)
    return _refused(theirs) and ours.status == 200 and is_odd is not None


def _spans(step: Step, theirs: Answered, ours: Answered) -> bool:
    is_empty = (theirs.body, ours.body) == (None, {})
    return step.path == "v1/traces" and theirs.status == ours.status and (is_empty or ours.status >= 400)


def _model_nan(step: Step, theirs: Answered, ours: Answered) -> bool:
    if "logged-models" not in step.path or theirs.status != 200 or ours.status != 200:
        return False
    return bool(_sorted_points(theirs.body) == _sorted_points(_zeroed(ours.body)))


def _zeroed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: 0.0 if (key, item) == ("value", "NaN") else _zeroed(item) for key, item in value.items()}
    return [_zeroed(item) for item in value] if isinstance(value, list) else value


def _sorted_points(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _sorted_points(item, name) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    items = [_sorted_points(item) for item in value]
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if key == "metrics" else items


def _plural_prefix(step: Step, theirs: Answered, ours: Answered) -> bool:
    is_told = "Invalid entity type 'attributes'" in _text(theirs)
    return step.path.endswith("experiments/search") and is_told and ours.status == 200


def _empty_key(step: Step, theirs: Answered, ours: Answered) -> bool:
    asked = f"{_field(step, 'filter')} {_field(step, 'order_by')} {_field(step, 'orderBy')}"
    return _refused(ours) and "metrics." in asked and ("metrics. " in asked or "'metrics.'" in asked)


def _stage_first(step: Step, theirs: Answered, ours: Answered) -> bool:
    return _refused(theirs) and _refused(ours) and step.path.endswith("transition-stage")


def _search_words(step: Step, theirs: Answered, ours: Answered) -> bool:
    is_search = step.path.endswith("/search") or (step.method, step.path) == ("GET", "2.0/mlflow/traces")
    is_asked = any(_field(step, name) for name in ("filter", "filter_string", "order_by", "orderBy"))
    return bool(is_search and is_asked and all(map(_is_about_words, (theirs, ours))))


def _is_about_words(answer: Answered) -> bool:
    """It is refused, and not for the page, the experiments, or a field that is missing."""
    other = ("max_results", "page token", "page_token", "xperiment ID", "Missing value", "Request specifies both")
    return _refused(answer) and not any(word in _text(answer) for word in other)


def _cut(step: Step, theirs: Answered, ours: Answered) -> bool:
    text, is_cut = _text(ours).removesuffix(" … (cut)"), _text(ours).endswith(" … (cut)")
    return is_cut and len(text) > 4000 and _text(theirs).startswith(text)


def _ids_twice(step: Step, theirs: Answered, ours: Answered) -> bool:
    lists = [_field(step, name) for name in ("trace_ids", "experiment_ids")]
    is_twice = any(isinstance(ids, list) and len(set(map(str, ids))) < len(ids) for ids in lists)
    return is_twice and ours.status == 200 and bool(GENERAL_SQL.search(_text(theirs)))


def _outputs_twice(step: Step, theirs: Answered, ours: Answered) -> bool:
    return step.path.endswith("runs/outputs") and ours.status == 200 and bool(GENERAL_SQL.search(_text(theirs)))


def _unknown_dataset(step: Step, theirs: Answered, ours: Answered) -> bool:
    told = "Evaluation dataset with id" in _text(ours)
    return step.path.endswith("/records") and theirs.status == 200 and ours.status == 404 and told


def _strange_experiment(step: Step, theirs: Answered, ours: Answered) -> bool:
    is_told = "Invalid experiment ID" in _text(ours) or "No Experiment with id" in _text(ours)
    return "/datasets/" in step.path and theirs.status == 200 and is_told


def _no_location(step: Step, theirs: Answered, ours: Answered) -> bool:
    return step.path.endswith("traces/search") and not _field(step, "locations") and not theirs.body and _refused(ours)


def _no_spans(step: Step, theirs: Answered, ours: Answered) -> bool:
    return step.path.endswith("traces/batchGet") and theirs.status == 500 and ours.status == 200


def _managed_tag(step: Step, theirs: Answered, ours: Answered) -> bool:
    is_ours = _text(ours).startswith("Tag 'mlflow.artifactLocation' is immutable")
    return step.path.endswith("/tags") and _refused(ours) and is_ours


def _without_digest(step: Step, theirs: Answered, ours: Answered) -> bool:
    if not step.path.endswith("logged-models/search") or (theirs.status, ours.status) != (200, 200):
        return False
    if all(one.get("dataset_digest", one.get("datasetDigest")) for one in _field(step, "datasets") or []):
        return False
    found = [_sorted_points(_zeroed(model)) for model in ours.body.get("models", [])]
    return all(_sorted_points(model) in found for model in theirs.body.get("models", []))


def _page_below_one(step: Step, theirs: Answered, ours: Answered) -> bool:
    is_told = "max_results must be between 1 and" in _text(ours)
    return step.path.endswith("logged-models/search") and theirs.status == 200 and _refused(ours) and is_told


def _expectation(step: Step, theirs: Answered, ours: Answered) -> bool:
    sent = _field(step, "assessment")
    if "/assessments" not in step.path or theirs.status != 200:
        return False
    if isinstance(sent, dict) and "expectation" in sent and "overrides" in sent and ours.status == 404:
        return True
    return ours.status == 200 and _bare(theirs.body) == _bare(ours.body)


def _bare(value: Any) -> Any:
    """Without the rationales of expectations, and what they override."""
    if isinstance(value, dict):
        dropped = {"rationale", "overrides"} if "expectation" in value else set()
        return {key: _bare(item) for key, item in value.items() if key not in dropped}
    return [_bare(item) for item in value] if isinstance(value, list) else value


Row = Callable[[Step, Answered, Answered], bool]
KNOWN: tuple[tuple[str, Row], ...] = (
    ("a value of the wrong type", _wrong_type),
    ("an unknown name of an enum", _enum),
    ("booleans as words", _worded_boolean),
    ("duplicate tag keys in creates", _duplicate_tags),
    ("`runs/create` without an experiment", _no_experiment),
    ("POST on `registered-models/search`", _post_search),
    ("an unknown model in `log-metric`", _unknown_model),
    ("aliases in answers", _aliases),
    ("page tokens", _page_token),
    ("a PATCH of a logged model whose body names another", _patched_other),
    ("a mistake that MLflow answers with 500", _mistake),
    ("SQL in the text of an error", _sql),
    ("a path of the server in the text of an error", _server_path),
    ("an experiment named by white space", _white_name),
    ("`status LIKE` in `logged-models/search`", _number_like),
    ("an unknown status in a filter of logged models", _unknown_status),
    ("a status in a filter of `logged-models/search`", _status),
    ("a metric in a filter of `logged-models/search`", _latest_point),
    ("texts in double quotes, and keys in quotes, in `logged-models/search`", _double_quotes),
    ("a number for a text in a filter of `logged-models/search`", _number_for_text),
    ("a key that is a number or a word of SQL", _odd_key),
    ("the answer of `/v1/traces`", _spans),
    ("back-quotes around an attribute in searches of the registry", _quoted_name),
    ("a metric of a logged model that is not a number", _model_nan),
    ("`attributes.` in searches of experiments", _plural_prefix),
    ("an empty key in a filter or an order", _empty_key),
    ("a stage move with a wrong stage and a wrong version", _stage_first),
    ("the text of an error with more than 4,096", _cut),
    ("duplicate traces of `link-to-run`", _ids_twice),
    ("the same model twice in `runs/outputs`", _outputs_twice),
    ("records of an unknown evaluation dataset", _unknown_dataset),
    ("an experiment of an evaluation dataset that is not there", _strange_experiment),
    ("`traces/search` without a location, with a wrong filter", _no_location),
    ("`traces/batchGet` of a trace that has no spans", _no_spans),
    ("the tag `mlflow.artifactLocation` of a trace", _managed_tag),
    ("a `max_results` below one in `logged-models/search`", _page_below_one),
    ("a dataset without its digest in `logged-models/search`", _without_digest),
    ("the rationale of an expectation", _expectation),
    ("unknown paths, wrong methods", _unknown_path),
    ("a content type in capitals", _upper_type),
    ("the words in which a filter or an order is refused", _search_words),
)


def explained(step: Step, theirs: Answered, ours: Answered) -> str | None:
    """The row of the page that a difference belongs to; None when nothing explains it."""
    for row, applies in KNOWN:
        if applies(step, theirs, ours):
            return row
    return None


def differences(asked: Iterable[tuple[Step, Answered, Answered]]) -> list[str]:
    """What two servers answered differently and no row explains.

    The comparison ends where one server did what the other refused, on purpose: their states part there.
    """
    found: list[str] = []
    for step, theirs, ours in asked:
        if (theirs.status, theirs.body) == (ours.status, ours.body):
            continue
        if theirs.status == 500 and not isinstance(theirs.body, dict):
            break  # MLflow ran into something of its own, such as a busy database: there is nothing to compare with
        if explained(step, theirs, ours) is None:
            found.append(f"{step}\n  theirs {theirs}\n  ours   {ours}")
        if step.path.endswith("log-batch") and GENERAL_SQL.search(_text(theirs)):
            break  # parts of a refused batch stay in MLflow's store
        if (theirs.status == 200) != (ours.status == 200) and step.method != "GET" and not step.path.endswith("search"):
            break
    return found
