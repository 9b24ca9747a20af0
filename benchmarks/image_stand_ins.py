"""A generator and a reward of images that compute next to nothing, found as plug-ins.

`installed` writes what pip would: an entry point for each, in a folder on the import path, which
worker processes inherit.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.images import image_schema, image_table, images_of
from data.schemas import TRAINING
from generators.registry import GeneratorConfig, InitialConfig
from rewards.registry import RewardConfig

SHAPE = (32, 32, 3)
ENTRY_POINTS = """
[pluralist.generators]
random-images = benchmarks.image_stand_ins:RandomImages
[pluralist.rewards]
brightness = benchmarks.image_stand_ins:Brightness
"""


class RandomImagesConfig(GeneratorConfig):
    """Nothing to set."""

    kind: str = "random-images"


class BrightnessConfig(RewardConfig):
    """Which channel counts."""

    kind: str = "brightness"
    channel: int = setting(0, "channel whose mean is the score", "O", ge=0, lt=SHAPE[2])


class RandomImages:
    """Independent uniform pixels; refitting changes nothing."""

    Config: ClassVar[type[GeneratorConfig]] = RandomImagesConfig
    InitialConfig: ClassVar[type[InitialConfig]] = InitialConfig
    libraries: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: Any) -> None:
        self.config = config
        self.schema = image_schema(SHAPE)
        self.training_log = TRAINING.empty_table()

    def sample(self, num_samples: int, *, seed: int, prompts: pa.Table | None = None) -> pa.Table:
        """`num_samples` images."""
        rng = np.random.default_rng(seed)
        return image_table(rng.integers(0, 256, (num_samples, *SHAPE), dtype=np.uint8))

    def refit(self, curated: pa.Table, **_arguments: Any) -> Self:
        """This model, once every curated image has been looked at."""
        assert images_of(curated, "random-images").max() <= 255
        return self

    def metrics(self) -> dict[str, float]:
        """None."""
        return {}

    def save(self, folder: Path) -> None:
        """Write the configuration, all there is."""
        (folder / "config.json").write_text(json.dumps(self.config.model_dump(mode="json")))

    @classmethod
    def load(cls, _folder: Path, config: Any) -> Self:
        """The model."""
        return cls(config)

    @classmethod
    def initial(cls, config: Any, _initial: Any, **_arguments: Any) -> Self:
        """The model p_0."""
        return cls(config)


class Brightness:
    """Mean of one channel."""

    Config: ClassVar[type[RewardConfig]] = BrightnessConfig

    def __init__(self, config: BrightnessConfig) -> None:
        self.channel = config.channel

    def __call__(self, samples: pa.Table) -> npt.NDArray[np.float64]:
        """Score of each image, in 0 .. 255."""
        images = images_of(samples, "brightness")
        means: npt.NDArray[np.float64] = images[..., self.channel].mean(axis=(1, 2))
        return means


@contextmanager
def installed() -> Iterator[None]:
    """Make both kinds known to this process and to the workers it starts."""
    with tempfile.TemporaryDirectory() as folder:
        info = Path(folder) / "image_stand_ins-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: image-stand-ins\nVersion: 1\n")
        (info / "entry_points.txt").write_text(ENTRY_POINTS)
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)
