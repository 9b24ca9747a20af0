"""Commands about configuration and machine: config, doctor."""

from typing import Annotated

import typer

from data.configuration import field_rows
from data.errors import EnvironmentProblem
from data.store import Store
from flows.domain import find_domain, find_preset
from pluralist.config_text import config_yaml
from pluralist.doctor import examine
from pluralist.finding import FAILED
from pluralist.options import STORE_PATH, JsonOption, StoreOption
from pluralist.output import print_json, print_line, print_table


def register(application: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (config, doctor):
        application.command()(command)


def config(
    domain: Annotated[str, typer.Argument(help="Name of a domain.")],
    preset: Annotated[str, typer.Option("--preset", help="Named configuration.")] = "paper",
    as_json: JsonOption = False,
) -> None:
    """Print the whole configuration as YAML, each field with its meaning and source tag."""
    base = find_preset(find_domain(domain), preset).base()
    if as_json:
        print_json("config", field_rows(base))
    else:
        print_line(config_yaml(base))


def doctor(as_json: JsonOption = False, store: StoreOption = STORE_PATH) -> None:
    """Check packages, Prefect, store, disk and device; exit 7 when something will not work."""
    findings = examine(Store(store))
    if as_json:
        print_json("doctor", [finding.plain() for finding in findings])
    else:
        rows = [(one.status, one.subject, one.found, one.advice or "") for one in findings]
        print_table(("status", "subject", "found", "advice"), rows)
    failed = [finding for finding in findings if finding.status == FAILED]
    if failed:
        raise EnvironmentProblem(
            "; ".join(f"{one.subject}: {one.found}; {one.advice}" for one in failed)
        )
