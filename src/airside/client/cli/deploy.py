"""`airside deploy NAME@VERSION`: start the rollout of a version, and watch it if wanted."""

import sys

import click

from airside.client.cli.options import PLATFORM_OPTIONS, client_of
from airside.client.cli.output import echo, show
from airside.core.errors import Invalid
from airside.core.ids import EndpointName, ModelName
from airside.core.plugin import load
from airside.serving.operations.endpoints import CreateEndpoint, Deploy, ListEndpoints
from airside.serving.records import Rollout


def _deploy(what: str, endpoint: str, direct: bool, wait: bool, as_json: bool, **options: str) -> None:
    name, _, number = what.partition("@")
    if not number.isdecimal():
        raise Invalid(f"'{what}' names no version: it looks like churn@7. List them with: airside versions search")
    with client_of(dict(options)) as client:
        if not endpoint:
            known = [one.name for one in client.call(ListEndpoints(model=name)).items]
            if len(known) > 1:
                raise Invalid(f"{name} has the endpoints {', '.join(known)}: say which with --endpoint.")
            endpoint = (
                known[0] if known else client.call(CreateEndpoint(name=EndpointName(name), model=ModelName(name))).name
            )
        deployed = client.call(Deploy(endpoint=EndpointName(endpoint), version=int(number), direct=direct))
        if deployed.rollout is None or not wait:
            show(deployed.rollout or deployed.endpoint, as_json=as_json)
            return

        def tell(rollout: Rollout) -> None:
            echo(f"{rollout.state}: {rollout.reason}", err=True)

        ended = load("airside.client.sdk.endpoints:wait_rollout")(client, deployed.rollout.id, tell)
        show(ended, as_json=as_json)
    if ended.state != "promoted":
        sys.exit(1)


deploy = click.Command(
    "deploy",
    callback=_deploy,
    help="Start the rollout of a version, e.g. churn@7, on the endpoint of its model, which is made if there is none.",
    params=[
        click.Argument(["what"], metavar="NAME@VERSION"),
        click.Option(["--endpoint"], default="", help="Which endpoint, where the model has several."),
        click.Option(["--direct"], is_flag=True, help="Switch at once, without shadow and canary."),
        click.Option(["--wait"], is_flag=True, help="Watch the rollout to its end; status 1 if it is not promoted."),
        *(make() for make in PLATFORM_OPTIONS),
    ],
)
