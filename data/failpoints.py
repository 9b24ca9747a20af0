"""Named points in every durable operation, where tests cut the power.

A test installs a hook that kills the process or raises; nothing is installed otherwise and
reaching a point costs one comparison.
"""

from collections.abc import Callable
from pathlib import Path

Hook = Callable[[str, Path], None]

_hook: Hook | None = None


def install(hook: Hook | None) -> None:
    """Set the hook called as `hook(operation, path)` at every point, or remove it with None."""
    global _hook
    _hook = hook


def reach(operation: str, path: Path) -> None:
    """Pass the point `operation` on `path`."""
    if _hook is not None:
        _hook(operation, path)
