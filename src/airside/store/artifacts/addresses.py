"""From the addresses that records hold (`mlflow-artifacts:/3/R/artifacts`) to paths in the artifact store."""

from urllib.parse import SplitResult, quote, unquote, urlsplit

from airside.core.errors import Invalid

PROXIED = "mlflow-artifacts"
ANCHOR = "/api/2.0/mlflow-artifacts/artifacts"
"""Where the store of `mlflow-artifacts:/` begins in the addresses of a server."""


def own_root(address: str) -> str:
    """What is the store of `mlflow-artifacts:/` in an address of the operator's that names a server; else empty.

    >>> own_root("http://tracking:5000/api/2.0/mlflow-artifacts/artifacts/team")
    'http://tracking:5000/api/2.0/mlflow-artifacts/artifacts'
    >>> own_root("mlflow-artifacts://tracking:5000/team"), own_root("s3://bucket/x")
    ('mlflow-artifacts://tracking:5000', '')
    """
    parts = urlsplit(address)
    if parts.scheme == PROXIED:
        return f"{PROXIED}://{parts.netloc}" if parts.netloc else ""
    head, anchor, rest = parts.path.partition(ANCHOR)
    if parts.scheme not in {"http", "https"} or not anchor or rest[:1] not in {"", "/"}:
        return ""
    return f"{parts.scheme}://{parts.netloc}{head}{ANCHOR}"


def is_served(parts: SplitResult) -> bool:
    """Whether an address is one that a server of artifacts answers, and no other place, however its path is written.

    >>> is_served(urlsplit("mlflow-artifacts:/3/R")), is_served(urlsplit("http://h/files"))
    (True, False)
    >>> is_served(urlsplit("http://h/api//2.0/mlflow%2Dartifacts/artifacts/3/R"))
    True
    """
    path = "".join(f"/{part}" for part in unquote(parts.path).split("/") if part not in ("", "."))
    return parts.scheme == PROXIED or bool(own_root(f"{parts.scheme}://{parts.netloc}{quote(path)}"))


def path_of(uri: str, below: str = "") -> str:
    """The path in the store of an address of the server's own, and of a name below it.

    >>> path_of("mlflow-artifacts:/3/R/artifacts", "model/MLmodel")
    '3/R/artifacts/model/MLmodel'

    Raises:
        Invalid: the files lie elsewhere: the server reads and writes only what it was given to keep.
    """
    parts = urlsplit(uri)
    if parts.scheme != PROXIED or parts.netloc or parts.query or parts.fragment:
        place = f"{parts.scheme or 'file'}:" + (f"//{parts.netloc[:200]}" if parts.netloc else "")
        raise Invalid(
            f"These files lie under '{place}', which the clients read and write themselves; this server keeps only "
            "what lies under 'mlflow-artifacts:/'. New experiments use that when the setting default_artifact_root is "
            "'mlflow-artifacts:/'."
        )
    return "/".join(part for part in (parts.path.strip("/"), below) if part)
