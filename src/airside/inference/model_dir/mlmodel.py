"""The file `MLmodel`: read with a safe loader under limits, written as MLflow writes it."""

from typing import Any

import yaml

from airside.core.errors import Invalid
from airside.inference.model_dir.signature import parse_signature, signature_texts
from airside.inference.records import MLmodel

MAX_BYTES = 2**20
MAX_EVENTS = 50_000
MAX_DEPTH = 32

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def safe_yaml(text: bytes) -> Any:
    r"""The value of a YAML text.

    Raises:
        Invalid: over 1 MiB, with aliases, too deep, or no YAML of plain values.

    >>> safe_yaml(b"a: [1, 2]")
    {'a': [1, 2]}
    >>> safe_yaml(b"a: &x [1]\nb: *x")
    Traceback (most recent call last):
        ...
    airside.core.errors.Invalid: The YAML text uses an alias, which is not read. Write the value out.
    """
    if len(text) > MAX_BYTES:
        raise Invalid(f"The YAML text has {len(text)} bytes; at most {MAX_BYTES} are read.")
    try:
        _check_events(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 -- the safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as wrong:
        where = getattr(wrong, "problem", None) or type(wrong).__name__
        raise Invalid(f"The YAML text cannot be read: {str(where)[:200]}.") from None


def _check_events(text: bytes) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.AliasEvent):
            raise Invalid("The YAML text uses an alias, which is not read. Write the value out.")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or count > MAX_EVENTS:
            raise Invalid(f"The YAML text is too large or deeper than {MAX_DEPTH} levels.")


def read_mlmodel(text: bytes) -> MLmodel:
    """The file `MLmodel`. No flavor's library is imported.

    Raises:
        Invalid: it is no safe YAML, or has no flavors.
    """
    given = safe_yaml(text)
    if not isinstance(given, dict) or not isinstance(given.get("flavors"), dict) or not given["flavors"]:
        raise Invalid("The file MLmodel names no flavors. It needs at least: flavors: {python_function: {…}}.")
    flavors = given["flavors"]
    if not all(isinstance(name, str) and isinstance(flavor, dict) for name, flavor in flavors.items()):
        raise Invalid("Each flavor of the file MLmodel must be a name with a map of settings.")
    signature = given.get("signature")
    return MLmodel(
        flavors=flavors,
        signature=parse_signature(signature) if isinstance(signature, dict) else None,
        saved_input_example_info=_map_or_none(given.get("saved_input_example_info")),
        model_uuid=_text(given.get("model_uuid")),
        utc_time_created=_text(given.get("utc_time_created")),
        mlflow_version=_text(given.get("mlflow_version")),
        run_id=_text(given.get("run_id")),
        model_id=_text(given.get("model_id")) or None,
        artifact_path=_text(given.get("artifact_path")),
        metadata=_map_or_none(given.get("metadata")) or {},
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _map_or_none(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def write_mlmodel(model: MLmodel) -> bytes:
    """The text of the file `MLmodel`; what is empty is left out.

    >>> read_mlmodel(write_mlmodel(MLmodel(flavors={"python_function": {"loader_module": "m"}}))).flavors
    {'python_function': {'loader_module': 'm'}}
    """
    given: dict[str, Any] = {
        "artifact_path": model.artifact_path,
        "flavors": model.flavors,
        "metadata": model.metadata,
        "mlflow_version": model.mlflow_version,
        "model_uuid": model.model_uuid,
        "run_id": model.run_id,
        "saved_input_example_info": model.saved_input_example_info,
        "utc_time_created": model.utc_time_created,
    }
    given = {key: value for key, value in given.items() if value} | {"model_id": model.model_id}
    if model.signature is not None:
        given |= {"signature": signature_texts(model.signature), "is_signature_from_type_hint": False}
    text: bytes = yaml.dump(given, Dumper=_Dumper, default_flow_style=False, encoding="utf-8")
    return text
