"""Verbs on imports themselves: where one began, how far it got, how it ended."""

from airside.core.errors import Invalid, NotFound
from airside.core.ids import ImportId
from airside.core.operation import AnyOperation, Context, operation
from airside.core.paging import page_size
from airside.core.record import DONE, Ask, Done
from airside.tracking.imports import queries
from airside.tracking.imports.records import Import, ImportPage, ImportPart, ImportReport

MAX_TEXT = 2000
MAX_LISTED = 1000


class BeginImport(Ask[Import]):
    """A source that shall be taken over.

    Attributes:
        source: its address, without a password.
        kind: what it is: `mlflow-database`, `mlflow-folder` or `folder`.
        fingerprint: what tells it from every other source.
    """

    source: str
    kind: str
    fingerprint: str


@operation("imports.begin", needs="imports:write")
def begin_import(ctx: Context, ask: BeginImport) -> Import:
    """Begin an import, or go on with an interrupted one of the same source; a finished one looks at everything again.

    Raises:
        Invalid: a text is empty or too long.
    """
    for text in (ask.source, ask.kind, ask.fingerprint):
        if not 0 < len(text) <= MAX_TEXT:
            raise Invalid(f"source, kind and fingerprint have 1 to {MAX_TEXT} characters each.")
    known = queries.job_by_fingerprint(ctx.tx, ask.fingerprint)
    if known is None:
        import_id = ImportId(ctx.new_id("import"))
        new = Import(
            import_id=import_id,
            source=ask.source,
            kind=ask.kind,
            started_by=ctx.actor.name,
            started_ms=ctx.now_ms(),
        )
        queries.add_job(ctx.tx, new, ask.fingerprint)
        return new
    if known.ended_ms is not None:
        queries.begin_again(ctx.tx, known.import_id, ctx.actor.name, ctx.now_ms())
    return _known(ctx, known.import_id)


class GetImport(Ask[Import]):
    """An import by its id."""

    import_id: ImportId


@operation("imports.get", needs="imports:read")
def get_import(ctx: Context, ask: GetImport) -> Import:
    """An import: how far it got, or how it ended.

    Raises:
        NotFound: there is none of that id.
    """
    return _known(ctx, ask.import_id)


class ListImports(Ask[ImportPage]):
    """The newest imports."""

    max_results: int = 100


@operation("imports.list", needs="imports:read")
def list_imports(ctx: Context, ask: ListImports) -> ImportPage:
    """The imports into this store, newest first.

    Raises:
        Invalid: the page size is not one.
    """
    return ImportPage(items=queries.jobs(ctx.tx, page_size(ask.max_results, MAX_LISTED)))


class MarkImport(Ask[Done]):
    """How far a part of an import got."""

    import_id: ImportId
    part: ImportPart


@operation("imports.mark", needs="imports:write", audit="measure")
def mark_import(ctx: Context, ask: MarkImport) -> Done:
    """Note how far a part got; an interrupted import goes on from there.

    Raises:
        NotFound: there is no such import.
    """
    check_known(ctx, ask.import_id)
    queries.mark(ctx.tx, ask.import_id, ask.part)
    return DONE


class FinishImport(Ask[Import]):
    """How an import ended."""

    import_id: ImportId
    report: ImportReport


@operation("imports.finish", needs="imports:write")
def finish_import(ctx: Context, ask: FinishImport) -> Import:
    """Note that an import ended, with its report.

    Raises:
        NotFound: there is no such import.
    """
    check_known(ctx, ask.import_id)
    queries.finish(ctx.tx, ask.import_id, ask.report, ctx.now_ms())
    return _known(ctx, ask.import_id)


def check_known(ctx: Context, import_id: ImportId) -> None:
    """Refuse an import that never began.

    Raises:
        NotFound: there is none of that id.
    """
    _known(ctx, import_id)


def _known(ctx: Context, import_id: ImportId) -> Import:
    found = queries.job(ctx.tx, import_id)
    if found is None:
        raise NotFound(f"No import '{import_id[:200]}'. List them with: airside imports list")
    return found


OPERATIONS: tuple[AnyOperation, ...] = (begin_import, get_import, list_imports, mark_import, finish_import)
