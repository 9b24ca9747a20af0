"""Fixtures that tests of stages share with those of the loop."""

from tests.flows.conftest import make_run

__all__ = ["make_run"]
