"""Entry point of the `pluralist` command: the rooms are checked before any is imported."""

import sys

from pluralist.rooms import describe_intruders, find_intruders


def main() -> None:
    """Run the command line and exit with the documented code."""
    intruders = find_intruders()
    if intruders:
        print(f"error: {describe_intruders(intruders)}", file=sys.stderr)
        sys.exit(7)
    from pluralist.application import run_application

    sys.exit(run_application(sys.argv[1:]))
