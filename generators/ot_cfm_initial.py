"""How the p_0 of generator `ot-cfm` is made: pretrained here, or imported."""

from typing import Literal, Self

from pydantic import model_validator

from data.configuration import setting
from data.image_data import Cifar10Data, ImageDataConfig
from generators.ot_cfm_config import OtCfmConfig, Training
from generators.registry import InitialConfig
from generators.released_flow import read_released
from generators.velocity_field import check_field, field_without_values


class OtCfmInitial(InitialConfig):
    """Training images and pretraining on them, or weights of torchcfm's layout instead."""

    data: ImageDataConfig = setting(Cifar10Data(), "images p_0 is a model of", "S")
    pretraining: Training = setting(
        Training(), "fit of p_0 from random weights; without effect where weights are given", "S"
    )
    weights: str | None = setting(
        None,
        "file that torchcfm's CIFAR-10 example saved, such as its released checkpoint; p_0 is "
        "read from it and nothing is trained",
        "T",
        location=True,
    )
    weights_sha256: str | None = setting(
        None, "SHA-256 of that file, which stands for it in fingerprints", "O",
        pattern="^[0-9a-f]{64}$",
    )  # fmt: skip
    weights_part: Literal["ema_model", "net_model"] = setting(
        "ema_model", "which weights of the file: averaged, or the last", "T"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.weights is None) != (self.weights_sha256 is None):
            given = "weights" if self.weights else "weights_sha256"
            raise ValueError(
                f"weights: expected a file together with its weights_sha256, got {given} alone; "
                "set both (sha256sum FILE prints the latter), or none to pretrain"
            )
        if self.data.kind == "digits" and self.pretraining.flip and self.weights is None:
            raise ValueError(
                "pretraining.flip: expected false for digits, got true; a mirrored digit is none"
            )
        return self

    def check_generator(self, generator: OtCfmConfig) -> None:
        """Raise `ValueError` for a generator that cannot be fitted to the data, before it is."""
        check_field(generator.field, self.data.shape)
        if self.data.kind == "digits" and generator.refit.flip:
            raise ValueError(
                "generator.refit.flip: expected false for digits, got true; a mirrored digit is "
                "none"
            )
        sizes = {"generator.refit": generator.refit.batch_size}
        if self.weights is None:
            sizes["initial.pretraining"] = self.pretraining.batch_size
        for name, size in sizes.items():
            if size % generator.processes:
                raise ValueError(
                    f"generator.processes: expected a divisor of {name}.batch_size {size}, got "
                    f"{generator.processes}; change one of them, so that shares are equal"
                )

    def check_weights(self, generator: OtCfmConfig) -> None:
        """Raise as `read_released` for a file to import that cannot be this generator's p_0."""
        if self.weights is not None and self.weights_sha256 is not None:
            read_released(
                self.weights,
                field_without_values(generator.field, self.data.shape),
                part=self.weights_part,
                sha256=self.weights_sha256,
            )
