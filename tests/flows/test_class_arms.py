"""Arms of E3: names, changes, and the entropy their limits have."""

import math

import numpy as np
import pytest

from flows.cifar10 import digits
from flows.class_arms import balanced, class_study, gap, polarised, pool_sizes
from flows.reproduce import study_points


def test_two_balanced_classes_are_the_balanced_end_of_the_polarised_arms() -> None:
    assert balanced(2) == polarised(0.5, 4)
    names = [block.arm for block in class_study("one", digits(), seeds=1).blocks]
    assert len(set(names)) == len(names)
    assert names.count("k4-q50") == 1


def test_an_arm_is_what_its_name_says() -> None:
    study = class_study("one", digits(), seeds=1)
    found = {point.arm: point.config for point in study_points(study)}
    assert found["m3"].reward_names == ["class-0", "class-1", "class-2"]
    assert found["m3"].weights == pytest.approx([1 / 3] * 3)
    assert found["k16-q10"].weights == pytest.approx([0.1, 0.9])
    assert found["k16-q10"].selection.pool_size == 16
    assert found["all-q30"].selection.scheme == "all"
    assert {one.selection.num_curated for one in found.values()} == {200}
    assert pool_sizes(study) == [4, 16, None]


def test_limits_have_ln_m_and_die_below_one_over_k() -> None:
    assert balanced(5).limit_entropy(4) == pytest.approx(math.log(5))
    assert polarised(0.2, 4).limit_entropy(4) == 0
    assert polarised(0.2, 4).limit_entropy(16) > 0.4
    whole = -0.2 * math.log(0.2) - 0.8 * math.log(0.8)
    assert polarised(0.2, None).limit_entropy(None) == pytest.approx(whole)
    assert polarised(0.2, 16).limit_entropy(16) < whole


def test_the_gap_is_the_room_between_two_intervals() -> None:
    low, high = np.array([0.0, 0.2]), np.array([3.0, 3.0])
    half = 12.706204736 * np.std(low, ddof=1) / math.sqrt(2)
    assert gap(high, low) == pytest.approx(3.0 - 0.1 - half)
    assert gap(low, high) < 0
    assert math.isnan(gap(high, np.array([1.0])))
    assert math.isnan(gap(high, np.array([])))
