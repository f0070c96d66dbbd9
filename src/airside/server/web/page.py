"""What a page is asked with and what it answers: plain records, so that a page needs no server to be tested."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from airside.core.errors import AirsideError, Internal, Invalid
from airside.core.record import Ask, Record

T = TypeVar("T")
Twin = Literal["html", "json", "csv"]
Theme = Literal["", "light", "dark"]


class Call(Protocol):
    """`Platform.call`, bound to the actor."""

    def __call__(self, ask: Ask[T], /) -> T:
        """Ask an operation and wait for its answer."""


def no_action(wanted: str) -> Invalid:
    """What to say of a form that asks for something that its page does not do."""
    return Invalid(f"'{wanted[:60]}' is nothing that this form does. Load the page again, and send it from there.")


class PageQuery(Record):
    """What a page was asked for.

    Attributes:
        path: the path of the page, percent-encoded, without its twin's ending.
        names: what stands in the places `{name}` of the route, decoded.
        arguments: the query string; of a key that occurs twice, the last.
        several: of the keys that occur more than once or may, all values in their order.
        form: the fields of a posted form; of a field that occurs twice, the last.
        form_several: of each field of a posted form, all values in their order.
        twin: the form of the answer that was asked for.
        fragment: the id of the element that htmx will replace; empty for the whole page.
        theme: the reader's choice; empty leaves it to the system.
        origin: this server's address as the reader sees it, for snippets.
        open_to_all: whether authentication is off on an address that others can reach; every page then says so.
    """

    path: str = "/"
    names: dict[str, str] = {}
    arguments: dict[str, str] = {}
    several: dict[str, tuple[str, ...]] = {}
    form: dict[str, str] = {}
    form_several: dict[str, tuple[str, ...]] = {}
    twin: Twin = "html"
    fragment: str = ""
    theme: Theme = ""
    actor: str = "local"
    csrf: str = ""
    origin: str = "http://127.0.0.1:5000"
    open_to_all: bool = False
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    request_id: str = ""

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        """The argument, if it is one of those allowed; else the first of them.

        >>> PageQuery(arguments={"tab": "card"}).choice("tab", ("overview", "card"))
        'card'
        """
        value = self.arguments.get(key, "")
        return value if value in allowed else allowed[0]

    def number(self, key: str, default: int, *, least: int, most: int) -> int:
        """The argument as an integer within its limits.

        Raises:
            Invalid: it is no integer.
        """
        text = self.arguments.get(key, "")
        if not text:
            return default
        try:
            return min(max(int(text), least), most)
        except ValueError as wrong:
            raise Invalid(f"'{key}' is {text[:60]!r}, not a whole number. Leave it out, or give one.") from wrong

    def link(self, **changed: str) -> str:
        """This page with some arguments changed; an empty value leaves the argument out.

        >>> PageQuery(path="/models", arguments={"after": "x", "order": "name"}).link(after="", order="state")
        '/models?order=state'
        """
        return address(self.path, **{**self.arguments, **changed})

    def twin_link(self, twin: Twin) -> str:
        """This page in another form."""
        path = "/models" if self.path == "/" else self.path
        return address(f"{path}.{twin}", **self.arguments)


class Page(Record):
    """An answer: what the edge writes to the socket."""

    body: bytes
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class Table(Record):
    """What the `.csv` twin of a page holds: heads with units in their names, unrounded rows."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Crumb(Record):
    """A step of the path above a page. The last has no address."""

    text: str
    href: str = ""


class View(Record):
    """A page before it is written: a template, what it shows, and the same as data.

    Attributes:
        template: the file below `templates/`.
        place: the entry of the side-bar that is lit.
        shows: the variables of the template.
        data: what the `.json` twin answers.
        table: what the `.csv` twin answers; None: the page has none.
        modules: the modules that draw on this page: `curve` (which also loads uPlot), `heat`.
        redirect: go there instead.
    """

    template: str = ""
    title: str = ""
    place: str = ""
    crumbs: tuple[Crumb, ...] = ()
    shows: dict[str, Any] = {}
    data: Any = None
    table: Table | None = None
    modules: tuple[str, ...] = ()
    status: int = 200
    redirect: str = ""


class Trouble(Record):
    """A block that could not be shown: said in its place, the rest of the page stands."""

    message: str
    code: str
    trouble: bool = True


def attempt(call: Call, ask: Ask[T]) -> T | Trouble:
    """Ask for one block of a page. What goes wrong is shown in the block's place."""
    return block(lambda: call(ask))


def block(make: Callable[[], T]) -> T | Trouble:
    """Make one block of a page. What goes wrong is shown in the block's place."""
    try:
        return make()
    except Internal:
        raise
    except AirsideError as error:
        return Trouble(message=error.message, code=error.code)


def known(answer: T | Trouble, otherwise: T) -> T:
    """The answer, or something neutral where there was trouble."""
    return otherwise if isinstance(answer, Trouble) else answer


def segment(name: str) -> str:
    """A name as one segment of a path; its ending is kept apart from a twin's.

    >>> segment("a/b.json"), segment("münchen v1.2")
    ('a%2Fb%2Ejson', 'm%C3%BCnchen%20v1.2')
    """
    text = quote(name, safe="")
    for ending in (".json", ".csv"):
        if text.endswith(ending):
            return text[: -len(ending)] + "%2E" + ending[1:]
    return text


def address(path: str, /, *names: str, **arguments: str) -> str:
    """A path of ours: `{}` stands for a name each; empty arguments are left out.

    >>> address("/models/{}/versions/{}", "a b", "3", tab="gates", order="")
    '/models/a%20b/versions/3?tab=gates'
    """
    filled = path.format(*(segment(name) for name in names)) if names else path
    pairs = {key: value for key, value in arguments.items() if value}
    return f"{filled}?{urlencode(pairs)}" if pairs else filled


def as_data(value: Any) -> Any:
    """A record as plain data for `.json`: times in ISO, numbers unrounded; what is not finite is null."""
    return msgspec.to_builtins(value, str_keys=True)
