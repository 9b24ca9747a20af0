"""From the words of a command to finished runs: configuration, records, execution, summary."""

import itertools
import math
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from data.errors import ClaimNotMet, ConfigError, ProvenanceMismatch
from data.store import RunRecord, Store
from flows.creation import check_numerics, create_runs, default_name
from flows.domain import (
    Domain,
    Preset,
    arm_configs,
    find_domain,
    find_preset,
    merge,
    parse_settings,
)
from flows.results import Comparison, Summary, summarise
from pluralist.output import print_json, print_line, print_note, print_table
from pluralist.progress_bar import progress_shown
from tasks.agreement import NOT_MET, UNMET, possible_range
from tasks.claims import VIOLATED, VOID
from tasks.selection import check_selection
from tasks.settings import RunConfig

# Short keys of the weights of rewards, as arms set them.
WEIGHTS = ("q", "weights")


@dataclass(frozen=True)
class Request:
    """A domain, perhaps a preset, and the configuration of every arm.

    `base` is the configuration in plain values before any arm changes it.
    """

    domain: Domain
    preset_name: str | None
    preset: Preset
    configs: dict[str | None, RunConfig]
    base: dict[str, Any]
    changed: dict[str, Any]

    @property
    def kept_by_arms(self) -> list[str]:
        """What was asked for and an arm sets itself, as `arm: key`."""
        arms = self.preset.arms.items()
        asked = {*self.changed, *(WEIGHTS if self._weighs_rewards else ())}
        return [f"{arm}: {key}" for arm, special in arms for key in special if key in asked]

    @property
    def _weighs_rewards(self) -> bool:
        """Whether rewards were asked for with other weights than the preset's."""
        rewards = self.changed.get("rewards")
        if not self.preset.arms or not isinstance(rewards, list):
            return False
        given = [one["weight"] for one in rewards if isinstance(one, dict) and "weight" in one]
        return bool(given) and given != [one.weight for one in self.preset.base().rewards]

    def name(self, given: str | None) -> str:
        """The `given` name, or the default one made from the configuration."""
        if given is not None:
            return given
        return default_name(self.domain.name, self.preset_name, self.configs)


def read_request(target: str, preset: str | None, settings: Sequence[str]) -> Request:
    """What `pluralist run TARGET` means; TARGET is a domain or the path of a YAML file.

    A YAML file holds `domain`, perhaps `preset`, and the keys that differ from its base.
    Raises `ConfigError` for anything that cannot be run.
    """
    changes: dict[str, Any] = {}
    if target.endswith((".yaml", ".yml")):
        changes = _read_yaml(Path(target))
        if "domain" not in changes:
            raise ConfigError(
                f"{target}: expected a key `domain`, got {', '.join(map(str, changes)) or '{}'}"
            )
        domain = find_domain(str(changes.pop("domain")))
        in_file = changes.pop("preset", None)
        preset = preset or (None if in_file is None else str(in_file))
        chosen = find_preset(domain, preset) if preset else _without_arms(domain)
    else:
        domain = find_domain(target)
        preset = preset or "paper"
        chosen = find_preset(domain, preset)
    base = merge(chosen.base().model_dump(mode="json"), changes)
    changes = merge(changes, parse_settings(list(settings), base))
    configs = arm_configs(domain, chosen, changes)
    return Request(domain, preset, chosen, configs, merge(base, changes), changes)


def create_requested(
    store: Store, request: Request, name: str | None, *, accept_numerics: bool
) -> list[RunRecord]:
    """Records of all runs of a request, checked against what the store already holds."""
    configs = request.configs.values()
    found = (check_selection(config.selection, config.num_candidates) for config in configs)
    # Arms mostly share their selection: each warning once.
    for warning in dict.fromkeys(itertools.chain.from_iterable(found)):
        print_note(f"warning: {warning}")
    for kept in request.kept_by_arms:
        print_note(f"warning: the arm keeps its own value where it sets one itself: {kept}")
    records = create_runs(
        store,
        request.domain,
        request.configs,
        name=request.name(name),
        preset=request.preset_name,
        experiment=request.preset.experiment,
    )
    return [check_numerics(store, record, accept=accept_numerics) for record in records]


def execute(store: Store, records: Sequence[RunRecord], *, prefect: bool) -> None:
    """Run or resume `records`, with progress on stderr; an interruption says how to go on."""
    runs = [record.run for record in records]
    try:
        if prefect:
            from pluralist.prefect_session import retrain_with_prefect

            retrain_with_prefect(store, runs)
        else:
            from flows.retrain import retrain_here

            with progress_shown():
                retrain_here(str(store.root), runs)
    except BaseException as error:
        name = records[0].group or records[0].run
        note_how_to_resume(store, f"resume {name}", error)
        raise


def is_mendable(error: BaseException) -> bool:
    """Whether the same run may end better another time, as it is or once something is mended."""
    return not isinstance(error, ConfigError | ProvenanceMismatch)


def note_how_to_resume(store: Store, command: str, error: BaseException) -> None:
    """Note on `error` which `command` goes on after it, unless that would meet it again.

    Whoever prints the error prints its notes below. A wrong configuration stays wrong, and what
    differs from what was committed stays different; such errors say themselves what to do.
    """
    if is_mendable(error):
        path = shlex.quote(str(store.root))
        error.add_note(f"resume with: pluralist {command} --store {path}")


def report(
    store: Store,
    records: Sequence[RunRecord],
    *,
    experiment: str | None,
    as_json: bool,
    strict: bool = False,
    command: str = "run",
) -> None:
    """Print what finished runs show; raises `ClaimNotMet` under `strict` for a failed claim."""
    group = records[0].group if len(records) > 1 else None
    folder = store.group_folder(group) if group else store.run_folder(records[0].run)
    summary = summarise(store, records, folder=folder, experiment=experiment)
    if as_json:
        print_json(command, _plain(store, records, summary))
    else:
        _print_summary(store, records, summary)
    if strict and summary.verdict in (VIOLATED, VOID):
        raise ClaimNotMet(f"{experiment} {summary.verdict}, and --strict was given")


def _print_summary(store: Store, records: Sequence[RunRecord], summary: Summary) -> None:
    rows = [
        (row.run, row.quantity, row.measured, row.predicted, _allowed(row), _agreement(row))
        for row in summary.comparisons
    ]
    if rows:
        print_table(
            ("run", "quantity of the last model", "measured", "predicted", "allowed", "agreement"),
            rows,
        )
        print_line("")
    if summary.claims:
        print_table(
            ("claim", "measured", "required", "verdict"),
            [(one.claim, one.measured, one.required, one.verdict) for one in summary.claims],
        )
        print_line("")
    if summary.experiment:
        print_line(f"{summary.experiment}: {summary.verdict}\n")
    for record in records:
        print_line(f"artifacts  {store.run_folder(record.run)}")
    print_line(f"results    {summary.results}")
    for path in summary.figures:
        print_line(f"figure     {path}")


def _allowed(row: Comparison) -> str:
    """The interval, cut to what the quantity can be; a dash where nothing was predicted."""
    if math.isnan(row.lower) or math.isnan(row.upper):
        return "-"
    least, largest = possible_range(row.quantity)
    lower = min(max(row.lower, least), largest)
    upper = max(min(row.upper, largest), least)
    if math.isinf(upper):
        return f">= {lower:.4g}"
    return f"{lower:.4g} to {upper:.4g}"


def _agreement(row: Comparison) -> str:
    """The verdict, and which assumption it is that is not met."""
    _, said, which = row.basis.rpartition(NOT_MET)
    return f"{row.verdict}: {which}" if said and row.verdict == UNMET else row.verdict


def _plain(store: Store, records: Sequence[RunRecord], summary: Summary) -> dict[str, Any]:
    return {
        "runs": [
            {"run": record.run, "arm": record.arm, "folder": str(store.run_folder(record.run))}
            for record in records
        ],
        "experiment": summary.experiment,
        "verdict": summary.verdict,
        "claims": [claim.plain() for claim in summary.claims],
        "comparisons": [asdict(row) for row in summary.comparisons],
        "results": str(summary.results),
        "figures": [str(path) for path in summary.figures],
    }


def _without_arms(domain: Domain) -> Preset:
    first = next(iter(domain.presets.values()))
    return Preset(base=first.base, meaning="one run from a YAML file")


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: expected a readable YAML file, got {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected YAML, got {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, got {type(content).__name__}")
    return content
