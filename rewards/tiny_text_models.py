"""Stand-ins for the learned text rewards, with tokenizers that have the published special tokens.

The ids that the published models look for are theirs; between them the vocabulary is empty.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.sharded_weights import INDEX, SINGLE
from rewards.tiny_models import LETTERS, random_weights, write_json

if TYPE_CHECKING:
    import torch

# Llama 3's own: words that a reward looks for, and its special tokens.
LLAMA_WORDS = {"ĊĊ": 271, "user": 882, "safe": 19193, "unsafe": 39257, "assistant": 78191}
LLAMA_MARKS = {
    "<|begin_of_text|>": 128000,
    "<|end_of_text|>": 128001,
    "<|start_header_id|>": 128006,
    "<|end_header_id|>": 128007,
    "<|eot_id|>": 128009,
    "[PAD]": 128256,
}
# How Llama 3 cuts a text into pieces before it looks them up.
LLAMA_PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT = (
    "{% for message in messages %}{% if loop.first %}{{ bos_token }}{% endif %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' "
    "+ message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
)
# As published, the content of a message is a list of parts, and no line follows the last mark.
GUARD = (
    "{{ '<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nJudge.\n\n' }}"
    "{% for message in messages %}{% set who = 'User' if message['role'] == 'user' else 'Agent' %}"
    "{% for part in message['content'] | selectattr('type', 'equalto', 'text') %}"
    "{{ who + ': ' + part['text'] | trim + '\n\n' }}{% endfor %}{% endfor %}"
    "{{ 'Is it safe? <|eot_id|><|start_header_id|>assistant<|end_header_id|>' }}"
)
LLAMA_SIZES: dict[str, Any] = {
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": LLAMA_MARKS["[PAD]"] + 1,
    "max_position_embeddings": 512,
    "bos_token_id": LLAMA_MARKS["<|begin_of_text|>"],
    "eos_token_id": LLAMA_MARKS["<|eot_id|>"],
}
NUM_OBJECTIVES, GATING_WIDTH, GATING_LAYERS = 19, 12, 3
BERT_LABELS = 3


def write_armo_rm(folder: Path, *, seed: int = 0) -> None:
    """ArmoRM: Llama, 19 heads, gating layers and the transformation, in two shards."""
    from transformers import LlamaConfig, LlamaModel

    width = LLAMA_SIZES["hidden_size"]
    settings: dict[str, Any] = {
        "num_objectives": NUM_OBJECTIVES,
        "gating_temperature": 10,
        "gating_hidden_dim": GATING_WIDTH,
        "gating_n_hidden": GATING_LAYERS,
        "pad_token_id": LLAMA_MARKS["[PAD]"],
        # As in the published file; the code it names is never run.
        "auto_map": {"AutoModelForSequenceClassification": "modeling_custom.WithGating"},
    }
    config = LlamaConfig(**LLAMA_SIZES, **settings)
    shapes = {f"model.{name}": shape for name, shape in _shapes(LlamaModel, config).items()}
    shapes["regression_layer.weight"] = (NUM_OBJECTIVES, width)
    shapes["reward_transform_matrix"] = (NUM_OBJECTIVES, NUM_OBJECTIVES)
    shapes["gating.logit_scale"] = (1,)
    widths = [width, *[GATING_WIDTH] * GATING_LAYERS, NUM_OBJECTIVES]
    for place, (below, above) in enumerate(pairwise(widths)):
        shapes[f"gating.layers.{place}.weight"] = (above, below)
        shapes[f"gating.layers.{place}.bias"] = (above,)
    config.architectures = ["LlamaForRewardModelWithGating"]
    config.save_pretrained(folder)
    write_shards(folder, random_weights(shapes, seed=seed))
    write_llama_tokenizer(folder, CHAT)


def write_llama_guard(folder: Path, *, seed: int = 0) -> None:
    """Llama-Guard-3-1B: a Llama that writes, in one file."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(**LLAMA_SIZES, tie_word_embeddings=False)
    write_model_file(folder, LlamaForCausalLM, config, seed=seed)
    write_llama_tokenizer(folder, GUARD)


def write_sequence_classifier(folder: Path, *, seed: int = 0) -> None:
    """A BERT with three labels, in one file, and its tokenizer."""
    from transformers import BertConfig, BertForSequenceClassification

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*marks, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=20,
        max_position_embeddings=512,
    )
    config.num_labels = BERT_LABELS
    write_model_file(folder, BertForSequenceClassification, config, seed=seed)
    _write_bert_tokenizer(folder, words)


def write_model_file(folder: Path, model_class: Any, config: Any, *, seed: int) -> None:
    """config.json and model.safetensors of a transformers class with random weights."""
    from safetensors.torch import save_file

    config.architectures = [model_class.__name__]
    config.save_pretrained(folder)
    weights = random_weights(_shapes(model_class, config), seed=seed)
    save_file(weights, folder / SINGLE, {"format": "pt"})


def write_shards(folder: Path, weights: Mapping[str, "torch.Tensor"]) -> None:
    """The weights in two files, every other one in the second, and their index."""
    from safetensors.torch import save_file

    names = sorted(weights)
    files: dict[str, str] = {}
    for number in (1, 2):
        file = f"model-{number:05}-of-00002.safetensors"
        part = {name: weights[name] for name in names[number - 1 :: 2]}
        save_file(part, folder / file, {"format": "pt"})
        files |= dict.fromkeys(part, file)
    size = sum(tensor.nbytes for tensor in weights.values())
    content = {"metadata": {"total_size": size}, "weight_map": dict(sorted(files.items()))}
    write_json(folder / INDEX, content)


def write_llama_tokenizer(folder: Path, template: str) -> None:
    """tokenizer.json and tokenizer_config.json: single bytes, Llama 3's marks, a chat template."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, pre_tokenizers, processors
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel

    singles = {byte: number for number, byte in enumerate(sorted(ByteLevel.alphabet()))}
    # Whole pieces are looked up before merges, as in Llama 3; so a word needs none.
    model = BPE(singles | LLAMA_WORDS | LLAMA_MARKS, [], ignore_merges=True)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA_PIECES), "isolated"),
            ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in LLAMA_MARKS])
    start = "<|begin_of_text|>"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A", special_tokens=[(start, LLAMA_MARKS[start])]
    )
    assert tokenizer.token_to_id("<|eot_id|>") == LLAMA_MARKS["<|eot_id|>"]
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": start,
        "eos_token": "<|eot_id|>",
        "chat_template": template,
        "clean_up_tokenization_spaces": False,
    }
    write_json(folder / "tokenizer_config.json", settings)


def _write_bert_tokenizer(folder: Path, words: list[str]) -> None:
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece

    numbers = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(WordPiece(numbers, unk_token="[UNK]"))  # noqa: S106 - no password
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", numbers["[CLS]"]), ("[SEP]", numbers["[SEP]"])],
    )
    tokenizer.add_special_tokens(words[:5])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings: dict[str, object] = {"tokenizer_class": "BertTokenizer", "model_max_length": 512}
    marks = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
    marks |= {"sep_token": "[SEP]", "mask_token": "[MASK]"}
    write_json(folder / "tokenizer_config.json", settings | marks)


def _shapes(model_class: Any, config: Any) -> dict[str, tuple[int, ...]]:
    import torch

    with torch.device("meta"):
        model = model_class(config)
    return {
        name: tuple(tensor.shape)
        for name, tensor in model.state_dict().items()
        if tensor.is_floating_point()
    }
