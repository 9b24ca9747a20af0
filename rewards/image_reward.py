"""Reward `image-reward`: how well people would like an image for a prompt, by ImageReward."""

import json
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal, Self, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import setting
from data.foreign_tensors import read_tensors
from data.published_weights import PublishedWeights, find_all
from rewards.blip_layout import image_encoder, part_of, text_encoder
from rewards.image_scoring import (
    LIBRARIES,
    PROMPT,
    BatchedScorer,
    LearnedImageConfig,
    Score,
    noise_images,
    prepared,
)
from rewards.linear_head import STACK, linear_head
from rewards.model_files import find_model_files
from rewards.registry import Reward, RewardConfig

FloatArray = npt.NDArray[np.float64]

MODEL = PublishedWeights(
    repo="THUDM/ImageReward", revision="5736be03b2652728fb87788c9797b0570450ab72"
)
TOKENIZER = PublishedWeights(
    repo="google-bert/bert-base-uncased", revision="86b5e0934494bd15c9632b12f734a8a67f723594"
)
MODEL_FILES = ("ImageReward.pt", "med_config.json")
TOKENIZER_FILES = ("vocab.txt", "tokenizer_config.json")
MAX_TOKENS = 35
# Mean and deviation of the raw score, published with the model.
RAW_MEAN, RAW_DEVIATION = 0.16717362830052426, 1.0333394966054072


class ImageRewardConfig(LearnedImageConfig):
    """Prompt and weights of ImageReward."""

    kind: Literal["image-reward"] = setting("image-reward", "kind of reward", "S")
    prompt: str = setting(PROMPT, "text every image is scored for", "O", min_length=1)
    model: PublishedWeights = setting(MODEL, "BLIP ViT-L with the layers that judge", "S")
    tokenizer: PublishedWeights = setting(TOKENIZER, "the tokenizer BLIP was trained with", "S")

    @property
    def uses_published_weights(self) -> bool:
        """Whether the scores are those of the published model, not of a stand-in."""
        return self.model.is_of(MODEL) and self.tokenizer.is_of(TOKENIZER)


@final
class ImageRewardReward:
    """r(x) = gamma (f(CLS) - mean) / deviation (Xu et al. 2023).

    CLS is the first state of the prompt read by BLIP's text encoder with cross-attention to the
    image; f is linear.
    """

    Config: ClassVar[type[RewardConfig]] = ImageRewardConfig
    libraries: ClassVar[tuple[str, ...]] = LIBRARIES

    def __init__(self, config: ImageRewardConfig) -> None:
        self.config = config
        self._score = BatchedScorer("reward image-reward", config.batch_size, self._load)

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores of images; raises `ConfigError` for other samples, `EnvironmentProblem`."""
        return self.config.gamma * self._score(samples)

    def fetch(self) -> tuple[Path, Path]:
        """Folders of model and tokenizer, their files fetched and checked.

        Worth calling before an expensive stage; raises as `find_model_files`.
        """
        model, tokenizer = find_all(
            [
                partial(find_model_files, self.config.model, MODEL_FILES),
                partial(find_model_files, self.config.tokenizer, TOKENIZER_FILES),
            ]
        )
        return model, tokenizer

    def _load(self, device: str) -> Score:
        import torch
        from transformers import BertTokenizer, CLIPImageProcessor

        folder, words = self.fetch()
        source = folder / MODEL_FILES[0]
        state = read_tensors(source, "reward image-reward", "use the published file")
        settings = json.loads((folder / MODEL_FILES[1]).read_text(encoding="utf-8"))
        vision = image_encoder(state, source).to(device)
        width, size = vision.config.hidden_size, vision.config.image_size
        text = text_encoder(state, settings, source, image_width=width).to(device)
        head = linear_head(part_of(state, "mlp."), STACK, source=source, device=device)
        # The published preparation is CLIP's, mean and deviation included.
        processor = CLIPImageProcessor(
            size={"shortest_edge": size}, crop_size={"height": size, "width": size}
        )
        tokenizer = BertTokenizer.from_pretrained(words, local_files_only=True)
        # Published with padding to 35 tokens, which nothing attends to: left out.
        tokens = tokenizer(
            self.config.prompt, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )["input_ids"].to(device)

        def score(pixels: torch.Tensor) -> torch.Tensor:
            patches = vision(prepared(pixels, processor)).last_hidden_state
            read = text(tokens.expand(len(pixels), -1), encoder_hidden_states=patches)
            return (head(read.last_hidden_state[:, 0]) - RAW_MEAN) / RAW_DEVIATION

        return score

    @classmethod
    def example(cls) -> Self:
        """A tiny random stand-in in the published layout."""
        from rewards.tiny_models import stand_in_folder, stand_in_weights

        folder = stand_in_folder("image-reward")
        config = ImageRewardConfig(
            model=stand_in_weights(MODEL, folder, MODEL_FILES),
            tokenizer=stand_in_weights(TOKENIZER, folder, TOKENIZER_FILES),
        )
        return cls(config)

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Small images of random bytes."""
        return noise_images(num_samples, seed=seed)


REWARD: type[Reward] = ImageRewardReward
