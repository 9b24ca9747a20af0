"""Judging a claim of the paper from measured numbers, never from anything else."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

HOLDS, VIOLATED, VOID = "holds", "violated", "void"
# Thresholds of E1 (ours): kept variance, weights of the components, collapsed variance.
E1_VARIANCE, E1_WEIGHTS, E1_COLLAPSED = 0.5, (0.25, 0.75), 0.01


@dataclass(frozen=True)
class Claim:
    """One judged statement: what was measured, what was required, and whether it holds."""

    claim: str
    measured: float
    required: str
    verdict: str

    def plain(self) -> dict[str, Any]:
        """The claim as plain values; a measured number that is not finite becomes None."""
        return asdict(self) | {"measured": self.measured if math.isfinite(self.measured) else None}


def judge(
    claim: str, measured: float, *, above: float | None = None, below: float | None = None
) -> Claim:
    """`claim` holds when above < measured < below; a measured NaN makes it void."""
    bounds = [f"> {above:g}"] if above is not None else []
    bounds += [f"< {below:g}"] if below is not None else []
    if math.isnan(measured):
        verdict = VOID
    else:
        inside = (above is None or measured > above) and (below is None or measured < below)
        verdict = HOLDS if inside else VIOLATED
    return Claim(claim, measured, " and ".join(bounds), verdict)


def overall(claims: list[Claim]) -> str:
    """`void` if any claim is void, else `violated` if any is, else `holds`."""
    verdicts = {claim.verdict for claim in claims}
    if VOID in verdicts or not claims:
        return VOID
    return VIOLATED if VIOLATED in verdicts else HOLDS


def all_hold(claims: Sequence[Claim], *parts: str) -> bool:
    """Whether every claim that has one of `parts` in its text holds, and each is in one."""
    chosen = [[claim for claim in claims if part in claim.claim] for part in parts]
    return all(found and overall(found) == HOLDS for found in chosen)


def said(*remarks: tuple[str, bool]) -> list[str]:
    """The remarks that are true: a measured outcome is stated only where it was measured."""
    return [remark for remark, is_true in remarks if is_true]


def judge_e1(
    plural: Mapping[str, float],
    single: Mapping[str, float],
    *,
    reward_names: list[str],
    q: float,
    distance: float,
    gamma: float,
) -> list[Claim]:
    """Experiment E1 from the metrics of the last model of both arms.

    Plural curation keeps both reward variances, in units of q (1 - q) gamma^2 d^4, above one
    half and both component weights in (.25, .75); single-reward curation loses its variance to
    less than 1 % of the plural one (paper, section 4.1 and figure 2; thresholds ours).
    """
    unit = q * (1 - q) * gamma**2 * distance**4
    claims = [
        judge(
            f"plural: Var[{name}] / (q (1 - q) gamma^2 d^4)",
            _ratio(plural.get(f"reward_var.{name}", math.nan), unit),
            above=E1_VARIANCE,
        )
        for name in reward_names
    ]
    claims += [
        judge(
            f"plural: weight of component {number}",
            plural.get(f"component_weight.{number}", math.nan),
            above=E1_WEIGHTS[0],
            below=E1_WEIGHTS[1],
        )
        for number in range(2)
    ]
    first = f"reward_var.{reward_names[0]}"
    ratio = _ratio(single.get(first, math.nan), plural.get(first, math.nan))
    claims.append(judge(f"Var[{reward_names[0]}], single / plural", ratio, below=E1_COLLAPSED))
    return claims


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else math.nan
