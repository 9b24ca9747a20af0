"""Stand-in for a published language model: a tiny random one in the published layout.

For tests, and for a dry run of a configuration on a machine without the weights. What it writes
means nothing.
"""

import atexit
import functools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from data.canonical import canonical_json
from data.corpora import load_corpus
from data.python_docs import PythonDocs
from data.text_tokenizer import train_bpe
from generators.causal_lm_config import ScratchModel
from generators.lm_model import model_with, quiet_transformers, random_weights, scratch_facts

NUM_TOKENS = 512
MODEL = ScratchModel(
    model_type="qwen2",
    settings={
        "num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 64,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 1024,
        "tie_word_embeddings": True,
    },
)  # fmt: skip
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


@functools.cache
def stand_in_folder() -> Path:
    """Folder with the stand-in, written once a process and removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="pluralist-stand-in-language-model-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_stand_in(folder)
    return folder


def write_stand_in(folder: Path, *, largest_file: str = "1GB", seed: int = 0) -> None:
    """Write a model, in files of at most `largest_file`, and its tokenizer with a template."""
    import torch

    tokenizer = train_bpe(load_corpus(PythonDocs(), "train")[:20], NUM_TOKENS)
    facts = scratch_facts(MODEL, num_tokens=tokenizer.size, end_of_text=tokenizer.end_of_text)
    model: Any = model_with(
        facts, random_weights(facts, seed=seed), dtype=torch.float32, device="cpu"
    )
    with quiet_transformers():
        model.save_pretrained(folder, max_shard_size=largest_file)
    tokenizer.save(folder)
    settings = folder / "tokenizer_config.json"
    with_template = json.loads(settings.read_bytes()) | {"chat_template": CHAT_TEMPLATE}
    settings.write_bytes(canonical_json(with_template) + b"\n")
