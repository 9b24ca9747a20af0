"""Claims together, and remarks that rest on them."""

import math

import pytest

from tasks.claims import all_hold, judge, said

CLAIMS = [
    judge("share of a", 0.4, above=0.3),
    judge("share of b", 0.4, above=0.3),
    judge("mass of c", 0.4, above=0.5),
    judge("mass of d", math.nan, above=0.5),
]


@pytest.mark.parametrize(
    ("parts", "holds"),
    [
        (("share",), True),
        (("share of a", "share of b"), True),
        (("share", "mass of c"), False),
        (("mass of d",), False),
        (("of",), False),
        (("share", "nothing"), False),
    ],
)
def test_claims_hold_together_when_each_part_names_some_and_all_hold(
    parts: tuple[str, ...], holds: bool
) -> None:
    assert all_hold(CLAIMS, *parts) == holds


def test_only_true_remarks_are_said_in_order() -> None:
    assert said(("one", True), ("two", False), ("three", True)) == ["one", "three"]
