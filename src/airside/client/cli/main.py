"""`airside`: the command line. Hand-made commands are loaded by name; the rest come from the table of operations.

Exit status: 0 done; 1 failed, and said why; 2 wrong use.
"""

import io
import sys

import click

from airside.core.errors import AirsideError, WrongUse
from airside.core.escapes import harmless
from airside.core.plugin import load
from airside.core.version import VERSION

COMMANDS = {
    "server": "airside.client.cli.server:server",
    "serve": "airside.client.cli.serve:serve",
    "worker": "airside.client.cli.worker:worker",
    "deploy": "airside.client.cli.deploy:deploy",
    "demo": "airside.client.cli.demo.command:demo",
    "data": "airside.client.cli.data:data",
    "import": "airside.client.cli.imports:import_group",
    "export": "airside.client.cli.export:export",
    "spool": "airside.client.cli.spool:spool",
    "report": "airside.client.cli.report:report",
    "find": "airside.client.cli.finding:find",
    "doctor": "airside.client.cli.doctor:doctor",
    "gc": "airside.client.cli.gc:gc",
    "settings": "airside.client.cli.settings:settings",
    "completion": "airside.client.cli.completion:completion",
}
"""Commands written by hand. A name that is not here is a noun of the table of operations: `airside models list`."""

ALSO = {"ui": COMMANDS["server"]}
"""Other names of commands, as `mlflow` has them; the list does not show them."""
ELSEWHERE = {
    "db": "the schema is brought up to date whenever the server starts (airside server)",
    "migrate-filestore": "a folder mlruns is taken over with `airside import mlflow ./mlruns`",
    "deployments": "a registered model is served with `airside deploy NAME@VERSION`",
}
"""Commands of `mlflow` that Airside needs none for, and what does that here."""

_GENERATED = "airside.client.cli.generated"


class Commands(click.Group):
    """The group of all commands; imports what is called, and nothing else."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command."""
        del ctx
        return sorted({*COMMANDS, *load(f"{_GENERATED}:nouns")()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name."""
        del ctx
        by_hand = COMMANDS.get(cmd_name) or ALSO.get(cmd_name)
        command: click.Command | None = load(by_hand) if by_hand else load(f"{_GENERATED}:group_of")(cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands of `--help`: first those that do a whole job, then every noun with its verbs."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        width = formatter.width - 6 - max(map(len, found))
        for title, is_by_hand in (("Commands", True), ("Verbs, by noun", False)):
            rows = [
                (name, command.get_short_help_str(width))
                for name, command in found.items()
                if command and (name in COMMANDS) == is_by_hand
            ]
            with formatter.section(title):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A command by what was typed; an unknown one names its nearest neighbours."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if args[0] in ELSEWHERE:
                raise click.UsageError(f"No command '{args[0]}': {ELSEWHERE[args[0]]}.", ctx) from error
            import difflib  # noqa: PLC0415 -- only for a mistake

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=3)
            hint = f" Did you mean: {', '.join(near)}?" if near else " List them with: airside --help"
            raise click.UsageError(f"No command '{args[0][:80]}'.{hint}", ctx) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["--help"], "max_content_width": 110})
@click.version_option(VERSION, prog_name="airside")
def cli() -> None:
    """Airside: the whole life of a machine-learning model in one place."""


def main() -> None:
    """Run a command; errors of ours are told without a traceback."""
    for stream in (sys.stdout, sys.stderr):  # a terminal of Latin-1 shows other letters as escapes
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        cli.main(prog_name="airside", standalone_mode=False)
    except AirsideError as error:
        _fail(error.message, 2 if isinstance(error, WrongUse) else 1)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        _fail("Stopped.", 130)
    except BrokenPipeError:
        sys.exit(1)


def _fail(text: str, status: int) -> None:
    click.echo(harmless(text), err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
