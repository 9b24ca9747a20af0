"""Reward `pick-score`: how well people would like an image for a prompt, by PickScore."""

from functools import partial
from pathlib import Path
from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.published_weights import PublishedWeights, find_all
from rewards.image_scoring import (
    LIBRARIES,
    PROMPT,
    BatchedScorer,
    LearnedImageConfig,
    Score,
    load_clip,
    noise_images,
    prepared,
)
from rewards.model_files import find_model_files
from rewards.registry import Reward, RewardConfig

FloatArray = npt.NDArray[np.float64]

MODEL = PublishedWeights(
    repo="yuvalkirstain/PickScore_v1", revision="a4e4367c6dfa7288a00c550414478f865b875800"
)
PROCESSOR = PublishedWeights(
    repo="laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    revision="1c2b8495b28150b8a4922ee1c8edee224c284c0c",
)
MODEL_FILES = ("model.safetensors", "config.json")
PROCESSOR_FILES = ("vocab.json", "merges.txt", "tokenizer_config.json", "preprocessor_config.json")
MAX_TOKENS = 77


class PickScoreConfig(LearnedImageConfig):
    """Prompt and weights of PickScore."""

    kind: Literal["pick-score"] = setting("pick-score", "kind of reward", "S")
    prompt: str = setting(PROMPT, "text every image is scored for", "O", min_length=1)
    model: PublishedWeights = setting(MODEL, "the CLIP model fine-tuned on preferences", "S")
    processor: PublishedWeights = setting(PROCESSOR, "its tokenizer and image settings", "S")

    @property
    def uses_published_weights(self) -> bool:
        """Whether the scores are those of the published model, not of a stand-in."""
        return self.model.is_of(MODEL) and self.processor.is_of(PROCESSOR)


@final
class PickScoreReward:
    """r(x) = gamma e^s cos(image, text), s the model's logit scale (Kirstain et al. 2023)."""

    Config: ClassVar[type[RewardConfig]] = PickScoreConfig
    libraries: ClassVar[tuple[str, ...]] = LIBRARIES

    def __init__(self, config: PickScoreConfig) -> None:
        self.config = config
        self._score = BatchedScorer("reward pick-score", config.batch_size, self._load)

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores of images; raises `ConfigError` for other samples, `EnvironmentProblem`."""
        return self.config.gamma * self._score(samples)

    def fetch(self) -> tuple[Path, Path]:
        """Folders of model and processor, their files fetched and checked.

        Worth calling before an expensive stage; raises as `find_model_files`.
        """
        model, processor = find_all(
            [
                partial(find_model_files, self.config.model, MODEL_FILES),
                partial(find_model_files, self.config.processor, PROCESSOR_FILES),
            ]
        )
        return model, processor

    def _load(self, device: str) -> Score:
        import torch
        from transformers import CLIPImageProcessor, CLIPTokenizer

        folder, settings = self.fetch()
        model = load_clip(folder, device)
        tokenizer = CLIPTokenizer.from_pretrained(settings, local_files_only=True)
        processor = CLIPImageProcessor.from_pretrained(settings, local_files_only=True)
        tokens = tokenizer(
            self.config.prompt, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        with torch.inference_mode():
            text = model.get_text_features(**tokens.to(device)).pooler_output[0]
            direction = model.logit_scale.exp() * text / text.norm()

        def score(pixels: torch.Tensor) -> torch.Tensor:
            images = model.get_image_features(prepared(pixels, processor)).pooler_output
            scores: torch.Tensor = images @ direction / images.norm(dim=1)
            return scores

        return score

    @classmethod
    def example(cls) -> Self:
        """A tiny random stand-in in the published layout."""
        from rewards.tiny_models import stand_in_folder, stand_in_weights

        folder = stand_in_folder("clip")
        config = PickScoreConfig(
            model=stand_in_weights(MODEL, folder, MODEL_FILES),
            processor=stand_in_weights(PROCESSOR, folder, PROCESSOR_FILES),
        )
        return cls(config)

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Small images of random bytes."""
        return noise_images(num_samples, seed=seed)


REWARD: type[Reward] = PickScoreReward
