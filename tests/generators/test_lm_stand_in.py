"""The stand-in for a published language model is read and used like one."""

from pathlib import Path

import pyarrow as pa
import pytest

from data.published_weights import PublishedWeights
from data.python_docs import PythonDocs
from generators.causal_lm import CausalLm
from generators.causal_lm_config import CausalLmConfig, Generation, PublishedModel
from generators.causal_lm_initial import CausalLmInitial
from generators.lm_stand_in import stand_in_folder, write_stand_in

QWEN = PublishedWeights(repo="Qwen/Qwen2.5-1.5B", revision="0" * 40)


def test_it_answers_chats_in_place_of_the_published_model() -> None:
    config = CausalLmConfig(
        model=PublishedModel(weights=QWEN.stand_in),
        prompt_format="chat",
        generation=Generation(max_new_tokens=6),
    )
    model = CausalLm.initial(config, CausalLmInitial(corpus=PythonDocs()), seed=0)
    answers = model.sample(2, seed=0, prompts=pa.table({"prompt": ["Why?", "How?"]}))
    assert answers["prompt"].to_pylist() == ["Why?", "How?"]
    asked = model.tokenizer.decode([model.tokenizer.chat("Why?")])
    assert asked == ["user: Why?\nassistant: "]


def test_it_is_the_same_at_every_call_and_written_once(tmp_path: Path) -> None:
    write_stand_in(tmp_path)
    written = stand_in_folder()
    assert stand_in_folder() is written
    for path in tmp_path.iterdir():
        assert (written / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("largest_file", ["20KB"])
def test_it_can_lie_in_several_files(tmp_path: Path, largest_file: str) -> None:
    write_stand_in(tmp_path, largest_file=largest_file)
    assert (tmp_path / "model.safetensors.index.json").is_file()
