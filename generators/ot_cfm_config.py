"""Configuration of generator `ot-cfm`: field, coupling, training, sampler, precision.

Defaults are the paper's and torchcfm's for CIFAR-10.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from data.configuration import FrozenConfig, setting
from generators.registry import GeneratorConfig

Precision = Literal["auto", "fp32", "tf32", "bf16"]
Switch = Literal["auto", "on", "off"]
GROUP_NORM_GROUPS = 32  # torchcfm's U-Net normalises in so many groups of channels


class UNetField(FrozenConfig):
    """torchcfm's U-Net."""

    kind: Literal["unet"] = setting("unet", "architecture of the velocity field", "S")
    channels: int = setting(
        128, "channels of the first level", "S", ge=GROUP_NORM_GROUPS, multiple_of=GROUP_NORM_GROUPS
    )
    num_res_blocks: int = setting(2, "residual blocks of a level", "S", ge=1)
    channel_mult: tuple[int, ...] = setting(
        (1, 2, 2, 2), "channels of each level over those of the first; a level halves the side", "S"
    )
    num_heads: int = setting(4, "attention heads where num_head_channels is null", "S", ge=1)
    num_head_channels: int | None = setting(64, "channels of an attention head", "S", ge=1)
    attention_resolutions: tuple[int, ...] = setting(
        (16,), "sides, in pixels, of the levels with attention", "S"
    )
    dropout: float = setting(0.1, "share of activations dropped in training", "S", ge=0, lt=1)


class MlpField(FrozenConfig):
    """Fully connected layers, for very small images; 0.6 M parameters at 8x8."""

    kind: Literal["mlp"] = setting("mlp", "architecture of the velocity field", "O")
    width: int = setting(512, "units of a hidden layer", "O", ge=1)
    num_hidden: int = setting(3, "hidden layers", "O", ge=1)
    time_features: int = setting(
        64, "sines and cosines of the time that the first layer sees", "O", ge=2, multiple_of=2
    )


class Training(FrozenConfig):
    """One fit of the field by Adam with a moving average of its weights."""

    num_steps: int = setting(400_000, "optimizer steps", "S", ge=1)
    learning_rate: float = setting(2e-4, "Adam's step size", "S", gt=0)
    batch_size: int = setting(128, "images in a step", "S", ge=1)
    warm_up: int = setting(
        5000, "steps over which the learning rate rises linearly from 0", "T", ge=0
    )
    clip: float = setting(1.0, "largest norm of the gradient", "T", gt=0)
    flip: bool = setting(True, "whether images are mirrored at random", "T")
    average_decay: float = setting(
        0.9999, "decay a step of the moving average of the weights (EMA)", "T", ge=0, lt=1
    )
    average_ramp: bool = setting(
        False, "whether the decay of step n = 0, 1, ... is at most (1 + n) / (10 + n)", "T"
    )
    checkpoint_every: int = setting(
        20_000, "steps between two checkpoints within the fit", "T", location=True, ge=1
    )

    def decay(self, step: int) -> float:
        """Decay of the moving average in `step`."""
        if not self.average_ramp:
            return self.average_decay
        return min(self.average_decay, (1 + step) / (10 + step))

    def rate(self, step: int) -> float:
        """Learning rate of `step`; the first of a warm-up is 0, as in torchcfm."""
        if not self.warm_up:
            return self.learning_rate
        return self.learning_rate * min(step, self.warm_up) / self.warm_up


class Refit(Training):
    """Fine-tuning of a round, from the averaged weights of the round before."""

    num_steps: int = setting(1000, "optimizer steps", "O", ge=1)
    warm_up: int = setting(0, "steps over which the learning rate rises linearly from 0", "O", ge=0)
    flip: bool = setting(False, "whether curated images are mirrored at random", "O")
    average_ramp: bool = setting(
        True, "whether the decay of step n = 0, 1, ... is at most (1 + n) / (10 + n)", "O"
    )
    checkpoint_every: int = setting(
        1000, "steps between two checkpoints within the fit", "O", location=True, ge=1
    )


class Sampler(FrozenConfig):
    """How the flow is integrated from noise at time 0 to images at time 1."""

    method: Literal["dopri5", "euler", "midpoint", "heun"] = setting(
        "dopri5", "solver; dopri5 chooses its steps, the others take num_steps equal ones", "T"
    )
    num_steps: int = setting(
        100, "steps of euler (1 evaluation each), midpoint and heun (2 each)", "T", ge=1
    )
    tolerance: float = setting(1e-5, "absolute and relative tolerance of dopri5", "T", gt=0)
    batch_size: int = setting(
        1024, "images integrated at once; under dopri5 they share their steps", "T", ge=1
    )


VelocityField = Annotated[UNetField | MlpField, Field(discriminator="kind")]


class OtCfmConfig(GeneratorConfig):
    """A flow of images: its field, how it is fitted in every round, how it is sampled."""

    after_initial: ClassVar[frozenset[str]] = frozenset({"refit", "sampler"})

    kind: Literal["ot-cfm"] = setting("ot-cfm", "model family", "S")
    field: VelocityField = setting(UNetField(), "architecture of the velocity field", "S")
    coupling: Literal["torchcfm", "assignment", "independent"] = setting(
        "torchcfm",
        "pairs of noise and images in a batch: torchcfm: drawn from the optimal plan, as in the "
        "paper; assignment: the optimal bijection, computed ahead; independent: as they come",
        "S",
    )
    sigma: float = setting(0.0, "deviation of the noise around the straight path", "T", ge=0)
    refit: Refit = setting(Refit(), "fine-tuning of a round", "O")
    sampler: Sampler = setting(Sampler(), "integration of the flow", "T")
    precision: Precision = setting(
        "auto",
        "fp32; tf32: products of 10 bits; bf16: as well autocast, but not under dopri5, which "
        "would follow the rounding. auto: fp32 on a CPU, tf32 on a GPU",
        "O",
    )
    channels_last: Switch = setting(
        "auto", "memory layout of the U-Net's images. auto: on on a GPU", "O"
    )
    compile: Switch = setting("auto", "torch.compile, for training. auto: off", "O")

    processes: int = setting(
        1, "processes, one a GPU, that share the batches of training", "O", ge=1
    )

    @model_validator(mode="after")
    def _check_precision(self) -> Self:
        if self.field.kind == "mlp" and self.channels_last == "on":
            raise ValueError(
                "channels_last: expected auto or off with field mlp, which sees no channels, got "
                "on; leave it out"
            )
        return self
