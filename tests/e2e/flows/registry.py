"""The registry through every method of `MlflowClient`."""

import sys
from collections.abc import Callable

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
SOURCE = "s3://bucket/model"


def refused(call: Callable[[], object], code: str) -> None:
    try:
        call()
    except MlflowException as error:
        told = error.error_code
    else:
        told = ""
    assert told == code


model = client.create_registered_model("m", tags={"a": "1"}, description="first")
assert (model.name, model.tags, model.description) == ("m", {"a": "1"}, "first")
refused(lambda: client.create_registered_model("m"), "RESOURCE_ALREADY_EXISTS")
refused(lambda: client.create_registered_model("a/b"), "INVALID_PARAMETER_VALUE")
refused(lambda: client.get_registered_model("nobody"), "RESOURCE_DOES_NOT_EXIST")
client.update_registered_model("m", "second")
client.set_registered_model_tag("m", "b", "2")
client.delete_registered_model_tag("m", "a")
got = client.get_registered_model("m")
assert (got.description, got.tags, got.latest_versions) == ("second", {"b": "2"}, [])

run = client.create_run("0")
first = client.create_model_version("m", SOURCE, run.info.run_id, tags={"t": "1"}, description="v1")
assert (first.version, first.run_id, first.status, first.current_stage) == ("1", run.info.run_id, "READY", "None") or (
    int(first.version) == 1
)
second = client.create_model_version("m", SOURCE + "2")
client.update_model_version("m", "1", "one")
client.set_model_version_tag("m", "1", "u", "2")
client.set_model_version_tag("m", key="byname", value="3", version="2")
client.delete_model_version_tag("m", "1", "t")
got = client.get_model_version("m", "1")
assert (got.description, got.tags) == ("one", {"u": "2"})
assert client.get_model_version_download_uri("m", "2") == SOURCE + "2"
assert client.get_model_version_stages("m", "1") == ["None", "Staging", "Production", "Archived"]

client.transition_model_version_stage("m", "1", "Staging")
client.transition_model_version_stage("m", "2", "Staging", archive_existing_versions=True)
assert [v.current_stage for v in (client.get_model_version("m", "1"), client.get_model_version("m", "2"))] == [
    "Archived",
    "Staging",
]
assert [int(v.version) for v in client.get_latest_versions("m", stages=["Staging"])] == [2]
assert {v.current_stage for v in client.get_latest_versions("m")} == {"Archived", "Staging"}
refused(lambda: client.transition_model_version_stage("m", "1", "bogus"), "INVALID_PARAMETER_VALUE")

client.set_registered_model_alias("m", "champion", "1")
client.set_registered_model_alias("m", "Best-1", "1")
client.set_registered_model_alias("m", "champion", "2")
assert int(client.get_model_version_by_alias("m", "champion").version) == 2
assert {name: int(v) for name, v in client.get_registered_model("m").aliases.items()} == {"champion": 2, "Best-1": 1}
assert client.get_model_version("m", "1").aliases == ["Best-1"]
client.delete_registered_model_alias("m", "Best-1")
refused(lambda: client.get_model_version_by_alias("m", "Best-1"), "INVALID_PARAMETER_VALUE")
refused(lambda: client.set_registered_model_alias("m", "latest", "1"), "INVALID_PARAMETER_VALUE")
refused(lambda: client.set_registered_model_alias("m", "v1", "1"), "INVALID_PARAMETER_VALUE")

copy = client.copy_model_version("models:/m@champion", "copied")
assert (copy.name, int(copy.version)) == ("copied", 1)
assert client.get_model_version_download_uri("copied", "1") == SOURCE + "2"
assert [m.name for m in client.search_registered_models(order_by=["name DESC"])] == ["m", "copied"]
assert [m.name for m in mlflow.search_registered_models(filter_string="name LIKE 'c%'")] == ["copied"]
assert [m.name for m in client.search_registered_models("tags.b = '2'")] == ["m"]
page = client.search_registered_models(max_results=1)
assert len(page) == 1
assert page.token
assert len(client.search_registered_models(max_results=1, page_token=page.token)) == 1
found = client.search_model_versions("name = 'm'", order_by=["version_number ASC"])
assert [int(v.version) for v in found] == [1, 2]
assert [int(v.version) for v in client.search_model_versions(f"run_id = '{run.info.run_id}'")] == [1]
assert len(mlflow.search_model_versions(filter_string="source_path LIKE 's3%'")) >= 2

client.rename_registered_model("m", "n")
refused(lambda: client.get_registered_model("m"), "RESOURCE_DOES_NOT_EXIST")
assert int(client.get_model_version_by_alias("n", "champion").version) == 2
client.delete_model_version("n", "2")
refused(lambda: client.get_model_version("n", "2"), "RESOURCE_DOES_NOT_EXIST")
refused(lambda: client.get_model_version_by_alias("n", "champion"), "INVALID_PARAMETER_VALUE")
assert int(client.create_model_version("n", SOURCE).version) == 3
client.delete_registered_model("n")
client.create_registered_model("n")
assert int(client.create_model_version("n", SOURCE).version) == 1
