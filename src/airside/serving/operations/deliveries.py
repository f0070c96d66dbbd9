"""Verbs on deliveries: named groups of rows that arrived together."""

from airside.core.clock import from_ms
from airside.core.errors import Invalid, NotFound, Unavailable
from airside.core.ids import EndpointName
from airside.core.operation import Context, operation
from airside.core.paging import page_size
from airside.core.record import Ask, Record
from airside.serving import progress, queries
from airside.serving.events import DeliveryCompleted
from airside.serving.records import Delivery


class CompleteDelivery(Ask[Delivery]):
    """A delivery of which all rows were sent.

    Attributes:
        rows: how many rows were answered; the log must have as many. None takes what is there.
    """

    endpoint: EndpointName
    name: str
    rows: int | None = None


@operation("deliveries.complete", needs="endpoint:write")
def complete_delivery(ctx: Context, ask: CompleteDelivery) -> Delivery:
    """Say that a delivery is complete, so that monitors look at it. To say it again changes nothing.

    Raises:
        NotFound: there is no such endpoint, or the log has no row of that delivery.
        Unavailable: rows are still on their way from the serving process; try again shortly.
        Invalid: the delivery has no name.
    """
    if not ask.name:
        raise Invalid("A delivery needs a name: the one that its requests sent in X-Airside-Delivery.")
    endpoint = progress.endpoint_or_fail(ctx, ask.endpoint)
    rows, batches = queries.delivery_counts(ctx.tx, ask.endpoint, ask.name)
    if ask.rows is not None and rows < ask.rows:
        raise Unavailable(
            f"Delivery '{ask.name}' has {rows} of {ask.rows} rows in the log of '{ask.endpoint}' so far. "
            "Try again in a second."
        )
    if not batches:
        raise NotFound(f"The log of '{ask.endpoint}' has no row of a delivery '{ask.name}'.")
    before = queries.delivery(ctx.tx, ask.endpoint, ask.name)
    if before is not None and (before.rows, before.batches) == (rows, batches):
        return before
    now_ms = ctx.now_ms()
    done = Delivery(endpoint=ask.endpoint, name=ask.name, rows=rows, batches=batches, completed_at=from_ms(now_ms))
    queries.put_delivery(ctx.tx, done, now_ms)
    ctx.announce(
        DeliveryCompleted(endpoint=ask.endpoint, model=endpoint.model, delivery=ask.name, rows=rows, batches=batches)
    )
    return done


class DeliveryPage(Record):
    """Completed deliveries, the newest first.

    Raises:
        Invalid: the page's size is none.
    """

    items: tuple[Delivery, ...]


class ListDeliveries(Ask[DeliveryPage]):
    """The completed deliveries of an endpoint."""

    endpoint: EndpointName
    max_results: int = 1000


@operation("deliveries.list", needs="endpoint:read")
def list_deliveries(ctx: Context, ask: ListDeliveries) -> DeliveryPage:
    """Completed deliveries, the newest first.

    Raises:
        Invalid: the page's size is none.
    """
    found = queries.deliveries(ctx.tx, ask.endpoint, page_size(ask.max_results, 10_000))
    return DeliveryPage(items=tuple(found))
