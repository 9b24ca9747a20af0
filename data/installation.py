"""What has to be installed beside the plain package, and the command that does it."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from data.errors import EnvironmentProblem
from data.numerics import NOT_INSTALLED, library_version

# Extras by a package that none but their users ask for.
TELLING = {"peft": "lora", "tokenizers": "text"}


def install(*extras: str) -> str:
    """Command that installs extras of the project, in the folder of its source."""
    return f"pip install -c constraints.txt '.[{','.join(extras)}]'"


# For whoever may be a user of images as well as of texts.
INSTALL = install("images", "text")


def missing(distributions: Iterable[str]) -> list[str]:
    """Those that are not installed, sorted.

    Reads what the installer wrote and imports nothing.
    """
    return _sorted(name for name in distributions if library_version(name) == NOT_INSTALLED)


def check_installed(user: str, distributions: Iterable[str], *, command: str | None = None) -> None:
    """Raise `EnvironmentProblem` unless all that `user` needs is installed.

    It says to run `command`, else the one that installs the extra.
    """
    wanted = _sorted(distributions)
    if absent := missing(wanted):
        extra = next((one for name, one in TELLING.items() if name in wanted), "images")
        raise EnvironmentProblem(
            f"{user}: expected {', '.join(wanted)} to be installed, found no {', '.join(absent)}; "
            f"run `{command or install(extra)}`"
        )


def imported(name: str, *, user: str) -> Any:
    """Module `name`; raises `EnvironmentProblem`, led by `user`, where its package is missing."""
    try:
        return import_module(name)
    except ImportError as error:
        raise EnvironmentProblem(
            f"{user}: expected package {name.partition('.')[0]!r}, got: {error}; install it with "
            f"`{INSTALL}`"
        ) from error


def _sorted(distributions: Iterable[str]) -> list[str]:
    return sorted(set(distributions), key=str.lower)
