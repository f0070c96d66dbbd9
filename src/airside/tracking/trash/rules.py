"""What may go, how old it must be, and which folder is its own. Pure."""

import re

from airside.core.errors import Invalid
from airside.tracking.trash.records import TrashKind

UNITS_S = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_AGE = re.compile(r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?\Z", re.ASCII)


def age_ms(text: str) -> int:
    """The milliseconds of an age in MLflow's form.

    >>> age_ms("1d2h3m4s"), age_ms("1.5h"), age_ms("")
    (93784000, 5400000, 0)

    Raises:
        Invalid: it is none.
    """
    match = _AGE.match(text)
    if match is None:
        raise Invalid(
            f"Could not parse any time information from '{text[:200]}'. "
            "Examples of valid strings: '8h', '2d8h5m20s', '2m4s'"
        )
    return round(
        sum(float(part or 0) * unit for part, unit in zip(match.groups(), UNITS_S.values(), strict=True)) * 1000
    )


def own_folder(kind: TrashKind, name: str, artifact_uri: str) -> str:
    """The folder that belongs to a run or model alone: it bears the id that the server gave it; else empty.

    Experiments have none: their location is what a client named, and may hold anything.

    >>> own_folder("run", "R", "mlflow-artifacts:/3/R/artifacts")
    'mlflow-artifacts:/3/R'
    >>> own_folder("run", "R", "file:///home/ana"), own_folder("experiment", "3", "mlflow-artifacts:/3")
    ('', '')
    """
    if kind == "experiment" or "?" in artifact_uri or "#" in artifact_uri:
        return ""
    end = f"/{name}/artifacts"
    return artifact_uri.removesuffix("/artifacts") if name and artifact_uri.endswith(end) else ""
