"""forecast: are the limit shares that `pluralist forecast` gives those that are measured?"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.e6 import FINITE, INFINITE, POOL
from flows.experiment import Block, Experiment, Frame, Study, last_values
from flows.gmm import paper
from tasks.claims import Claim, judge
from tasks.forecast import forecast_config
from tasks.panels import band, new_figure, theory_line
from tasks.seed_values import mean_of
from tasks.settings import parse_config

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = npt.NDArray[np.float64]
SHARES = tuple(round(0.1 * step, 1) for step in range(1, 10))
SIZES: tuple[int | None, ...] = (3, 4, 8, 16, None)
TOLERANCE = 0.03
DYING = 0.7
# Small pools are slow near the weights at which a preference dies out.
ROUNDS = 50


def study(quick: bool) -> Study:
    """Nine shares q at K = 3, 4, 8, 16 and all candidates, 20 seeds; fewer of each when quick."""
    shares = (0.1, 0.3, 0.5, 0.7) if quick else SHARES
    seeds = range(3 if quick else 20)
    sizes = [size for size in SIZES if size and not (quick and size == 8)]
    fresh = {"selection": {"scheme": "fresh"}}
    base = paper().model_copy(update={"iterations": ROUNDS})
    return Study(
        "forecast",
        base,
        (
            Block({"q": shares, POOL: sizes, "seed": seeds}, FINITE, fresh),
            Block({"q": shares, POOL: (None,), "seed": seeds}, INFINITE),
            Block({"q": (DYING,), POOL: (2,), "seed": seeds}, "pair", fresh),
        ),
    )


def predicted(study: Study, q: float, size: int | None) -> float:
    """Limit share of basin 1 as `pluralist forecast` gives it."""
    raw = study.base.model_dump(mode="json") | {"q": q}
    if size is not None:
        raw["selection"] = raw["selection"] | {"scheme": "fresh", "pool_size": size}
    return float(forecast_config(parse_config(raw), 1).limit[0])


def cells(study: Study) -> list[tuple[float, int | None]]:
    """Every (q, K) of the grid, without the dying pair."""
    return [
        (q, size)
        for block in study.blocks
        if block.arm != "pair"
        for q in block.axes["q"]
        for size in block.axes[POOL]
    ]


def share_of(frame: Frame, study: Study, q: float, size: int | None) -> FloatArray:  # (seeds,)
    """Final mass nearest to mode 1 of every run."""
    metric = f"basin_mass.{study.base.reward_names[0]}"
    return np.asarray(last_values(frame, metric, q=q, **{POOL: size}), dtype=np.float64)


def judge_forecast(frame: Frame, study: Study) -> list[Claim]:
    """The worst cell of each K within .03, and K = 2 with q = .7 collapses."""
    claims = []
    for size in dict.fromkeys(size for _, size in cells(study)):
        off = [
            abs(mean_of(share_of(frame, study, q, size)) - predicted(study, q, size))
            for q, other in cells(study)
            if other == size
        ]
        label = f"K = {size or 'all'}: largest |mean share - forecast| over q"
        claims.append(judge(label, float(np.max(off)), below=TOLERANCE))
    minority = 1 - share_of(frame, study, DYING, 2)
    largest = float(minority.max()) if len(minority) else float("nan")
    # The forecast alone is theory; no measurement could turn a claim about it.
    worst = float(np.max([largest, 1 - predicted(study, DYING, 2)]))
    label = "K = 2, q = .7: largest share of the minority, measured and forecast"
    return [*claims, judge(label, worst, below=0.01)]


def draw(frame: Frame, study: Study) -> "Figure":
    """Measured share against q for every K, with the forecast dashed."""
    sizes = list(dict.fromkeys(size for _, size in cells(study)))
    figure, axes = new_figure(len(sizes))
    for panel, size in zip(axes, sizes, strict=True):
        shares = np.array([q for q, other in cells(study) if other == size])
        values = np.array([share_of(frame, study, q, size) for q in shares]).T
        band(panel, shares, values, label="measured", colour="pluralistic")
        fine = np.linspace(0.02, 0.98, 49)
        line = np.array([predicted(study, float(q), size) for q in fine])
        theory_line(panel, fine, line, "forecast")
        panel.plot([0, 1], [0, 1], color="0.5", linewidth=0.8, linestyle=":")
        panel.set_title(f"K = {size or 'all candidates'}")
        panel.set_xlabel("q, share of draws decided by r_1")
        panel.set_ylabel("share of mode 1 at the end")
    return figure


def table(frame: Frame, study: Study) -> pd.DataFrame:
    """Measured mean beside the forecast in every cell."""
    rows = []
    for q, size in [*cells(study), (DYING, 2)]:
        mean, foretold = mean_of(share_of(frame, study, q, size)), predicted(study, q, size)
        rows.append(
            {
                "q": q,
                "K": str(size or "all"),
                "measured": mean,
                "forecast": foretold,
                "difference": mean - foretold,
            }
        )
    return pd.DataFrame(rows)


EXPERIMENT = Experiment(
    name="forecast",
    title="Forecast shares against measured ones",
    claim="The finite-pool map foretells where the mixture settles, and which preference dies out.",
    source="ours; map from the paper's section B.3",
    study=study,
    judge=judge_forecast,
    draw=draw,
    table=table,
)
