"""The suite that a model asks for."""

from airside.core.errors import Invalid, NotFound, quoted
from airside.core.ids import ModelName
from airside.core.operation import Context, operation
from airside.core.record import Ask
from airside.quality import queries
from airside.quality.records import Check, Suite
from airside.quality.rules import name_of

MAX_CHECKS = 100


class SetSuite(Ask[Suite]):
    """What a model shall ask of each of its versions. Replaces what it asked before."""

    model: ModelName
    checks: tuple[Check, ...]


@operation("suites.set", needs="model:write")
def set_suite(ctx: Context, ask: SetSuite) -> Suite:
    """Set the suite of a model.

    Raises:
        Invalid: two checks have one name, or a check lacks what its kind needs.
    """
    if len(ask.checks) > MAX_CHECKS:
        raise Invalid(f"The suite has {len(ask.checks)} checks; the limit is {MAX_CHECKS}.")
    names = [name_of(check) for check in ask.checks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid(f"Two checks have the name {quoted(twice)}. Give each a name of its own.")
    for check in ask.checks:
        if check.kind == "gap_at_most" and not check.column:
            raise Invalid(f"The check '{name_of(check)}' compares groups: say of which column.")
        if check.kind in {"better_than", "no_provable_loss"} and check.against not in {"champion", "baseline"}:
            raise Invalid(f"The check '{name_of(check)}' compares: say against 'champion' or 'baseline'.")
    suite = Suite(model=ask.model, checks=ask.checks, set_by=ctx.actor.name, set_at=ctx.clock.now())
    queries.put_suite(ctx, suite)
    return suite


class GetSuite(Ask[Suite]):
    """Whose suite."""

    model: ModelName


@operation("suites.get", needs="model:read")
def get_suite(ctx: Context, ask: GetSuite) -> Suite:
    """The suite of a model.

    Raises:
        NotFound: the model asks for nothing.
    """
    found = queries.suite(ctx, ask.model)
    if found is None:
        raise NotFound(
            f"The model '{ask.model}' has no suite: it asks nothing of its versions. Set one with: airside suites set"
        )
    return found
