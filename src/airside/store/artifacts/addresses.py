"""From the addresses that records hold (`mlflow-artifacts:/3/R/artifacts`) to paths in the artifact store."""

from urllib.parse import urlsplit

from airside.core.errors import Invalid

PROXIED = "mlflow-artifacts"


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
