"""Networks: the paper's U-Net is torchcfm's, small ones take small images."""

from typing import Any

import pytest
import torch

from data.errors import ConfigError
from generators.ot_cfm_config import MlpField, UNetField
from generators.velocity_field import check_field, field_without_values, make_field

NUM_PARAMETERS_OF_THE_PAPER = 35_746_307
SMALL = {"channels": 32, "num_res_blocks": 1, "num_head_channels": 16}


def num_parameters(field: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in field.parameters())


def of_the_example() -> Any:
    """The network as torchcfm's CIFAR-10 example builds it."""
    from torchcfm.models.unet.unet import UNetModelWrapper

    return UNetModelWrapper(
        dim=(3, 32, 32),
        num_res_blocks=2,
        num_channels=128,
        channel_mult=[1, 2, 2, 2],
        num_heads=4,
        num_head_channels=64,
        attention_resolutions="16",
        dropout=0.1,
    )


def test_the_u_net_of_the_paper_has_its_number_of_parameters() -> None:
    field = field_without_values(UNetField(), (32, 32, 3))
    assert all(weight.is_meta for weight in field.parameters())
    assert num_parameters(field) == NUM_PARAMETERS_OF_THE_PAPER


def test_the_u_net_of_the_paper_is_the_one_of_torchcfms_example() -> None:
    ours, theirs = make_field(UNetField(), (32, 32, 3), seed=0).eval(), of_the_example().eval()
    weights = ours.state_dict()
    # Its last layer starts at 0, which would hide every difference.
    generator = torch.Generator().manual_seed(0)
    for weight in weights.values():
        if not weight.any():
            weight.normal_(0, 0.02, generator=generator)
    theirs.load_state_dict(weights)
    images = torch.randn((2, 3, 32, 32), generator=generator)
    times = torch.tensor([0.1, 0.8])
    with torch.no_grad():
        answer = ours(times, images)
        assert answer.std() > 0.01
        assert torch.equal(answer, theirs(times, images))


@pytest.mark.parametrize(
    ("size", "channels", "mult", "attention"),
    [(16, 3, (1, 2, 2), (8,)), (8, 3, (1, 2), (4,)), (8, 1, (1, 1), (16,))],
)
def test_small_u_nets_take_small_images(
    size: int, channels: int, mult: tuple[int, ...], attention: tuple[int, ...]
) -> None:
    config = UNetField(channel_mult=mult, attention_resolutions=attention, **SMALL)
    images = torch.zeros(2, channels, size, size)
    field = make_field(config, (size, size, channels), seed=0)
    assert field(torch.tensor([0.0, 1.0]), images).shape == images.shape
    has_attention = any("qkv" in name for name, _ in field.named_parameters())
    # torchcfm puts one attention block in the middle whatever is asked for.
    blocks = sum(name.endswith("qkv.weight") for name, _ in field.named_parameters())
    assert has_attention and (blocks > 1) == (attention[0] <= size)


@pytest.mark.parametrize("shape", [(12, 12, 3), (16, 8, 3)])
def test_an_image_that_cannot_be_halved_so_often_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ConfigError, match=f"divisible by 8 .* got {shape[0]}x{shape[1]}; shorten"):
        make_field(UNetField(), shape, seed=0)
    with pytest.raises(ConfigError, match="shorten"):
        check_field(UNetField(), shape)


@pytest.mark.parametrize(("heads", "divisor"), [((4, 48), 48), ((3, None), 3)])
def test_heads_that_do_not_divide_the_channels_are_refused(
    heads: tuple[int, int | None], divisor: int
) -> None:
    config = UNetField(num_heads=heads[0], num_head_channels=heads[1])
    text = f"divide the 256 channels of level 1, got {divisor}; set field.num_head_channels"
    with pytest.raises(ConfigError, match=text):
        make_field(config, (32, 32, 3), seed=0)


@pytest.mark.parametrize("config", [MlpField(width=8), UNetField(channel_mult=(1,), **SMALL)])
def test_one_time_stands_for_that_of_all_images(config: MlpField | UNetField) -> None:
    field = make_field(config, (8, 8, 3), seed=0).eval()
    images = torch.randn((3, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        one, each = field(torch.tensor([0.3]), images), field(torch.full((3,), 0.3), images)
    torch.testing.assert_close(one, each)


def test_the_mlp_for_digits_has_six_hundred_thousand_parameters() -> None:
    field = make_field(MlpField(), (8, 8, 1), seed=0)
    assert num_parameters(field) == 512 * (64 + 1 + 64) + 2 * 512 * 513 + 64 * 513
    images = torch.zeros(3, 1, 8, 8)
    assert field(torch.zeros(3), images).shape == images.shape


def test_equal_seeds_give_equal_weights_and_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    first, same, other = (
        make_field(MlpField(width=4), (2, 2, 1), seed=seed).state_dict() for seed in (1, 1, 2)
    )
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_the_answer_depends_on_the_time_of_its_own_row_alone() -> None:
    field = make_field(MlpField(width=8), (2, 2, 1), seed=0)
    images = torch.randn((2, 1, 2, 2), generator=torch.Generator().manual_seed(0))
    both, changed = field(torch.tensor([0.2, 0.7]), images), field(torch.tensor([0.2, 0.1]), images)
    torch.testing.assert_close(both[0], changed[0])
    assert not torch.allclose(both[1], changed[1])
