"""Table 1 of the paper: CIFAR-10 with M classes liked equally, and with two liked unequally."""

from typing import NamedTuple

from flows.class_arms import ClassArm, balanced, of_arm, polarised
from flows.experiment import Frame, Printed, Study
from flows.image_values import FID
from tasks.seed_values import mean_of


class Row(NamedTuple):
    """One row as printed; entropy and divergence in nats, variances over those of real images."""

    fid: float
    class_entropy: float
    kl_to_uniform: float
    feature_variance: float
    intra_class_variance: float


BALANCED = {
    2: Row(77.6, 1.098, 1.204, 0.62, 0.72),
    3: Row(64.2, 1.357, 0.946, 0.68, 0.79),
    4: Row(44.5, 1.670, 0.632, 0.74, 0.86),
    5: Row(35.9, 1.687, 0.616, 0.80, 0.85),
}
# "From single to balanced", without q; .5 is the row of two classes above.
POLARISED = {
    0.0: Row(100.0, 0.032, 2.271, 0.20, 0.05),
    0.1: Row(90.1, 0.010, 2.293, 0.23, 0.07),
    0.2: Row(85.3, 0.113, 2.190, 0.29, 0.05),
    0.3: Row(83.2, 0.036, 2.266, 0.35, 0.16),
    0.4: Row(80.2, 0.791, 1.512, 0.41, 0.60),
}
LABELS = {
    "fid": FID.label,
    "class_entropy": "class entropy",
    "kl_to_uniform": "KL to uniform",
    "feature_variance": "feature variance",
    "intra_class_variance": "intra-class variance",
}


def printed_rows(pool_size: int) -> dict[str, tuple[ClassArm, Row]]:
    """Every printed row by what it is called, with the arm that has its setting."""
    found = {f"M = {count}": (balanced(count), row) for count, row in BALANCED.items()}
    return found | {f"q = {q:g}": (polarised(q, pool_size), row) for q, row in POLARISED.items()}


def beside_print(frame: Frame, study: Study, pool_size: int) -> list[Printed]:
    """Table 1 beside the arms of the study; FID only where FID itself was measured."""
    arms = {block.arm for block in study.blocks}
    has_fid = bool((frame["metric"] == FID.metric).any())
    return [
        Printed(f"{name}: {label}", getattr(row, metric), mean_of(of_arm(frame, metric, arm)))
        for name, (arm, row) in printed_rows(pool_size).items()
        if arm.name in arms
        for metric, label in LABELS.items()
        if metric != FID.metric or has_fid
    ]
