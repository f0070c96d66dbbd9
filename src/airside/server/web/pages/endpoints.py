"""Endpoints: what each serves, its rollout under way, its rollouts before."""

from airside.core.ids import EndpointName
from airside.server.web.page import Call, Crumb, PageQuery, Table, View, address
from airside.server.web.pages.rollouts import evidence_curve, guard_row, paired_whisker, served
from airside.serving.operations.endpoints import GetEndpoint, ListEndpoints
from airside.serving.operations.rollouts import ListRollouts


def endpoints(call: Call, query: PageQuery) -> View:
    """Every endpoint, by name."""
    page = call(ListEndpoints(max_results=50, page_token=query.arguments.get("after", "")))
    rolling = {one.endpoint: one for one in call(ListRollouts(active=True)).items}
    rows = tuple(served(one, [rolling[one.name]] if one.name in rolling else []) for one in page.items)
    heads = ("name", "model", "version", "previous_version", "state", "rollout_id", "updated_at")
    return View(
        template="endpoints.html",
        title="Endpoints",
        place="Endpoints",
        crumbs=(Crumb(text="Endpoints"),),
        shows={"rows": rows, "page": page, "topics": ("endpoints", "rollouts")},
        data=page,
        table=Table(heads=heads, rows=tuple(tuple(getattr(one, head) for head in heads) for one in page.items)),
    )


def endpoint(call: Call, query: PageQuery) -> View:
    """One endpoint: the traffic split, the judge, the rollouts so far."""
    found = call(GetEndpoint(name=EndpointName(query.names["name"])))
    rollouts = call(ListRollouts(endpoint=found.name, max_results=50))
    now = served(found, rollouts.items)
    it = now.rollout if now.is_rolling else None
    heads = ("id", "from_version", "to_version", "state", "reason", "started_at", "ended_at")
    return View(
        template="endpoint.html",
        title=found.name,
        place="Endpoints",
        crumbs=(Crumb(text="Endpoints", href="/endpoints"), Crumb(text=found.name)),
        shows={
            "endpoint": found,
            "now": now,
            "rollouts": rollouts,
            "guards": tuple(guard_row(one) for one in it.evidence.guards) if it else (),
            "paired": paired_whisker(it) if it else None,
            "curve": evidence_curve(it) if it else None,
            "model_href": address("/models/{}", found.model),
            "topics": (f"endpoint:{found.name}", "endpoints"),
        },
        data={"endpoint": found, "rollouts": rollouts},
        table=Table(heads=heads, rows=tuple(tuple(getattr(one, head) for head in heads) for one in rollouts.items)),
        modules=("curve",),
    )
