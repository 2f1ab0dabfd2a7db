"""The entry point: which command, and what an error becomes."""

from __future__ import annotations

import errno
import importlib
import os
import re
import shlex
import sys
import traceback
import warnings
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from widemargin.errors import ConfigError, InputError, WidemarginError

__all__ = ["main"]

# Each command's module is imported when the command is asked for, so that `--help` is instant.
_COMMANDS = {
    "list": "List use cases, their data, and what their last runs reached.",
    "run": "Train, judge, explain and save a use case.",
    "compare": "Set use cases, configs, encoders, kernels or runs side by side.",
    "predict": "Predict new items with a run's model.",
    "filter": "Read a mail on standard input, write it back with X-Spam-* headers.",
    "sort": "Sort pictures or recordings into one folder a class.",
    "encode": "Write the vectors of items to a file.",
    "encoders": "List encoders.",
    "probe": "Show what an encoder learned: neighbours, analogies, its shape.",
    "store": "Kept vectors: info, prune, verify.",
    "runs": "List runs; prune old ones.",
    "show": "Show one run.",
    "report": "Write a run's report again.",
    "config": "Settings: show, new, check.",
    "data": "Data sets and weight files: list, fetch, verify, path.",
    "plugin": "Plugins: list, new, check.",
    "doctor": "Say what is installed and in place, and what to do about the rest.",
}

_ASKED = "widemargin.asked"
# What writing to a full or broken standard output ends with; a closed pipe ends quietly.
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


class _EndedError(Exception):
    """A plugin called `sys.exit` in the middle of a command; that is the cause."""


class _Commands(TyperGroup):
    """Commands that load when they are called; plugins' commands come after our own."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name our own commands, in the order of use."""
        return list(_COMMANDS)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take our own options; one of a command that stands before its name is refused."""
        own = {name for one in self.get_params(ctx) for name in one.opts}
        _check_places(args, own)
        return list(super().parse_args(ctx, args))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Note which command is asked for; all others are wanted for the listing only."""
        ctx.meta[_ASKED] = args[0]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an interruption ends with a word on how to go on.

        Raises
        ------
        _EndedError
            Where a plugin's code ended one of our own commands.
        """
        try:
            return super().invoke(ctx)
        except SystemExit as stop:
            # A plugin's own command may end so; and last words are told as they are.
            own = ctx.meta.get(_ASKED) in _COMMANDS and not isinstance(stop.code, str)
            if own and _is_of_plugin(stop):
                raise _EndedError from stop
            raise
        except KeyboardInterrupt as stop:
            _say(f"Stopped. {stop}".rstrip())
            raise typer.Exit(130) from None

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load the command that is asked for; give the listing a name and a line of help."""
        asked = ctx.meta.get(_ASKED) == cmd_name
        if cmd_name in _COMMANDS:
            return _load(cmd_name) if asked else _listed(cmd_name)
        if not asked or cmd_name.startswith("-"):
            return None
        from widemargin.registry import discover

        registry = discover()
        command = registry.commands.get(cmd_name)
        if command is None:
            for broken in registry.broken:
                _say(
                    f"The plugin {broken.name!r} of {broken.distribution} is broken and may have "
                    f"had the command {cmd_name!r}: {broken.reason}"
                )
            return None
        plugin = typer.Typer(add_completion=False)
        plugin.command(command.name, help=command.summary)(command.run)
        return _as_command(plugin, cmd_name)


def _is_of_plugin(stop: SystemExit) -> bool:
    """Say whether it came from a plugin's code; libraries end so too, as rich at a closed pipe."""
    from widemargin.contracts.places import last_raised, plugin_packages

    raised = last_raised(stop, plugin_packages())
    return raised is not None and not raised.within_ours


def _check_places(words: Sequence[str], own: Collection[str]) -> None:
    """Say where an option goes that its command's name does not precede.

    Raises
    ------
    InputError
        Where a word before a command's name is an option that the command has, and none that the
        group before it has.
    """
    below: Any = _COMMANDS
    taken, command = own, None
    places: list[int] = []
    met: list[str] = []  # options that the group has not, since the last name
    early: list[str] = []  # such options before the last name
    for place, word in enumerate(words):
        if word in below:
            command = _load(word) if command is None else below[word]
            below, taken = getattr(command, "commands", {}), _options(command)
            places.append(place)
            early, met = [*early, *met], []
        elif word.startswith("-"):
            if (name := word.partition("=")[0]) not in taken:
                met.append(name)
        elif not below or not place or not words[place - 1].startswith("-"):
            break  # an argument; after an option it may be the option's value
    path = " ".join(words[place] for place in places)
    for name in early:
        if name in taken:
            rest = [word for place, word in enumerate(words) if place not in places]
            right = f"widemargin {path} {shlex.join(rest)}"
            raise InputError(
                f"{name} is an option of `widemargin {path}`, and goes after it: {right}"
            )


def _options(command: Any) -> set[str]:
    return {name for one in command.params for name in (*one.opts, *one.secondary_opts)}


def _load(name: str) -> Any:
    module = importlib.import_module(f"widemargin.cli.{name}")
    return _as_command(module.app, name)


def _listed(name: str) -> Any:
    listed = typer.Typer(add_completion=False)
    listed.command(name, help=_COMMANDS[name])(lambda: None)
    return _as_command(listed, name)


def _as_command(app: typer.Typer, name: str) -> Any:
    command = typer.main.get_command(app)
    command.name = name
    for one in (command, *getattr(command, "commands", {}).values()):
        # A paragraph folds where the terminal ends, and not where the docstring's lines do.
        one.help = re.sub(r"(?<!\n)\n(?=\S)", " ", one.help or "")
    if name in _COMMANDS:
        command.short_help = _COMMANDS[name]
    return command


def _show_version(wanted: bool) -> None:
    if wanted:
        from widemargin import __version__

        typer.echo(f"widemargin {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=_Commands,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Embeddings in front, a support vector machine behind, one command per real problem.\n\n"
    "Begin with [bold]widemargin run spam[/].",
    epilog="Exit codes: 0 done, 1 the run failed, 2 wrong usage or input, "
    "3 some items were not predicted, 130 stopped by Ctrl-C. "
    "--debug, anywhere, shows an error's traceback.",
)


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take the options that every command shares."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the code that ``--help`` explains."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    debug = "--debug" in given[:end]
    given = [word for place, word in enumerate(given) if place >= end or word != "--debug"]
    code = _run(given, debug)
    try:
        # What is still held back would else fail while Python ends, with a traceback.
        sys.stdout.flush()
    except OSError as error:
        code = _tell_unwritable(error)
    sys.exit(code)


def _run(given: list[str], debug: bool) -> int:
    try:
        with warnings.catch_warnings():
            if not debug:
                warnings.showwarning = partial(_show_warning, set())
            code = app(given, standalone_mode=True, prog_name="widemargin")
    except SystemExit as stop:
        if isinstance(stop.code, str):  # a plugin's last words
            _say(f"Error: {stop.code}")
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except WidemarginError as error:
        if debug:
            traceback.print_exc()
        _say(_wording(error))
        return error.exit_code
    except KeyboardInterrupt:
        _say("Stopped.")
        return 130
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            return _tell_defect(error, debug)
        return _tell_unwritable(error)
    except _EndedError as error:
        return _tell_defect(error.__cause__ or error, debug)
    # The last resort of a program: whatever else happens is our defect, told in one line.
    except Exception as error:  # noqa: BLE001
        return _tell_defect(error, debug)
    return code if isinstance(code, int) else 0


def _tell_defect(error: BaseException, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    else:
        from widemargin.cli.defects import wording

        _say(wording(error))
    return 1


def _tell_unwritable(error: OSError) -> int:
    with suppress(OSError, ValueError):
        # Python flushes once more when it ends, and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno != errno.EPIPE:
        _say(f"Error: standard output cannot be written: {error.strerror or error}.")
    return 1


def _show_warning(told: set[str], message: Warning | str, *_: Any, **__: Any) -> None:
    """Tell a warning in one line and once, without the place in the code that `--debug` shows."""
    if str(message) not in told:
        told.add(str(message))
        _say(f"Warning: {message}")


def _wording(error: WidemarginError) -> str:
    if isinstance(error, ConfigError) and len(error.problems) > 1:
        return f"Error: {len(error.problems)} problems in the settings:\n{error}"
    return f"Error: {error}"


def _say(message: str) -> None:
    from rich.console import Console as RichConsole
    from rich.text import Text

    console = RichConsole(stderr=True, soft_wrap=True)
    head, colon, rest = message.partition(": ")
    style = {"Error": "bold red", "Warning": "yellow"}.get(head)
    if style and colon:
        console.print(Text.assemble((f"{head}: ", style), rest))
    else:
        console.print(Text(message))
