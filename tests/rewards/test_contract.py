"""What every reward has to satisfy, for each one found in `rewards` or an entry point."""

import re

import numpy as np
import pyarrow as pa
import pytest

from data.configuration import SOURCE_TAGS
from rewards.registry import (
    NO_BASIN,
    Reward,
    RewardConfig,
    available,
    find_reward,
    known_suprema,
    leave_outside,
    with_classifier,
)

pytestmark = pytest.mark.parametrize("kind", list(available()))


def example(kind: str, num_samples: int = 40) -> tuple[Reward, pa.Table]:
    found = find_reward(kind)
    return found.example(), found.example_samples(num_samples, seed=5)


def made_from(config: RewardConfig, reward: Reward) -> Reward:
    """A new instance, with the classifier of `reward` where it needs one."""
    made = find_reward(config.kind)(config)
    return with_classifier(made, getattr(reward, "classification", None))


def test_scores_are_one_finite_float64_a_row(kind: str) -> None:
    reward, samples = example(kind)
    scores = reward(samples)
    assert samples.num_rows == 40
    assert scores.shape == (40,)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()


def test_scores_tell_samples_apart(kind: str) -> None:
    reward, samples = example(kind)
    assert len(np.unique(reward(samples))) > 1


def test_scores_are_the_same_at_every_call_and_for_every_instance(kind: str) -> None:
    reward, samples = example(kind)
    again = made_from(reward.config, reward)
    scores = reward(samples)
    np.testing.assert_array_equal(reward(samples), scores)
    np.testing.assert_array_equal(again(samples), scores)


def test_the_score_of_a_row_depends_on_no_other_row(kind: str) -> None:
    reward, samples = example(kind)
    scores = reward(samples)
    order = np.random.default_rng(0).permutation(samples.num_rows)
    # Batched linear algebra may round differently in another batch, hence the tolerance.
    np.testing.assert_allclose(reward(samples.take(order)), scores[order], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(reward(samples.slice(7, 5)), scores[7:12], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        reward(pa.concat_tables([samples.slice(0, 3), samples.slice(9, 2)])),
        scores[[0, 1, 2, 9, 10]],
        rtol=1e-6,
        atol=1e-9,
    )


def test_no_samples_give_no_scores(kind: str) -> None:
    reward, samples = example(kind, num_samples=0)
    assert samples.num_rows == 0
    scores = reward(samples)
    assert scores.shape == (0,)
    assert scores.dtype == np.float64


def test_example_samples_are_decided_by_their_seed(kind: str) -> None:
    found = find_reward(kind)
    first, again, other = (found.example_samples(10, seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_basin_labels_are_indices_of_the_rewards(kind: str) -> None:
    reward, samples = example(kind)
    label = getattr(type(reward), "basin_labels", None)
    if label is None:
        pytest.skip("has no basins")
    labels = np.asarray(label([reward, reward], samples))
    assert labels.shape == (40,)
    assert set(labels.tolist()) <= ({0, 1, NO_BASIN} if leave_outside([reward]) else {0, 1})


def test_no_sample_scores_above_the_supremum(kind: str) -> None:
    reward, samples = example(kind, num_samples=2000)
    (supremum,) = known_suprema([reward])
    if np.isnan(supremum):
        pytest.skip("has no supremum")
    assert type(getattr(reward, "supremum")) is float  # noqa: B009 - not every reward has it
    assert np.isfinite(supremum)
    assert reward(samples).max() <= supremum


def test_configuration_survives_json(kind: str) -> None:
    reward, samples = example(kind)
    config = reward.config
    assert isinstance(config, find_reward(kind).Config)
    assert config.kind == kind
    again = type(config).model_validate_json(config.model_dump_json())
    assert again == config
    np.testing.assert_array_equal(made_from(again, reward)(samples), reward(samples))


def test_every_configuration_field_has_a_meaning_and_a_source(kind: str) -> None:
    config = find_reward(kind).Config
    assert issubclass(config, RewardConfig)
    for name, field in config.model_fields.items():
        assert field.description, f"{kind}.{name} has no description"
        extra = field.json_schema_extra
        assert isinstance(extra, dict) and extra.get("source") in SOURCE_TAGS, f"{kind}.{name}"


def test_kind_makes_a_column_name(kind: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", kind)
