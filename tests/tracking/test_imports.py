"""Things of another store come in whole, under their ids; the same again changes nothing; nothing is overwritten."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airside.core.errors import Conflict, Invalid, NotFound
from airside.core.ids import ImportId
from airside.core.operation import LOCAL
from airside.platform.wiring import Platform
from airside.tracking.imports import rules
from airside.tracking.imports.comparing import CompareImport, DigestFiles, TallyModels, TallyRuns
from airside.tracking.imports.journal import BeginImport, FinishImport, GetImport, ListImports, MarkImport
from airside.tracking.imports.operations import (
    ImportExperiments,
    ImportLoggedModels,
    ImportModelPoints,
    ImportRuns,
    ImportSeries,
)
from airside.tracking.imports.records import Difference, Import, ImportPart, ImportReport, Series
from airside.tracking.logged_models.operations import GetLoggedModel
from airside.tracking.logged_models.records import LoggedModel, ModelMetric
from airside.tracking.operations.experiments import CreateExperiment, GetExperiment
from airside.tracking.operations.histories import GetMetricHistory
from airside.tracking.operations.logging import SetRunTag
from airside.tracking.operations.runs import CreateRun, GetRun
from airside.tracking.records import (
    Dataset,
    DatasetInput,
    Experiment,
    ModelOutput,
    Param,
    Run,
    RunInfo,
    Tag,
)

RUN = "a" * 32


def begun(platform: Platform, fingerprint: str = "f") -> Import:
    return platform.call(LOCAL, BeginImport(source="sqlite:///x.db", kind="mlflow-database", fingerprint=fingerprint))


def experiment(number: str = "7", name: str = "churn", **facts: object) -> Experiment:
    plain = Experiment(
        experiment_id=number,
        name=name,
        artifact_location=f"s3://bucket/{number}",
        lifecycle_stage="active",
        created_ms=5,
        updated_ms=6,
        tags=(Tag(key="team", value="fraud"),),
    )
    return msgspec.structs.replace(plain, **facts)


def run_of(run_id: str = RUN, **facts: object) -> Run:
    info = RunInfo(
        run_id=run_id,
        experiment_id="7",
        name="first",
        user_id="ana",
        status="FAILED",
        start_time_ms=10,
        end_time_ms=20,
        artifact_uri="s3://bucket/7/a/artifacts",
        lifecycle_stage="deleted",
    )
    data = Dataset(name="people", digest="d1", source_type="local", source="x.csv", schema="{}", profile=None)
    plain = Run(
        info=info,
        params=(Param(key="lr", value="0.1"), Param(key="odd key!", value="x" * 9000)),
        tags=(Tag(key="mlflow.runName", value="first"),),
        dataset_inputs=(DatasetInput(dataset=data, tags=(Tag(key="mlflow.data.context", value="train"),)),),
        model_inputs=("m-1",),
        model_outputs=(ModelOutput(model_id="m-2", step=3),),
    )
    return msgspec.structs.replace(plain, **facts)


def series(**facts: object) -> Series:
    plain = Series(run_id=RUN, key="loss", timestamps_ms=(1, 2, 3), steps=(0, 1, 1), values=(0.5, None, math.inf))
    return msgspec.structs.replace(plain, **facts)


@pytest.fixture
def taken(platform: Platform) -> ImportId:
    """An import that has brought an experiment."""
    import_id = begun(platform).import_id
    platform.call(LOCAL, ImportExperiments(import_id=import_id, items=(experiment(),)))
    return import_id


def test_an_experiment_keeps_its_id_and_facts_and_new_ones_get_other_ids(platform: Platform, taken: ImportId) -> None:
    assert platform.call(LOCAL, GetExperiment(experiment_id="7")) == experiment()
    assert int(platform.call(LOCAL, CreateExperiment(name="next")).experiment_id) > 7


def test_the_same_again_changes_nothing(platform: Platform, taken: ImportId) -> None:
    ask = ImportExperiments(import_id=taken, items=(experiment(),))

    assert (platform.call(LOCAL, ask).added, platform.call(LOCAL, ask).same) == (0, 1)


def test_the_unused_default_experiment_gives_way(platform: Platform) -> None:
    old = experiment("0", "Default", artifact_location="s3://bucket/0", lifecycle_stage="deleted")

    answer = platform.call(LOCAL, ImportExperiments(import_id=begun(platform).import_id, items=(old,)))

    assert (answer.added, answer.placed) == (1, {"0": "0"})
    assert platform.call(LOCAL, GetExperiment(experiment_id="0")) == old


def test_a_default_experiment_in_use_does_not_give_way(platform: Platform) -> None:
    platform.call(LOCAL, CreateRun())
    ask = ImportExperiments(import_id=begun(platform).import_id, items=(experiment("0", "Default"),))

    with pytest.raises(Conflict, match=r"artifact_location: 'mlflow-artifacts:/0' here.*--skip-existing"):
        platform.call(LOCAL, ask)
    merged = platform.call(LOCAL, msgspec.structs.replace(ask, skip_existing=True))
    assert (merged.same, merged.placed, len(merged.differing)) == (1, {"0": "0"}, 1)


def test_an_id_or_name_of_another_experiment_is_refused_unless_new_ids_are_wished(
    platform: Platform, taken: ImportId
) -> None:
    other, namesake = experiment("7", "other"), experiment("9", "churn")
    ask = ImportExperiments(import_id=taken, items=(other, namesake), skip_existing=True)

    with pytest.raises(Conflict, match=r"2 experiments .*the name 'churn' is the experiment 7's"):
        platform.call(LOCAL, ask)
    placed = platform.call(LOCAL, msgspec.structs.replace(ask, ids="new")).placed

    assert (placed["9"], int(placed["7"]) > 7) == ("7", True)
    assert platform.call(LOCAL, GetExperiment(experiment_id=placed["7"])).name == "other"
    assert platform.call(LOCAL, msgspec.structs.replace(ask, ids="new")).placed == placed


def test_a_run_comes_whole_even_deleted_and_with_names_that_no_client_may_log(
    platform: Platform, taken: ImportId
) -> None:
    answer = platform.call(LOCAL, ImportRuns(import_id=taken, items=(run_of(),)))

    found = platform.call(LOCAL, GetRun(run_id=RUN))
    assert answer.added == 1
    assert rules.run_difference(found, run_of()) == ""
    assert found.dataset_inputs == run_of().dataset_inputs


def test_a_run_that_is_here_with_other_content_is_named_and_left_alone(platform: Platform, taken: ImportId) -> None:
    alive = run_of(info=msgspec.structs.replace(run_of().info, lifecycle_stage="active"))
    ask = ImportRuns(import_id=taken, items=(alive, run_of("b" * 32)))
    platform.call(LOCAL, msgspec.structs.replace(ask, items=(alive,)))
    platform.call(LOCAL, SetRunTag(run_id=RUN, key="note", value="mine"))

    with pytest.raises(Conflict, match=rf"1 runs .*{RUN} \(tags: "):
        platform.call(LOCAL, ask)
    with pytest.raises(NotFound):
        platform.call(LOCAL, GetRun(run_id="b" * 32))
    skipped = platform.call(LOCAL, msgspec.structs.replace(ask, skip_existing=True))
    assert (skipped.added, [each.id for each in skipped.differing]) == (1, [RUN])


def test_points_come_with_their_latest_and_are_kept_once(platform: Platform, taken: ImportId) -> None:
    platform.call(LOCAL, ImportRuns(import_id=taken, items=(run_of(),)))
    for _ in range(2):
        platform.call(
            LOCAL,
            ImportSeries(import_id=taken, items=(series(), series(key="empty", timestamps_ms=(), steps=(), values=()))),
        )

    points = platform.call(LOCAL, GetMetricHistory(run_id=RUN, key="loss")).items
    assert [(point.timestamp_ms, point.step, point.value) for point in points] == [
        (1, 0, 0.5),
        (2, 1, None),
        (3, 1, 1.7976931348623157e308),
    ]
    assert [(m.key, m.timestamp_ms) for m in platform.call(LOCAL, GetRun(run_id=RUN)).metrics] == [("loss", 3)]
    (tally,) = platform.call(LOCAL, TallyRuns(run_ids=(RUN, "c" * 32))).items
    assert (tally.points, tally.metrics, tally.params, tally.tags, tally.inputs, tally.outputs) == (3, 1, 2, 1, 1, 1)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"steps": (1,)}, "different lengths"),
        ({"timestamps_ms": (1,) * 10_001, "steps": (1,) * 10_001, "values": (1.0,) * 10_001}, "At most 10000"),
    ],
)
def test_columns_that_are_no_points_are_refused(
    platform: Platform, taken: ImportId, facts: dict[str, object], text: str
) -> None:
    with pytest.raises(Invalid, match=text):
        platform.call(LOCAL, ImportSeries(import_id=taken, items=(series(**facts),)))


def test_points_of_a_run_that_is_not_here_are_refused(platform: Platform, taken: ImportId) -> None:
    with pytest.raises(NotFound, match="Run with id"):
        platform.call(LOCAL, ImportSeries(import_id=taken, items=(series(),)))


def test_a_run_needs_its_experiment(platform: Platform) -> None:
    with pytest.raises(NotFound, match="No Experiment with id=7"):
        platform.call(LOCAL, ImportRuns(import_id=begun(platform).import_id, items=(run_of(),)))


def test_a_logged_model_comes_with_its_points(platform: Platform, taken: ImportId) -> None:
    model = LoggedModel(
        model_id="m-1",
        experiment_id="7",
        name="model",
        artifact_uri="s3://bucket/m",
        created_ms=1,
        updated_ms=2,
        status="FAILED",
        lifecycle_stage="deleted",
        params=(Param(key="d", value="1"),),
        tags=(Tag(key="t", value="1"),),
    )
    point = ModelMetric(key="auc", value=None, timestamp_ms=3, step=1, model_id="m-1", run_id=RUN, dataset_name="p")
    ask = ImportLoggedModels(import_id=taken, items=(model,))
    assert (platform.call(LOCAL, ask).added, platform.call(LOCAL, ask).same) == (1, 1)
    for _ in range(2):
        platform.call(LOCAL, ImportModelPoints(import_id=taken, items=(point,)))

    found = platform.call(LOCAL, GetLoggedModel(model_id="m-1", allow_deleted=True))
    assert found == msgspec.structs.replace(model, metrics=(point,))
    assert platform.call(LOCAL, TallyModels(model_ids=("m-1", "m-x"))).items[0].number == 1
    other = msgspec.structs.replace(ask, items=(msgspec.structs.replace(model, name="other"),))
    with pytest.raises(Conflict, match="name: 'model' here, 'other' in the source"):
        platform.call(LOCAL, other)


def test_points_of_a_logged_model_that_is_not_here_are_refused(platform: Platform, taken: ImportId) -> None:
    point = ModelMetric(key="auc", value=1.0, timestamp_ms=3, model_id="m-none")

    with pytest.raises(NotFound, match="m-none"):
        platform.call(LOCAL, ImportModelPoints(import_id=taken, items=(point,)))


def test_what_is_here_is_compared_with_the_source(platform: Platform, taken: ImportId) -> None:
    platform.call(LOCAL, ImportRuns(import_id=taken, items=(run_of(),)))
    other = run_of(params=(Param(key="lr", value="0.2"),))

    answer = platform.call(
        LOCAL, CompareImport(experiments=(experiment(), experiment("8", "x")), runs=(other, run_of("b" * 32)))
    )

    assert (answer.same, answer.missing) == (1, ("8", "b" * 32))
    assert [(each.id, each.what.partition(":")[0]) for each in answer.differing] == [(RUN, "params")]


def test_files_of_the_store_are_digested(platform: Platform) -> None:
    platform.artifacts.write("1/a/x.txt", [b"hello"])

    (found,) = platform.call(LOCAL, DigestFiles(paths=("1/a/x.txt", "1/a", "1/none"))).items

    assert (found.path, found.size_bytes, found.digest[:10]) == ("1/a/x.txt", 5, "b3:ea8f163")
    with pytest.raises(Invalid):
        platform.call(LOCAL, DigestFiles(paths=("../secret.key",)))


def test_an_interrupted_import_goes_on_and_a_finished_one_looks_again(platform: Platform) -> None:
    first = begun(platform)
    part = ImportPart(part="runs", after_key="x", done=5)
    platform.call(LOCAL, MarkImport(import_id=first.import_id, part=part))
    assert begun(platform).parts == (part,)

    done = platform.call(LOCAL, FinishImport(import_id=first.import_id, report=ImportReport(notes=("all",))))
    assert (done.report.notes, done.ended_ms) == (("all",), platform.clock.now_ms())
    assert platform.call(LOCAL, GetImport(import_id=first.import_id)) == done
    again = begun(platform)
    assert (again.import_id, again.parts, again.ended_ms) == (first.import_id, (), None)
    assert platform.call(LOCAL, ListImports()).items == (again,)
    assert begun(platform, "g").import_id != first.import_id


@pytest.mark.parametrize(
    "ask",
    [
        ImportRuns(import_id="im-none", items=()),
        ImportSeries(import_id="im-none", items=()),
        MarkImport(import_id="im-none", part=ImportPart(part="runs")),
        FinishImport(import_id="im-none", report=ImportReport()),
        GetImport(import_id="im-none"),
    ],
)
def test_an_import_that_never_began_is_refused(platform: Platform, ask: object) -> None:
    with pytest.raises(NotFound, match=r"No import 'im-none'\. List them with: airside imports list"):
        platform.call(LOCAL, ask)


@pytest.mark.parametrize(
    "ask",
    [
        BeginImport(source="", kind="k", fingerprint="f"),
        ListImports(max_results=0),
        TallyRuns(run_ids=("a",) * 501),
        CompareImport(runs=(run_of(),) * 501),
    ],
)
def test_empty_or_boundless_asks_are_refused(platform: Platform, ask: object) -> None:
    with pytest.raises(Invalid):
        platform.call(LOCAL, ask)


@pytest.mark.parametrize("number", ["-1", "07", "x", str(2**63)])
def test_what_is_no_id_of_an_experiment_is_refused(platform: Platform, number: str) -> None:
    ask = ImportExperiments(import_id=begun(platform).import_id, items=(experiment(number),))

    with pytest.raises(Invalid):
        platform.call(LOCAL, ask)


@given(
    st.sampled_from([None, "same", "other"]),
    st.sampled_from([None, "same", "other"]),
    st.booleans(),
)
def test_an_experiment_has_one_place(by_id: str | None, by_name: str | None, is_unused: bool) -> None:
    own = experiment()
    holder = {None: None, "same": own, "other": experiment("7", "other")}[by_id]
    named = {None: None, "same": own if by_id == "same" else None, "other": experiment("8")}[by_name]

    place = rules.placed(holder, named, own, is_unused=is_unused)

    if place == "add":
        assert (holder, named) == (None, None)
    elif place == "same":
        assert holder == own
    elif place == "adopt":
        assert is_unused
    elif place == "elsewhere":
        assert named is not None
    else:
        assert holder is not None


def test_many_differences_are_counted_not_listed() -> None:
    text = rules.refusal("runs", [Difference(id=str(number), what="x") for number in range(30)]).message

    assert "30 runs" in text
    assert "and 10 more" in text
