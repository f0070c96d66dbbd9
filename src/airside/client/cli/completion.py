"""`airside completion SHELL`: the script that makes the shell complete commands."""

import click
from click.shell_completion import get_completion_class


@click.command(help='Print the completion script of a shell. Put it to work with: eval "$(airside completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script."""
    root = click.get_current_context().find_root().command
    made = get_completion_class(shell)
    if made is not None:
        click.echo(made(root, {}, "airside", "_AIRSIDE_COMPLETE").source())
