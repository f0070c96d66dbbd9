"""The files of runs and logged models, listed. Their bytes move outside of operations."""

from airside.core.errors import Invalid
from airside.core.ids import LoggedModelId, RunId
from airside.core.operation import AnyOperation, Context, Services, operation
from airside.core.record import Ask, Record
from airside.store.artifacts.roots import Place
from airside.store.names import safe_parts
from airside.tracking.logged_models.operations import GetLoggedModel, get_logged_model
from airside.tracking.operations.runs import GetRun, get_run


class ArtifactInfo(Record):
    """A file or folder. Its path is relative to the root of its run or model."""

    path: str
    is_dir: bool
    size_bytes: int = 0


class ArtifactList(Record):
    """What lies directly in a folder of a run or model; `root_uri` is where the root is."""

    root_uri: str
    items: tuple[ArtifactInfo, ...] = ()


class ListArtifacts(Ask[ArtifactList]):
    """A folder of a run, or of a logged model; an empty path is its root."""

    run_id: RunId = RunId("")
    model_id: LoggedModelId = LoggedModelId("")
    path: str = ""


def root_of(ctx: Context, run_id: RunId, model_id: LoggedModelId) -> str:
    """Where the files of a run, or of a logged model, lie.

    Raises:
        NotFound: there is no such run or model.
        Invalid: both or neither are named.
    """
    if bool(run_id) == bool(model_id):
        raise Invalid("Name either a run_id or a model_id.")
    if run_id:
        return get_run(ctx, GetRun(run_id=run_id)).info.artifact_uri
    return get_logged_model(ctx, GetLoggedModel(model_id=model_id)).artifact_uri


def _listed(services: Services, ask: ListArtifacts) -> ArtifactList:
    uri: str = services.read(lambda ctx: root_of(ctx, ask.run_id, ask.model_id))
    place: Place = services.roots.at(uri)
    root = safe_parts(place.path, or_root=True)
    folder = "/".join((*root, *safe_parts(ask.path, or_root=True)))
    return ArtifactList(
        root_uri=uri,
        items=tuple(
            ArtifactInfo(
                path="/".join(found.path.split("/")[len(root) :]), is_dir=found.is_dir, size_bytes=found.size_bytes
            )
            for found in place.store.list(folder)
        ),
    )


@operation("artifacts.list", needs="run:read", prepare=_listed)
def list_artifacts(ctx: Context, _ask: ListArtifacts) -> ArtifactList:
    """The files and folders in a folder of a run or model; nothing when there is no such folder.

    Raises:
        NotFound: there is no such run or model.
        Invalid: the path is not one, or the files lie where the server does not keep any.
    """
    listed: ArtifactList = ctx.prepared
    return listed


OPERATIONS: tuple[AnyOperation, ...] = (list_artifacts,)
