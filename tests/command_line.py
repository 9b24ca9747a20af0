"""`python -m tests.command_line ...` is the `pluralist` command, for tests in another process."""

from pluralist.command import main

if __name__ == "__main__":
    main()
