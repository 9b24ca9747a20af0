"""Generator `ot-cfm`: images by flow matching with optimal transport (paper, section C.5)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.checkpoints import CheckpointFolder
from data.compute import compute
from data.errors import ConfigError
from data.image_data import DigitsData, load_images
from data.images import Shape, image_schema, image_table, images_of
from data.model_folder import read_model, write_model
from data.schemas import NETWORK_TRAINING
from generators.cfm_batches import BatchMaker
from generators.cfm_precision import laid_out, resolved_precision
from generators.cfm_processes import Job, train_together
from generators.cfm_sampling import draw_images
from generators.network_fit import weight_metrics
from generators.ot_cfm_config import MlpField, OtCfmConfig, Refit, Sampler, Training
from generators.ot_cfm_initial import OtCfmInitial
from generators.registry import Generator, GeneratorConfig, InitialConfig
from generators.released_flow import check_weights, read_released
from generators.velocity_field import field_without_values, make_field

if TYPE_CHECKING:
    import torch

FloatArray = npt.NDArray[np.float64]
UInt8Array = npt.NDArray[np.uint8]
USER = "generator ot-cfm"


@final
class OtCfm:
    """A velocity field by its weights, which are kept on the CPU in single precision."""

    Config: ClassVar[type[GeneratorConfig]] = OtCfmConfig
    InitialConfig: ClassVar[type[InitialConfig]] = OtCfmInitial
    libraries: ClassVar[tuple[str, ...]] = ("torch", "torchcfm", "torchdiffeq", "POT", "scipy")

    def __init__(
        self,
        config: OtCfmConfig,
        shape: Shape,
        weights: "dict[str, torch.Tensor]",
        losses: FloatArray,
    ) -> None:
        self.config = config
        self.shape = shape
        self.weights = weights
        self.losses = losses  # (num_steps,)
        self._ready: tuple[str, torch.nn.Module] | None = None

    @staticmethod
    def precision(config: OtCfmConfig, device: str) -> dict[str, Any]:
        """Precision and layout chosen for `device`; part of the numerics class."""
        return resolved_precision(config, device)

    @property
    def schema(self) -> pa.Schema:
        """Column image."""
        return image_schema(self.shape)

    @property
    def training_log(self) -> pa.Table:
        """Mean squared error of the velocity in each step, before it; empty if loaded."""
        steps = np.arange(len(self.losses), dtype=np.int32)
        return pa.table({"step": steps, "loss": self.losses}, schema=NETWORK_TRAINING)

    def sample(self, num_samples: int, *, seed: int, prompts: pa.Table | None = None) -> pa.Table:
        """Images of the averaged weights; raises `ConfigError` when prompts are given."""
        if prompts is not None:
            raise ConfigError(
                f"{USER}: expected no prompts, got {prompts.num_rows}; leave them out"
            )
        device = compute().device
        if self._ready is None or self._ready[0] != device:
            field = laid_out(self._field(), self.precision(self.config, device), device)
            self._ready = device, field.eval()
        images = draw_images(
            self._ready[1],
            self.shape,
            num_samples,
            self.config.sampler,
            precision=self.precision(self.config, device),
            seed=seed,
        )
        return image_table(images)

    def refit(
        self,
        curated: pa.Table,
        *,
        iteration: int,
        seed: int,
        checkpoints: CheckpointFolder | None = None,
    ) -> Self:
        """Fine-tuned on the curated images under `config.refit`; `iteration` changes nothing.

        Raises `ConfigError` for no rows and for images of another shape, `BadNumbers` for a
        loss that is not finite.
        """
        images = images_of(curated, USER)
        if images.shape[1:] != self.shape:
            raise ConfigError(
                f"{USER}: expected images of shape {self.shape}, got {images.shape[1:]}; train on "
                "images of the model's own size"
            )
        if len(images) == 0:
            raise ConfigError(
                f"{USER}: expected at least 1 row to fit, got 0; raise selection.num_curated"
            )
        return self._trained(images, self.config.refit, seed=seed, checkpoints=checkpoints)

    def metrics(self) -> dict[str, float]:
        """Number of parameters and Euclidean norm of all of them."""
        return weight_metrics(self.weights)

    def save(self, folder: Path) -> None:
        """Write model.safetensors (weights, float32) and config.json."""
        tensors = {name: tensor.numpy() for name, tensor in self.weights.items()}
        write_model(folder, tensors, kind=self.config.kind, shape=list(self.shape))

    @classmethod
    def load(cls, folder: Path, config: OtCfmConfig) -> Self:
        """The flow saved in `folder`; raises `ConfigError` for another kind or field."""
        import torch

        tensors, facts = read_model(folder, config.kind)
        height, width, channels = facts["shape"]
        weights = {name: torch.from_numpy(tensor.copy()) for name, tensor in tensors.items()}
        model = cls(config, (height, width, channels), weights, np.empty(0))
        wanted = field_without_values(config.field, model.shape)
        check_weights(weights, wanted, f"{USER}: {folder}")
        return model

    @classmethod
    def initial(
        cls,
        config: OtCfmConfig,
        initial_config: OtCfmInitial,
        *,
        seed: int,
        checkpoints: CheckpointFolder | None = None,
    ) -> Self:
        """Pretrained on the training images, or imported; raises as `read_released`."""
        shape = initial_config.data.shape
        field = make_field(config.field, shape, seed=seed)
        weights = {name: weight.detach() for name, weight in field.named_parameters()}
        if initial_config.weights is not None:
            assert initial_config.weights_sha256 is not None
            weights = read_released(
                initial_config.weights,
                field,
                part=initial_config.weights_part,
                sha256=initial_config.weights_sha256,
            )
            return cls(config, shape, weights, np.empty(0))
        images = load_images(initial_config.data, "train").images
        fresh = cls(config, shape, weights, np.empty(0))
        return fresh._trained(
            images, initial_config.pretraining, seed=seed, checkpoints=checkpoints
        )

    @classmethod
    def real_data(cls, config: OtCfmConfig, initial_config: OtCfmInitial, *, seed: int) -> pa.Table:
        """The training images, in their order; `seed` changes nothing."""
        return image_table(load_images(initial_config.data, "train").images)

    @classmethod
    def example(cls) -> Self:
        """A very small network, hardly trained on the digits."""
        config = OtCfmConfig(
            field=MlpField(width=16, num_hidden=1, time_features=4),
            coupling="assignment",
            refit=Refit(num_steps=3, batch_size=16),
            sampler=Sampler(method="euler", num_steps=2),
        )
        few = Training(num_steps=3, batch_size=16, warm_up=0, flip=False, average_ramp=True)
        return cls.initial(config, OtCfmInitial(data=DigitsData(), pretraining=few), seed=0)

    def _field(self) -> "torch.nn.Module":
        """A network with these weights, of its own."""
        field = make_field(self.config.field, self.shape, seed=0)
        field.load_state_dict(self.weights, strict=True)
        return field

    def _trained(
        self,
        images: UInt8Array,  # (n, H, W, C)
        training: Training,
        *,
        seed: int,
        checkpoints: CheckpointFolder | None,
    ) -> Self:
        import torch

        device = compute().device
        batches = BatchMaker(
            pixels=torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).contiguous(),
            batch_size=training.batch_size,
            flip=training.flip,
            coupling=self.config.coupling,
            sigma=self.config.sigma,
            seed=seed,
            pinned=device != "cpu",
        )
        precision = self.precision(self.config, device)
        job = Job(self.config, self.shape, self.weights, batches, training, precision, checkpoints)
        number = self.config.processes
        fit = job.run() if number == 1 else train_together(job, number)
        return type(self)(self.config, self.shape, fit.weights, fit.losses)


GENERATOR: type[Generator] = OtCfm
