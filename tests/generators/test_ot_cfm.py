"""The flow as a whole: what it learns, how it goes on, what it refuses."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from pydantic import ValidationError

from data.errors import BadNumbers, ConfigError, EnvironmentProblem
from data.image_data import Cifar10Data, DigitsData, load_images
from data.images import image_table, images_of
from generators.ot_cfm import OtCfm
from generators.ot_cfm_config import MlpField, OtCfmConfig, Refit, Sampler, Training, UNetField
from generators.ot_cfm_initial import OtCfmInitial
from generators.registry import parse_generator
from generators.velocity_field import make_field

NO_FLIP = Training(flip=False)
FAST = Sampler(method="midpoint", num_steps=8)


def two_points() -> pa.Table:
    """Images of 2 x 2, half of them dark on the left and half of them on the right."""
    left = np.array([[30, 220], [30, 220]], np.uint8)
    images = np.stack([left, left[:, ::-1]])[..., np.newaxis]
    return image_table(np.tile(images, (50, 1, 1, 1)))


def untrained(config: OtCfmConfig, shape: tuple[int, int, int]) -> OtCfm:
    field = make_field(config.field, shape, seed=0)
    weights = {name: weight.detach() for name, weight in field.named_parameters()}
    return OtCfm(config, shape, weights, np.empty(0))


@pytest.mark.parametrize("coupling", ["torchcfm", "assignment", "independent"])
def test_a_flow_trained_on_two_images_gives_each_half_of_the_time(coupling: Any) -> None:
    config = OtCfmConfig(
        field=MlpField(width=64, num_hidden=2, time_features=16),
        coupling=coupling,
        refit=Refit(num_steps=600, learning_rate=5e-3, batch_size=64),
        sampler=FAST,
    )
    model = untrained(config, (2, 2, 1)).refit(two_points(), iteration=0, seed=0)
    images = images_of(model.sample(400, seed=1), "test").astype(float)
    points = images_of(two_points(), "test")[:2].astype(float)
    distances = np.abs(images[:, np.newaxis] - points).max(axis=(2, 3, 4))
    assert np.quantile(distances.min(axis=1), 0.9) < 25
    share = (distances.argmin(axis=1) == 0).mean()
    assert share == pytest.approx(0.5, abs=0.1)


def test_refit_starts_from_the_present_weights() -> None:
    model = OtCfm.example()
    still = model.config.refit.model_copy(update={"learning_rate": 1e-12})
    config = model.config.model_copy(update={"refit": still})
    same = OtCfm(config, model.shape, model.weights, np.empty(0))
    after = same.refit(model.sample(20, seed=0), iteration=3, seed=2)
    for name, weight in model.weights.items():
        torch.testing.assert_close(after.weights[name], weight, atol=1e-9, rtol=0)


def test_the_next_model_is_the_average_and_not_the_last_weights() -> None:
    model = OtCfm.example()
    one = Refit(num_steps=1, learning_rate=0.1, batch_size=4)
    moved = OtCfm(
        model.config.model_copy(update={"refit": one}), model.shape, model.weights, np.empty(0)
    ).refit(model.sample(20, seed=0), iteration=0, seed=0)
    # Adam's first step has the length of the learning rate; the ramp starts at a decay of 0.1.
    step = (moved.weights["to_velocity.bias"] - model.weights["to_velocity.bias"]).abs()
    assert float(step.max()) == pytest.approx(0.09, rel=1e-4)


def test_real_data_are_the_training_images() -> None:
    table = OtCfm.real_data(
        OtCfmConfig(), OtCfmInitial(data=DigitsData(), pretraining=NO_FLIP), seed=0
    )
    expected = load_images(DigitsData(), "train").images
    assert np.array_equal(images_of(table, "test"), expected)


def test_prompts_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected no prompts, got 2; leave them out"):
        OtCfm.example().sample(2, seed=0, prompts=pa.table({"prompt": ["a", "b"]}))


def test_images_of_another_shape_and_no_images_are_refused() -> None:
    model = OtCfm.example()
    with pytest.raises(ConfigError, match=r"expected images of shape \(8, 8, 1\), got \(2, 2, 1\)"):
        model.refit(two_points(), iteration=0, seed=0)
    with pytest.raises(ConfigError, match="expected at least 1 row to fit, got 0; raise"):
        model.refit(model.sample(0, seed=0), iteration=0, seed=0)


def test_a_model_that_is_not_finite_gives_no_images() -> None:
    model = OtCfm.example()
    broken = {name: weight * torch.nan for name, weight in model.weights.items()}
    with pytest.raises(BadNumbers, match="the model has diverged"):
        OtCfm(model.config, model.shape, broken, np.empty(0)).sample(2, seed=0)


def test_a_model_of_another_field_is_refused(tmp_path: Path) -> None:
    model = OtCfm.example()
    model.save(tmp_path)
    wider = model.config.model_copy(update={"field": MlpField(width=17, num_hidden=1)})
    with pytest.raises(ConfigError, match=r"shape: .*from_image\.weight \(16, 64\) for \(17, 64\)"):
        OtCfm.load(tmp_path, wider)


def test_a_released_checkpoint_becomes_the_initial_model(tmp_path: Path) -> None:
    small = UNetField(channels=32, num_res_blocks=1, channel_mult=(1,), num_head_channels=32)
    config = OtCfmConfig(field=small, sampler=Sampler(method="euler", num_steps=1))
    field = make_field(small, (8, 8, 3), seed=4)
    path = tmp_path / "flow.pt"
    torch.save({"ema_model": field.state_dict(), "net_model": {}, "step": 400_000}, path)
    settings = {
        "data": Cifar10Data(size=8),  # only its shape is asked for
        "weights": str(path),
        "weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    model = OtCfm.initial(config, OtCfmInitial.model_validate(settings), seed=0)
    expected = dict(field.named_parameters())
    assert all(torch.equal(weight, expected[name]) for name, weight in model.weights.items())
    assert model.training_log.num_rows == 0
    assert images_of(model.sample(2, seed=0), "test").shape == (2, 8, 8, 3)
    path.unlink()
    with pytest.raises(EnvironmentProblem, match="got none; download"):
        OtCfm.initial(config, OtCfmInitial.model_validate(settings), seed=0)


def test_where_the_weights_lie_is_no_part_of_the_fingerprint() -> None:
    here, there = (
        OtCfmInitial(weights=path, weights_sha256="0" * 64) for path in ("/here", "/there")
    )
    assert here.fingerprint_part() == there.fingerprint_part()
    assert here.fingerprint_part() != OtCfmInitial().fingerprint_part()


@pytest.mark.parametrize("given", [{"weights": "flow.pt"}, {"weights_sha256": "0" * 64}])
def test_weights_and_their_digest_come_together(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=f"its weights_sha256, got {next(iter(given))} alone"):
        OtCfmInitial.model_validate(given)


def test_digits_are_not_mirrored() -> None:
    with pytest.raises(ValidationError, match="expected false for digits, got true"):
        OtCfmInitial(data=DigitsData())


def test_a_saved_model_is_loaded_without_making_up_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = OtCfm.example()
    model.save(tmp_path)
    devices: list[str] = []

    def recorded(*given: Any, **named: Any) -> torch.nn.Module:
        field = make_field(*given, **named)
        devices.extend(weight.device.type for weight in field.parameters())
        return field

    monkeypatch.setattr("generators.velocity_field.make_field", recorded)
    monkeypatch.setattr("generators.ot_cfm.make_field", recorded)
    OtCfm.load(tmp_path, model.config)
    assert set(devices) == {"meta"}


def test_an_mlp_has_no_channels_to_put_last() -> None:
    with pytest.raises(ConfigError, match="channels_last: expected auto or off with field mlp"):
        parse_generator({"kind": "ot-cfm", "field": {"kind": "mlp"}, "channels_last": "on"})


def test_the_defaults_are_those_of_the_paper() -> None:
    config, initial = OtCfmConfig(), OtCfmInitial()
    assert config.field == UNetField(
        channels=128, num_res_blocks=2, channel_mult=(1, 2, 2, 2), num_heads=4, num_head_channels=64
    )
    assert (config.coupling, config.sigma, config.sampler.method) == ("torchcfm", 0, "dopri5")
    pretraining, refit = initial.pretraining, config.refit
    assert (pretraining.num_steps, pretraining.warm_up, pretraining.flip) == (400_000, 5000, True)
    assert (refit.num_steps, refit.warm_up, refit.average_ramp) == (1000, 0, True)
    assert {(one.learning_rate, one.batch_size, one.clip) for one in (pretraining, refit)} == {
        (2e-4, 128, 1.0)
    }


def test_the_initial_model_does_not_depend_on_later_rounds_or_the_sampler() -> None:
    changed = OtCfmConfig(refit=Refit(num_steps=5), sampler=FAST)
    assert changed.initial_part() == OtCfmConfig().initial_part()
    assert OtCfmConfig(sigma=0.1).initial_part() != OtCfmConfig().initial_part()


def test_checkpoints_within_a_fit_change_no_fingerprint() -> None:
    other = OtCfmConfig(refit=Refit(checkpoint_every=7))
    assert other.fingerprint_part() == OtCfmConfig().fingerprint_part()
