"""What the killed processes of test_image_kill.py do; importable, for the fork server."""

import os
import re
import signal
from pathlib import Path

from data import failpoints
from tests.flows import image_runs


def run_until(root: Path, pattern: str) -> None:
    """Run or resume the tiny image run and die at the first `operation path` that matches."""

    def cut(name: str, path: Path) -> None:
        if re.search(pattern, f"{name} {path.relative_to(root)}"):
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.install(cut)
    image_runs.run(root)


def resume(root: Path) -> None:
    """Run the tiny image run to its end."""
    image_runs.run(root)
