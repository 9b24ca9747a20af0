"""What evaluate reports of winners and samples in no basin."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from flows.results import metrics_of
from rewards.centres import nearest_centre
from rewards.quadratic import QuadraticReward
from rewards.registry import NO_BASIN
from tests.flows.conftest import MakeRun


def upper_half(rewards: Sequence[QuadraticReward], samples: pa.Table) -> npt.NDArray[np.int64]:
    """The nearest centre above the axis, no basin below."""
    nearest = nearest_centre([reward.config.centre for reward in rewards], samples, "test")
    return np.where(samples["y"].to_numpy() > 0, nearest, NO_BASIN)


def test_winners_in_no_basin_are_reported_as_leakage_to_the_outside(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuadraticReward, "basin_labels", staticmethod(upper_half))
    monkeypatch.setattr(QuadraticReward, "leaves_outside", True, raising=False)
    measured = metrics_of(make_run(changes={"iterations": 1}), 1)
    outside = [value for name, value in measured.items() if name.endswith(".outside")]
    assert len(outside) == 2
    assert all(0.3 < value < 0.7 for value in outside)
    masses = sum(value for name, value in measured.items() if name.startswith("basin_mass."))
    assert 0.3 < masses < 0.7


def test_rewards_whose_basins_cover_everything_have_no_outside(make_run: MakeRun) -> None:
    measured = metrics_of(make_run(changes={"iterations": 1}), 1)
    assert not [name for name in measured if name.endswith(".outside")]
    assert sum(v for k, v in measured.items() if k.startswith("basin_mass.")) == pytest.approx(1)
