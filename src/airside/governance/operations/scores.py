"""The ML Test Score of a version."""

from airside.core.errors import NotFound
from airside.core.ids import ModelName
from airside.core.operation import Context, operation
from airside.core.record import Ask
from airside.governance import ml_tests, queries
from airside.governance.records import MlTestScore
from airside.registry.operations.models import GetModel, get_model
from airside.registry.operations.versions import GetVersion, get_version
from airside.registry.records import CHAMPION, RegisteredModel


class GetScore(Ask[MlTestScore]):
    """Of which version; 0 is the champion, without one the newest."""

    model: ModelName
    version: int = 0


@operation("scores.get", needs="evidence:read")
def get_score(ctx: Context, ask: GetScore) -> MlTestScore:
    """The 28 tests with the evidence that was found for each, and the score by the published rule.

    Raises:
        NotFound: there is no such model or version.
    """
    version = subject_version(get_model(ctx, GetModel(name=ask.model)), ask.version)
    get_version(ctx, GetVersion(name=ask.model, version=version))
    return ml_tests.score(ask.model, version, queries.about(ctx.tx, ask.model, version), ctx.clock.now())


def subject_version(model: RegisteredModel, version: int) -> int:
    """The version that a question about a model is about.

    Raises:
        NotFound: it has no version.
    """
    newest = max((one.version for one in model.latest_versions), default=0)
    chosen = version or model.aliases.get(CHAMPION, 0) or newest
    if not chosen:
        raise NotFound(f"'{model.name}' has no version yet. Register one.")
    return chosen
