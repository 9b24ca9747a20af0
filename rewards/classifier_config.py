"""Configuration of the run's classifier: its network, its data, how it is trained.

Each architecture has a recipe of its own: fields that are not given take its values.
"""

from typing import Any, Literal, Self

from pydantic import TypeAdapter, ValidationError, model_validator

from data.configuration import FrozenConfig, setting
from data.image_data import ImageDataConfig
from data.images import Shape
from rewards.architectures import ARCHITECTURES, ArchitectureName

# He et al. 2016 and akamaster/pytorch_resnet_cifar10, but for the cosine instead of two steps.
RESNET = {
    "num_epochs": 200,
    "batch_size": 128,
    "learning_rate": 0.1,
    "weight_decay": 1e-4,
    "schedule": "cosine",
    "mean": (0.485, 0.456, 0.406),
    "deviation": (0.229, 0.224, 0.225),
}
# What differs from the defaults of the fields, which are VGG11-BN's.
RECIPES: dict[str, dict[str, Any]] = {
    "resnet20": RESNET,
    "resnet56": RESNET,
    "small-cnn": {
        "num_epochs": 10,
        "batch_size": 64,
        "learning_rate": 0.1,
        "weight_decay": 1e-3,
        "shift": 1,
    },
}


DATA: TypeAdapter[ImageDataConfig] = TypeAdapter(ImageDataConfig)


class ClassifierConfig(FrozenConfig):
    """One classifier, trained on `data` or imported from a published file."""

    architecture: ArchitectureName = setting("vgg11-bn", "network", "S")
    data: ImageDataConfig = setting(..., "images and labels it is trained and tested on", "S")
    seed: int = setting(0, "seed of the training, shared by all runs", "O", ge=0)
    num_epochs: int = setting(100, "passes over the training images", "O", ge=1)
    batch_size: int = setting(256, "images a step", "O", ge=2)
    learning_rate: float = setting(0.01, "largest step size", "O", gt=0)
    momentum: float = setting(0.9, "Nesterov momentum; 0 for none", "O", ge=0, lt=1)
    weight_decay: float = setting(0.01, "pull of all parameters to zero", "O", ge=0)
    schedule: Literal["one-cycle", "cosine"] = setting(
        "one-cycle",
        "step size over all steps; one-cycle: linearly up during the first 30 %, then half a "
        "cosine down to 0; cosine: half a cosine down from the start",
        "O",
    )
    flip: bool = setting(True, "mirror each training image with chance 1/2; not for digits", "O")
    shift: int = setting(4, "pixels each training image is moved by at most, both ways", "O", ge=0)
    checkpoint_every: int = setting(10, "epochs between checkpoints", "O", location=True, ge=1)
    mean: tuple[float, ...] = setting(
        (0.4914, 0.4822, 0.4465), "subtracted from each channel of pixels in [0, 1]", "S"
    )
    deviation: tuple[float, ...] = setting(
        (0.2471, 0.2435, 0.2616), "each channel is divided by it afterwards", "S"
    )
    weights: str | None = setting(
        None, "published checkpoint file to import instead of training", "O", location=True
    )
    weights_sha256: str | None = setting(
        None, "SHA-256 of that file, which says what it is", "O", pattern=r"^[0-9a-f]{64}$"
    )

    @model_validator(mode="before")
    @classmethod
    def _take_recipe(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        try:
            shape: Shape = DATA.validate_python(raw.get("data")).shape
        except ValidationError:
            return raw  # the field `data` says what is wrong with it
        architecture = raw.get("architecture")
        recipe = dict(RECIPES.get(str(architecture), {}))
        if architecture == "small-cnn":
            recipe["mean"] = recipe["deviation"] = (0.5,) * shape[2]
            # A mirrored digit is no digit; a photograph may be mirrored.
            recipe["flip"] = shape[2] == 3
        return {**recipe, **raw}

    @model_validator(mode="after")
    def _check(self) -> Self:
        wanted, got = ARCHITECTURES[self.architecture].shape, self.data.shape
        if wanted not in (None, got):
            raise ValueError(
                f"classifier {self.architecture}: expected images of {_words(wanted)}, got "
                f"{_words(got)} ({self.data.kind}); this is the wrong classifier for the image "
                "size, use small-cnn"
            )
        if self.flip and self.data.kind == "digits":
            raise ValueError(
                "classifier.flip: expected false for digits, got true; a mirrored digit is none"
            )
        for name, values in (("mean", self.mean), ("deviation", self.deviation)):
            if len(values) != got[2]:
                raise ValueError(
                    f"{name}: expected one number for each of the {got[2]} channels, got {values}"
                )
        if min(self.deviation) <= 0:
            raise ValueError(f"deviation: expected positive numbers, got {self.deviation}")
        # The place of a file is in no fingerprint, so its digest alone says that it was used.
        if (self.weights is None) != (self.weights_sha256 is None):
            raise ValueError(
                "weights, weights_sha256: expected both or none, got "
                f"{self.weights!r}, {self.weights_sha256!r}; `sha256sum FILE` prints the digest"
            )
        return self


def _words(shape: Shape | None) -> str:
    return " x ".join(str(length) for length in shape or ())
