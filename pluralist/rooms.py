"""Check that the eight top-level packages are ours and lie in one folder.

Their names are generic, so another project's `data` or `tasks` on the path could be imported
instead, silently. Standard library only: it runs before any of them is imported.
"""

from importlib.util import find_spec
from pathlib import Path

ROOMS = ("pluralist", "deploy", "flows", "tasks", "rewards", "generators", "theory", "data")
HOME = Path(__file__).resolve().parent.parent


def find_intruders() -> list[str]:
    """The packages that do not lie beside this one, each with the place it would come from."""
    intruders = []
    for room in ROOMS:
        spec = find_spec(room)
        origin = Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
        if origin != HOME:
            found = (
                spec.origin or list(spec.submodule_search_locations or []) if spec else "nowhere"
            )
            intruders.append(f"{room} from {found}")
    return intruders


def describe_intruders(intruders: list[str]) -> str:
    """Message for foreign packages: expected, got, what to do."""
    return (
        f"expected the packages {', '.join(ROOMS)} in {HOME}, got {'; '.join(intruders)}; "
        "start from another folder or take the intruder off PYTHONPATH"
    )
