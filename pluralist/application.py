"""The command line: its commands, and how every ending becomes one message and one exit code."""

import logging
import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from data.errors import PluralistError, StageFailed, StorageError
from deploy.prefect_defaults import quieten_prefect
from pluralist import (
    forecast_commands,
    inspect_commands,
    reproduce_commands,
    run_commands,
    setup_commands,
    sweep_commands,
)
from pluralist.output import print_note

APPLICATION = typer.Typer(
    name="pluralist",
    help="Retrain generative models on their own curated output without collapse.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@APPLICATION.callback()
def _common(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="One line on stderr for every stage computed.")
    ] = False,
) -> None:
    if verbose:
        logger = logging.getLogger("pluralist")
        logger.setLevel(logging.INFO)
        logger.addHandler(logging.StreamHandler())


for _commands in (
    run_commands,
    sweep_commands,
    reproduce_commands,
    forecast_commands,
    inspect_commands,
    setup_commands,
):
    _commands.register(APPLICATION)


class Interrupted(BaseException):
    """A signal asks the process to end. Not an `Exception`, so that nothing swallows it."""


def run_application(arguments: list[str]) -> int:
    """Run one command and return its exit code; every ending is at most one message."""
    quieten_prefect()
    received: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        raise Interrupted

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BaseException as error:
        # Asked first: a library in the midst of a call may put an error of its own in the place
        # of `Interrupted`, as pydantic does.
        code = 128 + received[0] if received else _explain(error)
        for note in getattr(error, "__notes__", ()):
            print_note(note)
    return code


def _run(arguments: list[str]) -> int:
    try:
        APPLICATION(arguments, prog_name="pluralist")
    except SystemExit as ending:
        if isinstance(ending.__context__, BrokenPipeError):
            return 0  # the reader of our output went away, as `head` does
        return ending.code if isinstance(ending.code, int) else 0
    return 0


def _explain(error: BaseException) -> int:
    """Say what ended the command and return its exit code; raises an `error` nobody foresaw."""
    if isinstance(error, PluralistError):
        print_note(f"error: {error}")
        return error.exit_code
    if isinstance(error, MemoryError):
        print_note(
            "error: expected the work to fit into memory, it did not; lower num_candidates, "
            "runtime.batch_size or runtime.shard_rows, then resume"
        )
        return StageFailed.exit_code
    if isinstance(error, OSError):
        print_note(
            f"error: could not write the output: {error.strerror}; nothing committed is lost"
        )
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return StorageError.exit_code
    raise error
