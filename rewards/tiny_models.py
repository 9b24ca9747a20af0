"""Stand-ins for the learned rewards: tiny random models in the published layouts.

For tests, and for a dry run of a configuration on a machine without the weights. Their scores
mean nothing, and no configuration that names them counts as using published weights.
"""

import atexit
import functools
import json
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from data.installation import check_installed
from data.published_weights import PublishedWeights, folder_digest
from rewards import image_scoring, text_scoring

if TYPE_CHECKING:
    import torch

Shapes = Mapping[str, tuple[int, ...]]
Model = Literal[
    "clip", "aesthetic", "image-reward", "armo-rm", "llama-guard", "sequence-classifier"
]
TEXT_MODELS: tuple[Model, ...] = ("armo-rm", "llama-guard", "sequence-classifier")

# Repository of a published model -> the stand-in of its layout.
LAYOUTS: dict[str, Model] = {
    "yuvalkirstain/PickScore_v1": "clip",
    "laion/CLIP-ViT-H-14-laion2B-s32B-b79K": "clip",
    "openai/clip-vit-large-patch14": "clip",
    "LAION-AI/aesthetic-predictor": "aesthetic",
    "christophschuhmann/improved-aesthetic-predictor": "aesthetic",
    "THUDM/ImageReward": "image-reward",
    "google-bert/bert-base-uncased": "image-reward",
    "RLHFlow/ArmoRM-Llama3-8B-v0.1": "armo-rm",
    "meta-llama/Llama-Guard-3-1B": "llama-guard",
}

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CLIP_EMBEDDING = 12
CLIP_IMAGE = 16
# The image transformer's width gives its heads, 64 each: two of them.
BLIP_WIDTH, BLIP_LAYERS, BLIP_PATCH, BLIP_IMAGE = 128, 2, 4, 8
TEXT_WIDTH, TEXT_LAYERS, TEXT_HEADS, TEXT_INNER, TEXT_POSITIONS = 24, 2, 3, 40, 40
STACK_WIDTHS = (16, 8, 8, 4, 1)
# Published aesthetic scores lie around 5; a stand-in's would else be all rounding around 0.
TYPICAL_SCORE = 5.0


def stand_in_weights(
    published: PublishedWeights, folder: Path, names: Sequence[str]
) -> PublishedWeights:
    """Weights read from `folder` in place of published ones, with the digest they have."""
    digest = folder_digest(folder, names)
    return published.model_copy(update={"folder": str(folder), "sha256": digest})


def folder_in_place_of(published: PublishedWeights) -> Path:
    """Folder with the stand-in for a published model."""
    return stand_in_folder(LAYOUTS[published.repo])


@functools.cache
def stand_in_folder(model: Model) -> Path:
    """Folder with a stand-in, written once a process and removed at its end.

    Raises `EnvironmentProblem` where the packages that write it are not installed.
    """
    libraries = text_scoring.LIBRARIES if model in TEXT_MODELS else image_scoring.LIBRARIES
    check_installed(f"stand-in for {model}", libraries)
    from rewards import tiny_text_models as texts

    write = {
        "clip": write_clip,
        "aesthetic": write_aesthetic,
        "image-reward": write_image_reward,
        "armo-rm": texts.write_armo_rm,
        "llama-guard": texts.write_llama_guard,
        "sequence-classifier": texts.write_sequence_classifier,
    }
    folder = Path(tempfile.mkdtemp(prefix=f"pluralist-stand-in-{model}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write[model](folder)
    return folder


def write_clip(folder: Path, *, seed: int = 0) -> None:
    """A CLIP model with its tokenizer and image settings, as transformers saves them."""
    import torch
    from safetensors.torch import save_file
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    alphabet = sorted(ByteLevel.alphabet())
    words = [*alphabet, *(f"{letter}</w>" for letter in alphabet)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    marks = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1}
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    sizes |= {"num_attention_heads": 2}
    config = CLIPConfig(
        text_config={**sizes, **marks, "vocab_size": len(words), "max_position_embeddings": 77},
        vision_config={**sizes, "image_size": CLIP_IMAGE, "patch_size": 8},
        projection_dim=CLIP_EMBEDDING,
    )
    with torch.device("meta"):
        model = CLIPModel(config)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    save_file(random_weights(shapes, seed=seed), folder / "model.safetensors", {"format": "pt"})
    config.save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": CLIP_IMAGE},
        crop_size={"height": CLIP_IMAGE, "width": CLIP_IMAGE},
    ).save_pretrained(folder)
    write_json(folder / "vocab.json", {word: number for number, word in enumerate(words)})
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer"})


def write_aesthetic(folder: Path, *, seed: int = 0) -> None:
    """Both versions of the aesthetic layers, for the embeddings of `write_clip`."""
    import torch

    linear = {"weight": (1, CLIP_EMBEDDING), "bias": (1,)}
    torch.save(random_weights(linear, seed=seed), folder / "sa_0_4_vit_l_14_linear.pth")
    stack = stack_shapes(CLIP_EMBEDDING)
    torch.save(random_weights(stack, seed=seed), folder / "sac+logos+ava1-l14-linearMSE.pth")


def write_image_reward(folder: Path, *, seed: int = 0) -> None:
    """ImageReward.pt and med_config.json, with the vocabulary of BERT's tokenizer."""
    import torch

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*marks, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    # BLIP appends two marks of its own to BERT's vocabulary.
    num_words = len(words) + 2
    shapes = {f"blip.visual_encoder.{name}": one for name, one in _vision_shapes().items()}
    shapes |= {f"blip.text_encoder.{name}": one for name, one in _text_shapes(num_words).items()}
    shapes |= {f"mlp.{name}": one for name, one in stack_shapes(TEXT_WIDTH).items()}
    # Saved with the model, though its score needs neither.
    shapes |= {"blip.vision_proj.weight": (4, BLIP_WIDTH), "blip.vision_proj.bias": (4,)}
    shapes |= {"blip.text_proj.weight": (4, TEXT_WIDTH), "blip.text_proj.bias": (4,)}
    positions = {"blip.text_encoder.embeddings.position_ids": torch.arange(TEXT_POSITIONS)[None]}
    torch.save(random_weights(shapes, seed=seed) | positions, folder / "ImageReward.pt")
    settings = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": num_words,
        "hidden_size": TEXT_WIDTH,
        "num_hidden_layers": TEXT_LAYERS,
        "num_attention_heads": TEXT_HEADS,
        "intermediate_size": TEXT_INNER,
        "max_position_embeddings": TEXT_POSITIONS,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
        "add_cross_attention": True,
        # As in the published file: not the width that is used, the image transformer's is.
        "encoder_width": TEXT_WIDTH,
    }
    write_json(folder / "med_config.json", settings)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    write_json(folder / "tokenizer_config.json", {"do_lower_case": True})


def random_weights(shapes: Shapes, *, seed: int) -> dict[str, "torch.Tensor"]:
    """Weights that keep the size of what flows through; gains are near 1, scores near 5."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        noise = torch.randn(shape, generator=generator)
        if len(shape) > 1:
            weights[name] = noise / math.prod(shape[1:]) ** 0.5
        else:
            gain = "norm" in name.lower() and name.endswith("weight")
            offset = TYPICAL_SCORE if shape == (1,) else float(gain)
            weights[name] = 0.3 * noise + offset
    return weights


def stack_shapes(width: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the five linear layers on embeddings of that width."""
    shapes: dict[str, tuple[int, ...]] = {}
    below = width
    for place, above in zip((0, 2, 4, 6, 7), STACK_WIDTHS, strict=True):
        shapes |= _linear(f"layers.{place}", above, below)
        below = above
    return shapes


def _vision_shapes() -> dict[str, tuple[int, ...]]:
    width, patches = BLIP_WIDTH, (BLIP_IMAGE // BLIP_PATCH) ** 2
    shapes: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, patches + 1, width),
        "patch_embed.proj.weight": (width, 3, BLIP_PATCH, BLIP_PATCH),
        "patch_embed.proj.bias": (width,),
    }
    for block in (f"blocks.{number}" for number in range(BLIP_LAYERS)):
        shapes |= _norm(f"{block}.norm1", width) | _norm(f"{block}.norm2", width)
        shapes |= _linear(f"{block}.attn.qkv", 3 * width, width)
        shapes |= _linear(f"{block}.attn.proj", width, width)
        shapes |= _linear(f"{block}.mlp.fc1", 2 * width, width)
        shapes |= _linear(f"{block}.mlp.fc2", width, 2 * width)
    return shapes | _norm("norm", width)


def _text_shapes(num_words: int) -> dict[str, tuple[int, ...]]:
    width = TEXT_WIDTH
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (num_words, width),
        "embeddings.position_embeddings.weight": (TEXT_POSITIONS, width),
    }
    shapes |= _norm("embeddings.LayerNorm", width)
    for layer in (f"encoder.layer.{number}" for number in range(TEXT_LAYERS)):
        for attention, read in (("attention", width), ("crossattention", BLIP_WIDTH)):
            shapes |= _linear(f"{layer}.{attention}.self.query", width, width)
            shapes |= _linear(f"{layer}.{attention}.self.key", width, read)
            shapes |= _linear(f"{layer}.{attention}.self.value", width, read)
            shapes |= _linear(f"{layer}.{attention}.output.dense", width, width)
            shapes |= _norm(f"{layer}.{attention}.output.LayerNorm", width)
        shapes |= _linear(f"{layer}.intermediate.dense", TEXT_INNER, width)
        shapes |= _linear(f"{layer}.output.dense", width, TEXT_INNER)
        shapes |= _norm(f"{layer}.output.LayerNorm", width)
    return shapes


def _linear(name: str, above: int, below: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (above, below), f"{name}.bias": (above,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def write_json(path: Path, content: object) -> None:
    """Write a value as JSON."""
    path.write_text(json.dumps(content), encoding="utf-8")
