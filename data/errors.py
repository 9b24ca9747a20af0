"""Every error a user can meet, each with the exit code the command line ends with.

A message says what was expected, what came and what to do. Anything that is not a
`PluralistError` is a bug of ours and ends with exit code 1 and a traceback.
"""


class PluralistError(Exception):
    """Base of all errors meant for users; `exit_code` is what the command returns."""

    exit_code = 1


class ConfigError(PluralistError, ValueError):
    """The command or configuration cannot be run as given."""

    exit_code = 2


class StageFailed(PluralistError):
    """A stage failed for a cause outside the run; calling again may succeed."""

    exit_code = 3


class BadNumbers(PluralistError, ValueError):
    """A NaN or infinity where a finite number is needed; calling again cannot help."""

    exit_code = 4


class MissingArtifact(PluralistError):
    """Something asked for was never committed."""

    exit_code = 5


class CorruptArtifact(PluralistError):
    """A committed file does not hold the bytes its manifest promises."""

    exit_code = 5


class Locked(PluralistError):
    """Another process works on this run, or has overtaken this one."""

    exit_code = 6


class EnvironmentProblem(PluralistError):
    """Device, weights, packages or versions are not what the run needs."""

    exit_code = 7


class WeightsNotAtHand(EnvironmentProblem):
    """Published files, of `repos`, that are neither on this machine nor to be fetched."""

    def __init__(self, message: str, *, repos: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.repos = repos


class ProvenanceMismatch(PluralistError):
    """Configuration, numerics class or digests differ from what was committed."""

    exit_code = 8


class StorageError(PluralistError):
    """The store could not be read or written (disk full, permissions, input/output)."""

    exit_code = 9


class OrchestratorUnreachable(PluralistError):
    """The Prefect server could not be reached or started."""

    exit_code = 10


class ClaimNotMet(PluralistError):
    """A claim did not hold and `--strict` was given."""

    exit_code = 11
