"""Sending what processes have left in the spool: `airside spool send`."""

from collections.abc import Callable
from pathlib import Path

from airside.client.recording.delivery import Delivery
from airside.client.recording.entries import Roots
from airside.client.recording.spool import EMBEDDED, spool_root
from airside.client.recording.telling import Troubles
from airside.client.transport import Client, connect, open_home
from airside.core.errors import AirsideError
from airside.core.ids import RunId
from airside.core.record import Record


class Sent(Record):
    """What became of the parcels for one server.

    Attributes:
        sent: values, files and changes that it took.
        refused: what it did not take, for what it is.
        trouble: why it could not be asked for all of it; empty when nothing is left.
    """

    address: str
    sent: int = 0
    refused: tuple[str, ...] = ()
    trouble: str = ""


def send_left_over(
    address: str = "", token: str = "", *, connected: Callable[[str, str], Client] | None = None
) -> tuple[Sent, ...]:
    """Send the parcels of processes that are gone, of one server or of all.

    Args:
        address: of the server as `spool status` tells it; all when it is not given.
        token: for it; `AIRSIDE_TOKEN` when it is not given.
        connected: makes the client.
    """
    shelves = [path.parent for path in sorted(spool_root().glob("*/address"))]
    known = [(path / "address").read_text("utf-8") for path in shelves]
    return tuple(_sent(one, token, connected or _connected) for one in known if address.rstrip("/") in {"", one})


def _connected(address: str, token: str) -> Client:
    if address.startswith(EMBEDDED):
        return open_home(Path(address.removeprefix(EMBEDDED)))
    return connect(address, token)


def _sent(address: str, token: str, connected: Callable[[str, str], Client]) -> Sent:
    troubles = Troubles(address, is_quiet=True)
    try:
        with connected(address, token).impatient() as client:
            delivery = Delivery(client, address, troubles, Roots())
            while delivery.has_strays:
                delivery.send_stray()
            delivery.close()
    except AirsideError as error:
        return Sent(address=address, sent=troubles.sent, trouble=error.message)
    refused = tuple(error.message for error in troubles.refusals(RunId("")))
    return Sent(address=address, sent=troubles.sent, refused=refused, trouble=delivery.trouble)
