"""What a reproduced experiment came to."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from flows.experiment import Experiment, Printed, Scale, Study
from tasks.claims import VOID, Claim


@dataclass(frozen=True)
class Reproduction:
    """What one experiment came to, and where it is written down.

    `num_runs` is 0 where none was started, since weights were missing.
    """

    experiment: Experiment
    scale: Scale
    study: Study
    group: str
    verdict: str
    claims: list[Claim]
    printed: list[Printed]
    remarks: list[str]
    table: pd.DataFrame | None
    num_runs: int
    failed: list[str]
    config_fingerprints: str
    package_version: str
    numerics: dict[str, object]
    folder: Path
    stand_ins: tuple[str, ...] = ()
    gallery_names: tuple[str, ...] = ()
    excerpts: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> Path:
        """The Markdown page."""
        return self.folder / f"{self.experiment.name.lower()}.md"

    @property
    def results(self) -> Path | None:
        """Every measurement the verdict rests on; None where no run was started."""
        return self.page.with_suffix(".parquet") if self.num_runs else None

    @property
    def figure(self) -> Path | None:
        """The figure, also as SVG beside it; None for a void verdict, since it would mislead."""
        shown = self.num_runs and self.verdict != VOID
        return self.page.with_suffix(".png") if shown else None

    @property
    def gallery(self) -> dict[str, Path]:
        """The figures drawn from artifacts, by name.

        A dot before the name, since another experiment may be called as this one and more.
        """
        name = self.experiment.name.lower()
        return {one: self.folder / f"{name}.{one}.png" for one in self.gallery_names}


def plain_outcome(made: Reproduction) -> dict[str, object]:
    """The outcome as plain values; a number that is not finite becomes None."""
    return {
        "experiment": made.experiment.name,
        "scale": made.scale.name,
        "group": made.group,
        "verdict": made.verdict,
        "claims": [claim.plain() for claim in made.claims],
        "printed": [
            {
                "quantity": one.quantity,
                "printed": one.printed,
                "measured": one.measured if math.isfinite(one.measured) else None,
            }
            for one in made.printed
        ],
        "remarks": made.remarks,
        "runs": made.num_runs,
        "failed": made.failed,
        "page": str(made.page),
        "results": made.results and str(made.results),
        "figure": made.figure and str(made.figure),
        "gallery": [str(path) for path in made.gallery.values()],
        "stand_ins": list(made.stand_ins),
    }
