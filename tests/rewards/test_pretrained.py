import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertForSequenceClassification, utils

from data.errors import EnvironmentProblem
from rewards.pretrained import load_pretrained
from rewards.tiny_text_models import write_sequence_classifier


def loaded(folder: Path) -> Any:
    return load_pretrained(
        BertForSequenceClassification, folder, dtype=torch.float64, device="cpu", noun="judge"
    )


def test_a_model_is_loaded_in_its_precision_without_a_word_whatever_else_lies_there(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_sequence_classifier(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    save_file(state | {"another.head": torch.ones(2)}, tmp_path / "model.safetensors")
    level = utils.logging.get_verbosity()
    model = loaded(tmp_path)
    assert not model.training
    assert model.classifier.weight.dtype == torch.float64
    assert torch.equal(model.classifier.weight.float(), state["classifier.weight"])
    assert capfd.readouterr() == ("", "")
    assert utils.logging.get_verbosity() == level


def test_missing_weights_and_other_shapes_are_refused(tmp_path: Path) -> None:
    write_sequence_classifier(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    del state["classifier.bias"]
    save_file(state, tmp_path / "model.safetensors", {"format": "pt"})
    message = r"expected the weights of the judge that its .* got no classifier.bias \(1 missing\)"
    with pytest.raises(EnvironmentProblem, match=message):
        loaded(tmp_path)
    write_sequence_classifier(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"vocab_size": 7}))
    with pytest.raises(EnvironmentProblem, match="expected the weights of the judge that its"):
        loaded(tmp_path)


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    write_sequence_classifier(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(EnvironmentProblem, match=r"expected the weights of the judge .* again$"):
        loaded(tmp_path)


def test_a_lack_of_memory_is_no_fault_of_the_files(tmp_path: Path) -> None:
    class Huge:
        @staticmethod
        def from_pretrained(*_: object, **__: object) -> None:
            torch.empty(2**60)

    with pytest.raises(RuntimeError, match="memory"):
        load_pretrained(Huge, tmp_path, dtype=torch.float32, device="cpu", noun="judge")
