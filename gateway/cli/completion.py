"""``sceau completion``: the shell completes nouns, verbs and options."""

import click
from click.shell_completion import get_completion_class

from gateway.cli.call import Asking

_VARIABLE = "_SCEAU_COMPLETE"
_WHERE = {
    "bash": "~/.local/share/bash-completion/completions/sceau",
    "zsh": "a folder of $fpath, as _sceau",
    "fish": "~/.config/fish/completions/sceau.fish",
}


# Click keeps the lines of a paragraph that begins so as they are.
_HELP = f"""Print what makes a shell complete this command.

\b
sceau completion bash > {_WHERE["bash"]}
sceau completion zsh > "${{fpath[1]}}/_sceau"
sceau completion fish > {_WHERE["fish"]}
"""


@click.command("completion", help=_HELP)
@click.argument("shell", type=click.Choice(sorted(_WHERE)))
@click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")
@click.pass_context
def command(context: click.Context, *, shell: str, as_json: bool) -> None:
    """Print the script of click's that asks this command what may come next."""
    from pathlib import Path

    made = get_completion_class(shell)
    assert made is not None, "click knows all three"
    script = made(context.find_root().command, {}, "sceau", _VARIABLE).source()
    answer = {"shell": shell, "script": script, "place": _WHERE[shell]}
    Asking(Path(), as_json).answer(answer, lambda _: click.echo(script))
