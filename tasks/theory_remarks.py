"""What has to be said in words about the theory checks (paper, section C.9), with numbers.

Where the paper's text and its tables disagree, where the printed numbers cannot be right, and
what the grid alone causes. A remark is made only when the runs it speaks of are there.
"""

import numpy as np

from tasks.basin_path import BasinPath, Paths
from tasks.theory_checks import SEPARATED, nash_error, nearest_to_half, table_3


def remarks(paths: Paths) -> list[str]:
    """One paragraph each, in the order of the section."""
    return [
        *_copied_rows(paths),
        *_width_that_stays(paths),
        *_transition(paths),
        *_rates(paths),
        *_grid(paths),
        *_majority(paths),
    ]


def _copied_rows(paths: Paths) -> list[str]:
    table = table_3(paths)
    four = table[table["distance"] == 4.0]["deviation"].abs()
    if four.empty:
        return []
    return [
        "Table 3 prints the same numbers at d = 4 as at d = 2, which no reward that depends on d "
        "can give. Measured at d = 4 they are up to "
        f"{four.max():.4f} away from print; it looks like a copy error and is not judged."
    ]


def _width_that_stays(paths: Paths) -> list[str]:
    farthest = max((distance for distance, _ in paths), default=0.0)
    if farthest < 6:
        return []
    width = max(path.width for path in paths.values() if path.distance == farthest)
    return [
        'The text says that the bounds collapse onto the line share = q "exponentially". They '
        f"tighten, but stay {width:.4f} wide at d = {farthest:g}: a reward between 0 and h leaks "
        "at least exp(-(h - eps)/tau), .0074 here, at any distance."
    ]


def _transition(paths: Paths) -> list[str]:
    near = [path for path in paths.values() if path.distance < SEPARATED]
    if not near:
        return []
    fits = [path.decay()[1] for path in near]
    left = max(float(path.outside[-1]) for path in near)
    return [
        "At d = 1 the two modes have hardly parted (near its centre a bump acts like a quadratic "
        f"whose modes merge at d = 0.9): after the last step up to {left:.2f} of the mass is still "
        f"outside both basins and R^2 of its logarithm is down to {min(fits):.3f}. Lemma 3 is "
        "judged from d = 2 on, as in the paper's Table 4."
    ]


def _rates(paths: Paths) -> list[str]:
    distances = sorted({distance for distance, _ in paths} & {2.0, 4.0, 6.0, 8.0})
    even = {distance: nearest_to_half(paths, distance).decay()[0] for distance in distances}
    if len(even) < 2:
        return []
    listed = ", ".join(f"{rate:.4f} at d = {distance:g}" for distance, rate in even.items())
    return [
        f"Decay rates of the outside mass: {listed} (Table 4's values are not in the text we "
        'have). The text has it vanish "almost instantly" at large d; on this grid the rate hardly '
        "depends on d. It tends to the reward that is lost from a centre to the first grid point "
        "outside its basin, .384 where centres are grid points."
    ]


def _grid(paths: Paths) -> list[str]:
    if not {2.0, 3.0, 4.0, 5.0} <= {distance for distance, _ in paths}:
        return []
    two, three, four, five = (nearest_to_half(paths, distance) for distance in (2.0, 3.0, 4.0, 5.0))
    text = (
        "A basin has three grid points when its centre is one (even d) and two when it is not "
        "(odd d), so only distances of one kind are compared. Across the two kinds the rate falls "
        f"from {two.decay()[0]:.3f} at d = 2 to {three.decay()[0]:.3f} at d = 3 and the bounds "
        f"widen from {four.width:.5f} at d = 4 to {five.width:.5f} at d = 5"
    )
    errors = [nash_error(paths, distance) for distance in (4.0, 5.0)]
    if not np.isnan(errors).any():
        text += f"; the Nash error goes from {errors[0]:.3g} to {errors[1]:.3g}"
    return [text + "."]


def _majority(paths: Paths) -> list[str]:
    apart = [
        path for path in paths.values() if path.distance >= SEPARATED and path.q not in (0.5, 1.0)
    ]
    if not apart:
        return []
    worst = max(apart, key=lambda path: path.excess)
    said = (
        'The text says that at small d the system "under-bargains", mass not fully shifting to '
        "the preferred basin. Table 3 and these runs show the opposite sign from d = 2 on: the "
        "basin of the larger weight holds more than that weight, by up to "
        f"{worst.excess:.4f} (d = {worst.distance:g}, q = {worst.q:g}: {worst.share[-1]:.4f})."
    )
    under = [path for path in paths.values() if path.distance < SEPARATED and path.excess < 0]
    under = [path for path in under if path.q > 0.5]
    if under:
        least = min(under, key=lambda path: path.excess)
        said += (
            f" At d = 1 the share does fall short (q = {least.q:g}: {least.share[-1]:.3f}), but "
            f"because {least.outside[-1]:.2f} of the mass is in neither basin; of the mass inside, "
            f"{_inside_share(least):.3f} is in the preferred one."
        )
    return [said]


def _inside_share(path: BasinPath) -> float:
    return float(path.share[-1] / (1 - path.outside[-1]))
