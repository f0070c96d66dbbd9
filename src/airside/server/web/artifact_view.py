"""HTML that a run or a model keeps, as a document that can do nothing: for a frame with a sandbox on our pages.

Its bytes are a stranger's. The policy takes its scripts, its origin, its forms and every request away, in the frame and
when somebody opens the address by itself. What is not HTML is not shown here.
"""

import asyncio

from airside.core.errors import Invalid
from airside.core.ids import LoggedModelId, RunId
from airside.platform.access.rights import authorise
from airside.platform.wiring import Platform
from airside.server.files import content_type, download
from airside.server.message import Answer, Handler, Request
from airside.store.names import safe_parts
from airside.tracking.artifacts import root_of

POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
HEADERS = (
    (b"content-type", b"text/html"),
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
)
DROPPED = {b"content-type", b"content-disposition", b"accept-ranges"}


def artifact_view(platform: Platform) -> Handler:
    """`GET /artifact-view?run_id=&path=`, or with `model_id=`."""

    async def handle(request: Request) -> Answer:
        authorise(request.actor, "artifact", "read")
        sent = {name: values[0] for name, values in request.query().items()}
        path = "/".join(safe_parts(sent.get("path", "")))
        if content_type(path) not in {"text/html", "application/xhtml+xml"}:
            raise Invalid("Only HTML is shown as a document. Other files are downloads.")
        run_id, model_id = RunId(sent.get("run_id", "")), LoggedModelId(sent.get("model_id", ""))
        uri = await asyncio.to_thread(platform.read, lambda ctx: root_of(ctx, run_id, model_id))
        place = platform.roots.at(uri, path)
        found = await asyncio.to_thread(download, place.store, place.path, request)
        kept = tuple(each for each in found.headers if each[0] not in DROPPED)
        return found._replace(headers=(*HEADERS, *kept))

    return handle
