"""The verbs of the trash."""

from collections.abc import Callable

import msgspec

from airside.core.errors import Conflict, Invalid, NotFound, quoted
from airside.core.ids import ExperimentId
from airside.core.operation import AnyOperation, Context, Services, operation
from airside.core.record import Ask
from airside.tracking import rules as tracking_rules
from airside.tracking.memory import memory_of
from airside.tracking.trash import queries, rules
from airside.tracking.trash.records import Removal, Removed, SweptRemovals, Trash, TrashKind, TrashPage

MAX_ITEMS = 100
SWEEP_ROWS = 2000
FILES_AT_ONCE = 20
KEEPER = "tracking.keeper"

Keeper = Callable[[Context, TrashKind, tuple[str, ...]], dict[str, str]]
"""The port of the trash: which of some runs or logged models are needed, and by what. The registry fills it."""

NAMES: dict[TrashKind, str] = {"experiment": "Experiment", "run": "Run", "logged_model": "Logged model"}


class ListTrash(Ask[TrashPage]):
    """Ask what is in the stage `deleted`.

    Attributes:
        kind: what is asked for.
        older_than: only what is longer there than this: `1d2h3m4s`.
        experiment_id: of a deleted experiment: its deleted runs, or all its logged models, whatever their age.
        after: what the page before called `next_after`.
    """

    kind: TrashKind = "run"
    older_than: str = ""
    experiment_id: ExperimentId = ExperimentId("")
    after: str = ""
    limit: int = MAX_ITEMS


@operation("trash.list", needs="trash:read")
def list_trash(ctx: Context, ask: ListTrash) -> TrashPage:
    """What can be removed for good, longest deleted first, and what a registered version keeps there.

    Raises:
        Invalid: the age, the place or the limit is none.
    """
    if not 1 <= ask.limit <= MAX_ITEMS:
        raise Invalid(f"The limit is {ask.limit}; it is 1 to {MAX_ITEMS}.")
    if ask.experiment_id:
        number = tracking_rules.experiment_no(ask.experiment_id)
        found = queries.of_experiment(ctx.tx, ask.kind, number, limit=ask.limit) if ask.kind != "experiment" else []
        return TrashPage(items=_kept(ctx, ask.kind, found))
    before_ms = ctx.now_ms() - rules.age_ms(ask.older_than) + (0 if ask.older_than else 1)
    found = queries.listed(ctx.tx, ask.kind, before_ms=before_ms, after=_place(ask.after), limit=ask.limit)
    is_more = len(found) == ask.limit
    last = f"{found[-1].deleted_ms}:{queries.place_of(ctx.tx, ask.kind, found[-1])}" if is_more else ""
    return TrashPage(items=_kept(ctx, ask.kind, found), next_after=last)


def _place(after: str) -> tuple[int, str]:
    if not after:
        return (-1, "")
    at, _, name = after.partition(":")
    if not (at.isascii() and at.isdigit() and name):
        raise Invalid(f"'{after[:80]}' is no place in the trash. Take it from `next_after` of the page before.")
    return (int(at), name)


def _kept(ctx: Context, kind: TrashKind, found: list[Trash]) -> tuple[Trash, ...]:
    keeper: Keeper | None = ctx.memory.get(KEEPER)
    if keeper is None or kind == "experiment" or not found:
        return tuple(found)
    kept = keeper(ctx, kind, tuple(item.id for item in found))
    return tuple(msgspec.structs.replace(item, kept_for=kept.get(item.id, "")) for item in found)


class RemoveTrash(Ask[Removed]):
    """Ask to remove things for good: all of them, or none when one of them may not go.

    Attributes:
        older_than: refuse what is in the trash for a shorter time than this: of an experiment's parts, the experiment.
        experiment_id: of a deleted experiment: they go as parts of it, logged models that are not deleted too.
    """

    kind: TrashKind
    ids: tuple[str, ...]
    older_than: str = ""
    experiment_id: ExperimentId = ExperimentId("")


@operation("trash.remove", needs="trash:remove")
def remove_trash(ctx: Context, ask: RemoveTrash) -> Removed:
    """Remove deleted runs, logged models or experiments for good. Their ids are 404 at once, their names free.

    What belongs to them goes in small steps after it: `trash.sweep`.

    Raises:
        NotFound: there is no such thing.
        Invalid: it is not deleted, or not old enough.
        Conflict: a registered version needs it, or an experiment still holds something.
    """
    ids = tuple(dict.fromkeys(ask.ids))
    if len(ids) > MAX_ITEMS:
        raise Invalid(f"At most {MAX_ITEMS} at once, got {len(ids)}.")
    keeper: Keeper | None = ctx.memory.get(KEEPER)
    kept = keeper(ctx, ask.kind, ids) if keeper is not None and ask.kind != "experiment" else {}
    if kept:
        told = quoted(f"{name} (by {who})" for name, who in kept.items())
        raise Conflict(f"Registered versions need these files: {told}. Delete the versions first, or leave these out.")
    cutoff_ms = ctx.now_ms() - rules.age_ms(ask.older_than) if ask.older_than else None
    whole = _deleted_experiment(ctx, ask.experiment_id, cutoff_ms) if ask.experiment_id else None
    if whole is not None:
        cutoff_ms = None  # its parts are as old as it is
    for name in ids:
        _remove(ctx, ask.kind, name, whole=whole, cutoff_ms=cutoff_ms)
    return Removed(count=len(ids))


def _deleted_experiment(ctx: Context, experiment_id: ExperimentId, cutoff_ms: int | None) -> int:
    number = tracking_rules.experiment_no(experiment_id)
    found = queries.head(ctx.tx, "experiment", str(number))
    if found is None:
        raise NotFound(f"No Experiment with id={experiment_id} exists")
    if not found[1]:
        raise _not_deleted("experiment", experiment_id)
    if cutoff_ms is not None and found[2] >= cutoff_ms:
        raise _too_young("experiment", experiment_id)
    return number


def _not_deleted(kind: TrashKind, name: str) -> Invalid:
    noun = NAMES[kind]
    return Invalid(
        f"{noun} {name} is not in the `deleted` lifecycle stage. Only what is in it can be removed for good: delete it "
        "first."
    )


def _too_young(kind: TrashKind, name: str) -> Invalid:
    return Invalid(f"{NAMES[kind]} {name} is not older than the required age.")


def _remove(ctx: Context, kind: TrashKind, name: str, *, whole: int | None, cutoff_ms: int | None) -> None:
    if kind == "experiment":
        tracking_rules.experiment_no(name)
    found = queries.head(ctx.tx, kind, name)
    if found is None:
        raise NotFound(f"{NAMES[kind]} {name} not found.")
    if not found[1] and not (kind == "logged_model" and whole == found[4]):
        raise _not_deleted(kind, name)
    if cutoff_ms is not None and (found[2] or 0) >= cutoff_ms:
        raise _too_young(kind, name)
    if kind == "experiment":
        _require_empty(ctx, name, found[0])
    queries.take(ctx.tx, kind, name, found, ctx.now_ms())
    if kind == "run":
        memory, number = memory_of(ctx), found[0]
        ctx.tx.on_commit(lambda: memory.forget_run(name, number))


def _require_empty(ctx: Context, name: str, number: int) -> None:
    active = queries.runs_of(ctx.tx, number, is_deleted=False)
    if active:
        raise Conflict(
            f"Experiment {name} is deleted, but runs of it are active ({active} counted, to a thousand): they were "
            "restored singly, or are being deleted now. Delete them first."
        )
    if queries.runs_of(ctx.tx, number, is_deleted=True) or queries.has_models(ctx.tx, number):
        raise Conflict(f"Experiment {name} still holds runs or logged models. Remove them first: airside gc does.")


def _with_files_gone(services: Services, _ask: "SweepTrash") -> tuple[tuple[Removal, ...], tuple[str, ...]]:
    """Delete the files of removals whose rows are gone. A second time changes nothing."""
    found: list[Removal] = services.read(lambda ctx: queries.waiting(ctx.tx, is_swept=True, limit=FILES_AT_ONCE))
    untouched: list[str] = []
    for removal in found:
        folder = rules.own_folder(removal.kind, removal.name, removal.artifact_uri)
        try:
            if folder:
                place = services.roots.at(folder)
                place.store.delete(place.path)
            elif removal.kind != "experiment":
                untouched.append(removal.artifact_uri)
        except (Invalid, OSError):  # the clients' own place, or one whose rights are not ours
            untouched.append(removal.artifact_uri)
    return tuple(found), tuple(untouched)


class SweepTrash(Ask[SweptRemovals]):
    """Ask for a step of what removals leave to be done."""


@operation("trash.sweep", needs="trash:remove", audit="measure", prepare=_with_files_gone)
def sweep_trash(ctx: Context, _ask: SweepTrash) -> SweptRemovals:
    """Delete some thousand rows, and the files of what has no rows left. Again until nothing is left."""
    finished, untouched = ctx.prepared
    for removal in finished:
        queries.forget(ctx.tx, removal)
    rows = 0
    for removal in queries.waiting(ctx.tx, is_swept=False, limit=FILES_AT_ONCE):
        rows += queries.sweep(ctx.tx, removal, limit=SWEEP_ROWS - rows)
        if rows >= SWEEP_ROWS:
            break
        queries.mark_swept(ctx.tx, removal)
    return SweptRemovals(rows=rows, left=queries.left(ctx.tx), untouched=untouched)


OPERATIONS: tuple[AnyOperation, ...] = (list_trash, remove_trash, sweep_trash)
