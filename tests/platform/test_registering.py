import msgspec
import pytest

from airside.core.ids import ExperimentId, ModelName
from airside.core.operation import LOCAL
from airside.platform.reactions.registering import complete_version
from airside.platform.wiring import Platform
from airside.registry.events import VersionRegistered
from airside.registry.operations.models import CreateModel
from airside.registry.operations.versions import CreateVersion, GetVersion
from airside.registry.records import ModelVersion
from airside.tracking.logged_models.operations import CreateLoggedModel

NAME = ModelName("churn")
MLMODEL = b"""
flavors: {python_function: {loader_module: mlflow.sklearn}}
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "long", "required": true}]'
"""


def registered(platform: Platform, files: dict[str, bytes]) -> ModelVersion:
    model = platform.call(LOCAL, CreateLoggedModel(experiment_id=ExperimentId("0")))
    for path, body in files.items():
        platform.artifacts.write(f"{model.artifact_uri.removeprefix('mlflow-artifacts:/')}/{path}", [body])
    source = f"models:/{model.model_id}"
    return platform.call(LOCAL, CreateVersion(name=NAME, source=source, model_id=model.model_id))


def react(platform: Platform, version: ModelVersion) -> ModelVersion:
    event = VersionRegistered(
        name=NAME, version=version.version, run_id=version.run_id, model_id=version.model_id, source=version.source
    )
    for _ in range(2):  # at least once
        complete_version(platform, event, 7)
    return platform.call(LOCAL, GetVersion(name=NAME, version=version.version))


@pytest.fixture
def name(platform: Platform) -> ModelName:
    return platform.call(LOCAL, CreateModel(name=NAME)).name


def test_a_version_of_an_mlflow_client_gets_its_files(platform: Platform, name: ModelName) -> None:
    made = react(platform, registered(platform, {"MLmodel": MLMODEL, "data/model.pkl": b"\x80"}))
    assert sorted(made.files) == ["MLmodel", "data/model.pkl"]
    assert b"".join(platform.blobs.open(made.files["data/model.pkl"])) == b"\x80"
    assert msgspec.json.decode(made.signature)["inputs"][0]["name"] == "x"


def test_a_folder_that_is_no_model_is_left_alone(platform: Platform, name: ModelName) -> None:
    assert react(platform, registered(platform, {"notes.txt": b"hello"})).files == {}


def test_a_model_whose_description_cannot_be_read_has_files_and_no_signature(
    platform: Platform, name: ModelName
) -> None:
    made = react(platform, registered(platform, {"MLmodel": b"a: &x [*x]"}))
    assert (sorted(made.files), made.signature) == (["MLmodel"], "")


def test_files_that_lie_elsewhere_are_left_alone(platform: Platform, name: ModelName) -> None:
    version = platform.call(LOCAL, CreateVersion(name=NAME, source="s3://bucket/model"))
    assert react(platform, version).files == {}
