"""What finished runs show: measured beside predicted, a verdict, figures; all from artifacts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.files import replace_file, storage_errors
from data.parquet import table_bytes
from data.schemas import described
from data.store import RunRecord, Store
from flows.run_figures import draw_run, predictions_of
from tasks.claims import Claim, judge_e1, overall
from tasks.context import RunContext
from tasks.geometry import two_modes
from tasks.places import evaluation_place

FloatArray = npt.NDArray[np.float64]

NOT_PREDICTED = "not predicted"
MAIN_METRICS = (
    "class_entropy", "feature_variance", "intra_class_variance", "fid", "frechet_classifier",
    "reward_mean.", "reward_var.", "basin_mass.",
)  # fmt: skip
NOT_JUDGED = "not judged: it is defined for two quadratic rewards of equal gamma and weight"

RESULTS = pa.schema(
    [
        described("run", pa.string(), "name of the run"),
        described("arm", pa.string(), "arm of the experiment; empty for a single run"),
        described("seed", pa.int64(), "seed of the run"),
        described("k", pa.int32(), "index of the model p_k"),
        described("metric", pa.string(), "name of the measured quantity"),
        described("value", pa.float64(), "its value"),
    ]
)


@dataclass(frozen=True)
class Comparison:
    """One row of the final table: a quantity of the last model beside its prediction."""

    run: str
    quantity: str
    measured: float
    predicted: float
    lower: float
    upper: float
    verdict: str
    basis: str


@dataclass(frozen=True)
class Summary:
    """Everything a finished experiment shows; `verdict` is None where nothing is judged."""

    experiment: str | None
    verdict: str | None
    claims: list[Claim]
    comparisons: list[Comparison]
    results: Path
    figures: list[Path]


def metrics_of(context: RunContext, k: int) -> dict[str, float]:
    """Metrics of p_k by name; raises `MissingArtifact` when p_k is not evaluated."""
    table = context.open_place(evaluation_place(k)).table("metrics.parquet")
    return dict(zip(table["metric"].to_pylist(), table["value"].to_pylist(), strict=True))


def summarise(
    store: Store, records: Sequence[RunRecord], *, folder: Path, experiment: str | None
) -> Summary:
    """Judge and draw finished runs; writes results.parquet and figures/ into `folder`.

    Everything is derived from committed artifacts, verified as they are read, and may be
    written again at any time. Raises `CorruptArtifact` or `MissingArtifact` for damaged or
    unfinished runs.
    """
    contexts = [RunContext(store, record) for record in records]
    histories = {
        context.run: [metrics_of(context, k) for k in range(context.config.iterations + 1)]
        for context in contexts
    }
    claims = _judge(experiment, contexts, histories)
    return Summary(
        experiment=experiment,
        verdict=overall(claims) if claims else NOT_JUDGED if experiment else None,
        claims=claims,
        comparisons=[
            row for context in contexts for row in _comparisons(context, histories[context.run][-1])
        ],
        results=_write_results(contexts, histories, folder),
        figures=draw_run(contexts, histories, folder / "figures"),
    )


def _judge(
    experiment: str | None,
    contexts: Sequence[RunContext],
    histories: dict[str, list[dict[str, float]]],
) -> list[Claim]:
    if experiment != "E1":
        return []
    arms = {context.record.arm: context for context in contexts}
    plural, single = arms["pluralistic"], arms["single"]
    modes = two_modes(plural.config)
    if modes is None or modes.q != 0.5:
        # Another experiment: E1's thresholds are those of equal weights.
        return []
    return judge_e1(
        histories[plural.run][-1],
        histories[single.run][-1],
        reward_names=plural.config.reward_names,
        q=modes.q,
        distance=modes.distance,
        gamma=modes.gamma,
    )


def _comparisons(context: RunContext, metrics: dict[str, float]) -> list[Comparison]:
    """Every prediction about the last model, after its main metrics where none is predicted."""
    rows = predictions_of(context, context.config.iterations)
    main = [name for kind in MAIN_METRICS for name in metrics if name.startswith(kind)]
    if any(row["quantity"].startswith(MAIN_METRICS) for row in rows):
        main = []
    nothing = (math.nan, math.nan, math.nan, NOT_PREDICTED, "no closed form for these rewards")
    return [Comparison(context.run, name, metrics[name], *nothing) for name in main] + [
        Comparison(
            run=context.run,
            quantity=row["quantity"],
            measured=row["measured"],
            predicted=row["predicted"],
            lower=row["lower"],
            upper=row["upper"],
            verdict=row["verdict"],
            basis=row["basis"],
        )
        for row in rows
    ]


def _write_results(
    contexts: Sequence[RunContext], histories: dict[str, list[dict[str, float]]], folder: Path
) -> Path:
    rows = [
        {
            "run": context.run,
            "arm": context.record.arm or "",
            "seed": context.config.seed,
            "k": k,
            "metric": metric,
            "value": value,
        }
        for context in contexts
        for k, metrics in enumerate(histories[context.run])
        for metric, value in metrics.items()
    ]
    path = folder / "results.parquet"
    with storage_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(path, table_bytes(pa.Table.from_pylist(rows, schema=RESULTS)))
    return path
