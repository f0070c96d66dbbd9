"""Where a record of the chain has its page."""

from airside.server.web.page import address

PAGES = {
    "experiment": "/experiments/{}/runs",
    "registered_model": "/models/{}",
    "dataset": "/datasets/{}",
    "dataset_version": "/dataset-versions/{}",
    "run": "/runs/{}",
    "logged_model": "/logged-models/{}",
    "gate": "/gates/{}",
    "endpoint": "/endpoints/{}",
    "rollout": "/rollouts/{}",
    "window": "/windows/{}",
    "monitor": "/monitors/{}",
    "alert": "/alerts/{}",
    "pipeline": "/pipelines/{}",
    "pipeline_run": "/pipeline-runs/{}",
}


def chain_href(kind: str, identity: str) -> str:
    """The page of a record of the chain; empty where it has none.

    >>> chain_href("model_version", "a b@3"), chain_href("prediction", "p-1")
    ('/models/a%20b/versions/3', '')
    """
    name, _, version = identity.rpartition("@")
    if kind in {"model_version", "dataset_version"} and name and version.isdigit():
        noun = "models" if kind == "model_version" else "datasets"
        return address("/" + noun + "/{}/versions/{}", name, version)
    return address(PAGES[kind], identity) if kind in PAGES else ""
