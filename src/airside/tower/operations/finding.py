"""Searches across rooms: records of one noun by what they are and by what they hang together with."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from airside.core.clock import from_ms, to_ms
from airside.core.errors import Invalid
from airside.core.operation import Context, Row, operation
from airside.core.record import Ask
from airside.core.search import Comparison, Order, PageToken, parse_filter, parse_order, read_token, write_token
from airside.tower import queries
from airside.tower.nouns import NOUNS, PLURALS, Noun, fields_of, grammar_of
from airside.tower.queries import Wanted
from airside.tower.records import Match, MatchPage, Searchable, Searchables
from airside.tower.rules import link_of

MAX_RESULTS = 1000
MAX_FILTER = 8000
MAX_COMPARISONS = 30
MAX_SHOWN = 20
_AGO = re.compile(r"-(\d{1,6})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class SearchRecords(Ask[MatchPage]):
    """Records of one noun that match a filter.

    Attributes:
        find: the noun, in the plural: `versions`, `runs`, `datasets`, `endpoints`, `predictions`, …
        filter: comparisons joined by AND. Bare words are the record's own; `metrics.`, `params.` and `tags.` too.
            A noun and a dot follows the chain of records: `dataset.name = 'people' AND dataset.version = 3 AND
            metrics.auc > 0.8 AND endpoint.state = 'serving'`. All comparisons with one noun speak of one record of it.
        order_by: one field, with `DESC` behind it for the greatest first; the newest first without it.
    """

    find: str
    filter: str = ""
    order_by: str = ""
    max_results: int = 50
    page_token: str = ""


@operation("records.search", needs="catalog:read")
def search_records(ctx: Context, ask: SearchRecords) -> MatchPage:
    """A page of the records that match.

    Raises:
        Invalid: there is no such noun, or the filter, the order or the token cannot be read; says which part.
    """
    noun = PLURALS.get(ask.find)
    if noun is None:
        raise Invalid(f"There is nothing called '{ask.find[:80]}' to search. Search one of: {', '.join(PLURALS)}.")
    if not 1 <= ask.max_results <= MAX_RESULTS:
        raise Invalid(f"max_results is {ask.max_results}; it must be within 1 and {MAX_RESULTS}.")
    if len(ask.filter) > MAX_FILTER:
        raise Invalid(f"A filter has at most {MAX_FILTER} characters; this one has {len(ask.filter)}.")
    grammar = grammar_of(noun.word)
    comparisons = parse_filter(ask.filter, grammar)
    if len(comparisons) > MAX_COMPARISONS:
        raise Invalid(f"A filter has at most {MAX_COMPARISONS} comparisons; this one has {len(comparisons)}.")
    order = parse_order(ask.order_by, grammar) if ask.order_by else None
    belongs = blake2b(f"{ask.find}\0{ask.filter}\0{ask.order_by}".encode(), digest_size=6).hexdigest()
    token = read_token(ask.page_token, belongs)
    if token.offset or len(token.after) not in {0, 2}:
        raise Invalid("This page token belongs to another search. Start again without it.")
    wanted = Wanted(
        noun=noun.word,
        comparisons=tuple(_with_instant(each, noun, ctx.clock.now()) for each in comparisons),
        order=order,
        after=token.after,
        shown=_shown(comparisons, order, noun),
        limit=ask.max_results + 1,
    )
    rows = queries.matches(ctx.tx, wanted)
    following = ""
    if len(rows) > ask.max_results:
        following = write_token(PageToken(after=tuple(rows[ask.max_results - 1][:2]), of=belongs))
    return MatchPage(
        items=tuple(_match(noun, wanted.shown, row) for row in rows[: ask.max_results]), next_page_token=following
    )


def _shown(comparisons: tuple[Comparison, ...], order: Order | None, noun: Noun) -> tuple[tuple[str, str], ...]:
    """The metrics, parameters and tags of the record itself that are asked for."""
    asked = [*comparisons, *([order] if order else ())]
    return tuple(dict.fromkeys((each.entity, each.key) for each in asked if each.entity in noun.keyed))[:MAX_SHOWN]


def _with_instant(each: Comparison, noun: Noun, now: datetime) -> Comparison:
    """The comparison with its time as the tables hold it."""
    root, _, keyed = each.entity.partition(".")
    asked = noun if root == "attribute" else NOUNS.get(root, noun)
    if keyed or root in noun.keyed or asked.columns.get(each.key) != "time":
        return each
    return Comparison(
        entity=each.entity, key=each.key, operator=each.operator, value=to_ms(_instant(str(each.value), now))
    )


def _instant(text: str, now: datetime) -> datetime:
    """A time: a date, an instant, or how long ago.

    >>> now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    >>> _instant("2026-03-01", now).isoformat(), _instant("-36h", now).isoformat()
    ('2026-03-01T00:00:00+00:00', '2026-03-01T00:00:00+00:00')
    """
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        raise Invalid(
            f"'{text[:80]}' is no time. Write a date or an instant ('2026-03-01', '2026-03-01T12:00:00Z'), or how long "
            "ago ('-24h', '-7d')."
        ) from None


def _match(noun: Noun, shown: tuple[tuple[str, str], ...], row: Row) -> Match:
    values = {
        name: from_ms(value).isoformat(timespec="milliseconds") if kind == "time" and value is not None else value
        for (name, kind), value in zip(noun.columns.items(), row[2:], strict=False)
    }
    values |= {
        f"{entity}.{key}": value for (entity, key), value in zip(shown, row[2 + len(noun.columns) :], strict=True)
    }
    return Match(kind=noun.lineage, id=row[1], link=link_of(noun.lineage, row[1]), values=values)


class ListSearchable(Ask[Searchables]):
    """What can be searched."""


@operation("records.searchable", needs="catalog:read")
def searchable(ctx: Context, ask: ListSearchable) -> Searchables:
    """Every noun with what may be asked of it."""
    del ctx, ask
    return Searchables(
        items=tuple(
            Searchable(find=noun.plural, word=noun.word, fields=fields_of(noun), keyed=tuple(noun.keyed))
            for noun in NOUNS.values()
            if noun.columns
        )
    )
