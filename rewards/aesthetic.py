"""Reward `aesthetic`: how beautiful people would call an image, by LAION's predictors."""

from functools import partial
from pathlib import Path
from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.foreign_tensors import read_tensors
from data.published_weights import PublishedWeights, find_all
from rewards.image_scoring import (
    LIBRARIES,
    BatchedScorer,
    LearnedImageConfig,
    Score,
    load_clip,
    noise_images,
    prepared,
)
from rewards.linear_head import STACK, Head, linear_head
from rewards.model_files import find_model_files
from rewards.registry import Reward, RewardConfig

FloatArray = npt.NDArray[np.float64]

BACKBONE = PublishedWeights(
    repo="openai/clip-vit-large-patch14",
    revision="32bd64288804d66eefd0ccbe215aa642df71cc41",
    sha256="a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb",
)
BACKBONE_FILES = ("model.safetensors", "config.json", "preprocessor_config.json")
# Version -> the head's weights, its file, and the prefixes of its layers.
HEADS = {
    1: PublishedWeights(
        host="github",
        repo="LAION-AI/aesthetic-predictor",
        revision="7e37768a02b0863eac390a702903aaa90ecf938e",
    ),
    2: PublishedWeights(
        host="github",
        repo="christophschuhmann/improved-aesthetic-predictor",
        revision="6934dd81792f086e613a121dbce43082cb8be85e",
        sha256="21dd590f3ccdc646f0d53120778b296013b096a035a2718c9cb0d511bff0f1e0",
    ),
}
HEAD_FILES = {1: "sa_0_4_vit_l_14_linear.pth", 2: "sac+logos+ava1-l14-linearMSE.pth"}
HEAD_LAYERS = {1: ("",), 2: STACK}


class AestheticConfig(LearnedImageConfig):
    """Version and weights of the predictor."""

    kind: Literal["aesthetic"] = setting("aesthetic", "kind of reward", "S")
    version: Literal[1, 2] = setting(1, "1 one linear layer (the cited one), 2 five of them", "S")
    backbone: PublishedWeights = setting(BACKBONE, "CLIP ViT-L/14, whose embedding is judged", "S")
    head: PublishedWeights | None = setting(
        None, "weights of the layers; the published ones of `version` when not given", "S"
    )

    @property
    def uses_published_weights(self) -> bool:
        """Whether the scores are those of the published model, not of a stand-in."""
        head = self.head is None or self.head.is_of(HEADS[self.version])
        return head and self.backbone.is_of(BACKBONE)


@final
class AestheticReward:
    """r(x) = gamma (linear layers of the image's CLIP embedding divided by its length)."""

    Config: ClassVar[type[RewardConfig]] = AestheticConfig
    libraries: ClassVar[tuple[str, ...]] = LIBRARIES

    def __init__(self, config: AestheticConfig) -> None:
        self.config = config
        self._score = BatchedScorer("reward aesthetic", config.batch_size, self._load)

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores of images; raises `ConfigError` for other samples, `EnvironmentProblem`."""
        return self.config.gamma * self._score(samples)

    def fetch(self) -> tuple[Path, Path]:
        """Folders of backbone and head, their files fetched and checked.

        Worth calling before an expensive stage; raises as `find_model_files`.
        """
        version = self.config.version
        weights = self.config.head or HEADS[version]
        head, backbone = find_all(
            [
                partial(find_model_files, weights, (HEAD_FILES[version],)),
                partial(find_model_files, self.config.backbone, BACKBONE_FILES),
            ]
        )
        return backbone, head

    def _load(self, device: str) -> Score:
        import torch
        from transformers import CLIPImageProcessor

        folder, layers = self.fetch()
        head = load_head(layers, self.config.version, device)
        processor = CLIPImageProcessor.from_pretrained(folder, local_files_only=True)
        model = load_clip(folder, device)

        def score(pixels: torch.Tensor) -> torch.Tensor:
            embeddings = model.get_image_features(prepared(pixels, processor)).pooler_output
            return head(embeddings / embeddings.norm(dim=1, keepdim=True))

        return score

    @classmethod
    def example(cls) -> Self:
        """A tiny random stand-in in the published layout, version 1."""
        from rewards.tiny_models import stand_in_folder, stand_in_weights

        backbone = stand_in_weights(BACKBONE, stand_in_folder("clip"), BACKBONE_FILES)
        head = stand_in_weights(HEADS[1], stand_in_folder("aesthetic"), (HEAD_FILES[1],))
        return cls(AestheticConfig(version=1, backbone=backbone, head=head))

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Small images of random bytes."""
        return noise_images(num_samples, seed=seed)


def load_head(folder: Path, version: int, device: str) -> Head:
    """The layers of a version, from embeddings of length 1 to scores.

    Raises `EnvironmentProblem` for a file that holds anything else.
    """
    path = folder / HEAD_FILES[version]
    state = read_tensors(path, "reward aesthetic", "use the published file")
    return linear_head(state, HEAD_LAYERS[version], source=path, device=device)


REWARD: type[Reward] = AestheticReward
