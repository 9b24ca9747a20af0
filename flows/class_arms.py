"""The arms of E3: M classes liked equally, two classes liked unequally, pools of several sizes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from flows.domain import Plain
from flows.experiment import Block, Frame, Study, last_values
from tasks.intervals import mean_interval
from tasks.settings import RunConfig
from theory.limits import finite_pool_limit

FloatArray = npt.NDArray[np.float64]

POOL_SIZES = (4, 16, None)  # None: every draw from all candidates
PRINTED_POOL = 4  # of the first author's scripts; the paper names none
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
PAIR = (0, 1)


@dataclass(frozen=True)
class ClassArm:
    """Preferences for `classes`, equal ones unless `q` says the share of the first of two."""

    name: str
    classes: tuple[int, ...]
    pool_size: int | None
    q: float | None = None

    @property
    def changes(self) -> Plain:
        """What the arm changes in the base."""
        scheme = "all" if self.pool_size is None else "fresh"
        chosen: Plain = {
            "classes": list(self.classes),
            "selection": {"scheme": scheme, "pool_size": self.pool_size},
        }
        return chosen if self.q is None else {**chosen, "q": self.q}

    @property
    def weights(self) -> tuple[float, ...]:
        """Share of the draws that each class decides."""
        if self.q is None:
            return (1 / len(self.classes),) * len(self.classes)
        return (self.q, 1 - self.q)

    def limit_entropy(self, pool_size: int | None) -> float:
        """Entropy, in nats, of the limit shares of classes that do not leak."""
        return float(entr(finite_pool_limit(self.weights, pool_size)).sum())


def pool_name(pool_size: int | None) -> str:
    """Of a pool size in the name of an arm."""
    return "all" if pool_size is None else f"k{pool_size}"


def balanced(num_classes: int) -> ClassArm:
    """The first so many classes, equally; two of them are the balanced end of `polarised`."""
    if num_classes == 2:
        return polarised(0.5, PRINTED_POOL)
    return ClassArm(f"m{num_classes}", tuple(range(num_classes)), PRINTED_POOL)


def polarised(q: float, pool_size: int | None) -> ClassArm:
    """Two classes, the first of which decides a share q of the draws."""
    return ClassArm(f"{pool_name(pool_size)}-q{round(100 * q):02d}", PAIR, pool_size, q)


def fresh_pools(base: RunConfig) -> RunConfig:
    """The base with pools of four candidates that are drawn anew for every draw.

    Disjoint pools, as in the author's scripts, end with the candidates, so K could not be varied.
    """
    selection = base.selection.model_copy(update={"scheme": "fresh", "pool_size": PRINTED_POOL})
    return base.model_copy(update={"selection": selection})


def class_study(
    name: str,
    base: RunConfig,
    *,
    seeds: int,
    counts: Sequence[int] = (1, 2, 3, 4, 5),
    shares: Sequence[float] = SHARES,
    pool_sizes: Sequence[int | None] = POOL_SIZES,
) -> Study:
    """Every number of classes and every share at every pool size, no run twice."""
    arms = [balanced(count) for count in counts]
    arms += [polarised(q, size) for size in pool_sizes for q in shares]
    axes = {"seed": range(seeds)}
    unique = {arm.name: arm for arm in arms}
    blocks = tuple(Block(axes, one.name, one.changes) for one in unique.values())
    return Study(name, fresh_pools(base), blocks)


def balanced_arms(study: Study) -> dict[int, ClassArm]:
    """Arms of the study whose classes are liked equally at the printed pool size, by number."""
    found = {count: balanced(count) for count in range(1, 11)}
    return {count: arm for count, arm in found.items() if arm.name in _names(study)}


def polarised_arms(study: Study, pool_size: int | None) -> dict[float, ClassArm]:
    """Arms of the study with two classes at this pool size, by q."""
    found = {q: polarised(q, pool_size) for q in SHARES}
    return {q: arm for q, arm in found.items() if arm.name in _names(study)}


def pool_sizes(study: Study) -> list[int | None]:
    """Pool sizes that the study polarises at, in order."""
    return [size for size in POOL_SIZES if len(polarised_arms(study, size)) > 1]


def num_seeds(study: Study) -> int:
    """Runs of every arm."""
    return min(len(block.axes["seed"]) for block in study.blocks)


def of_arm(frame: Frame, metric: str, arm: ClassArm) -> FloatArray:  # (runs,)
    """`metric` of the last model of every run of an arm; NaN where it is missing."""
    return np.asarray(last_values(frame, metric, arm=arm.name), dtype=np.float64)


def gap(
    upper: FloatArray,  # (n,)
    lower: FloatArray,  # (m,)
) -> float:
    """Room between two 95 % intervals of means; negative where they overlap, NaN for one run."""
    if not len(upper) or not len(lower):
        return float("nan")
    return mean_interval(upper)[1] - mean_interval(lower)[2]


def _names(study: Study) -> set[str | None]:
    return {block.arm for block in study.blocks}
