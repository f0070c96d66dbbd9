"""What a model needs to run, in the three forms that MLflow writes."""

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

import yaml

MLFLOW_FORMAT = "3.18.0"
"""The release of MLflow whose format is written, where MLflow itself is not installed."""


def mlflow_version() -> str:
    """The installed MLflow's version, else the one whose format is written."""
    return _installed("mlflow") or MLFLOW_FORMAT


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The installed versions; what is not installed is left out.

    >>> sorted(versions(["numpy", "surely-not-installed"]))
    ['numpy']
    """
    return {package: found for package in packages if (found := _installed(package))}


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def environment_files(packages: dict[str, str]) -> dict[str, str]:
    """`requirements.txt`, `python_env.yaml` and `conda.yaml`.

    Args:
        packages: package → version.
    """
    pins = [f"mlflow=={mlflow_version()}", *(f"{name}=={found}" for name, found in packages.items())]
    python = platform.python_version()
    tools = [f"{name}=={found}" for name, found in versions(["pip", "setuptools", "wheel"]).items()]
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": pins}],
    }
    env = {"python": python, "build_dependencies": tools or ["pip"], "dependencies": ["-r requirements.txt"]}
    return {
        "requirements.txt": "\n".join(pins) + "\n",
        "python_env.yaml": yaml.safe_dump(env, sort_keys=False),
        "conda.yaml": yaml.safe_dump(conda, sort_keys=False),
    }
