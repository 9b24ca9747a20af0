from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from data.compute import Compute, computing
from data.errors import ConfigError, StageFailed
from data.texts import text_table
from rewards.text_examples import random_conversations
from rewards.text_scoring import (
    Batch,
    BatchedTextScorer,
    Encoded,
    TextModel,
    at_least_single,
    dtype_of,
    last_places,
    load_tokenizer,
    padded,
    without_special,
)
from rewards.tiny_models import stand_in_folder


def texts(*those: str) -> pa.Table:
    ids = [np.zeros(0, np.int32)] * len(those)
    return text_table(ids, those, np.ones(len(those), bool))


class Loads:
    """Loads a model that adds up the letters of prompt and text, and remembers its batches."""

    def __init__(self, padding: int | None = 99, max_tokens: int = 1000) -> None:
        self.devices: list[str] = []
        self.shapes: list[tuple[int, ...]] = []
        self._padding, self._max_tokens = padding, max_tokens

    def __call__(self, device: str) -> TextModel:
        self.devices.append(device)

        def encode(prompt: str | None, text: str) -> Encoded:
            letters = [ord(letter) for letter in (prompt or "") + text]
            return {"input_ids": [1, *letters], "token_type_ids": [5] * (1 + len(letters))}

        def score(batch: Batch) -> torch.Tensor:
            assert torch.is_inference_mode_enabled()
            ids, mask = batch["input_ids"], batch["attention_mask"].bool()
            self.shapes.append(tuple(ids.shape))
            assert (ids[~mask] == 99).all() and (batch["token_type_ids"][~mask] == 0).all()
            assert (batch["token_type_ids"][mask] == 5).all()
            return (ids * mask).sum(dim=1).float()

        return TextModel(encode, score, self._max_tokens, self._padding)


def letters(*those: str) -> list[int]:
    return [1 + sum(map(ord, text)) for text in those]


def test_texts_of_like_length_share_a_batch_and_scores_keep_the_order() -> None:
    loads = Loads()
    scorer = BatchedTextScorer("reward sum", 2, loads, needs_prompts=False)
    those = ("bb", "a", "dddd", "", "ccc")
    scores = scorer(texts(*those))
    np.testing.assert_array_equal(scores, letters(*those))
    assert scores.dtype == np.float64
    assert loads.shapes == [(2, 5), (2, 3), (1, 1)]
    scorer(texts(*those))
    assert loads.devices == ["cpu"], "loaded once"


def test_prompts_are_read_where_there_are_any() -> None:
    samples = random_conversations(20, seed=1)
    found = BatchedTextScorer("reward sum", 3, Loads())(samples)
    pairs = zip(samples["prompt"].to_pylist(), samples["text"].to_pylist(), strict=True)
    np.testing.assert_array_equal(found, letters(*(prompt + text for prompt, text in pairs)))


def test_a_model_without_padding_reads_one_text_at_a_time() -> None:
    loads = Loads(padding=None)
    scorer = BatchedTextScorer("reward sum", 8, loads, needs_prompts=False)
    np.testing.assert_array_equal(scorer(texts("a", "bb")), letters("a", "bb"))
    assert loads.shapes == [(1, 3), (1, 2)]


def test_another_device_loads_the_model_again() -> None:
    loads = Loads()
    scorer = BatchedTextScorer("reward sum", 4, loads, needs_prompts=False)
    scorer(texts("a"))
    with computing(Compute(device="meta")), pytest.raises(RuntimeError):
        scorer(texts("a"))
    assert loads.devices == ["cpu", "meta"]


def test_nothing_is_loaded_for_no_texts() -> None:
    loads = Loads()
    assert BatchedTextScorer("reward sum", 4, loads)(random_conversations(0, seed=0)).shape == (0,)
    assert loads.devices == []


def test_a_text_that_is_too_long_is_refused_by_its_place_and_never_cut() -> None:
    scorer = BatchedTextScorer("reward sum", 4, Loads(max_tokens=4), needs_prompts=False)
    assert scorer(texts("abc")).tolist() == letters("abc")
    with pytest.raises(
        ConfigError,
        match=r"expected at most 4 tokens, .*, got 5 in row 1 of 3 scored together; lower",
    ):
        scorer(texts("abc", "abcd", "abcdefg"))


def test_samples_without_texts_or_needed_prompts_are_refused() -> None:
    with pytest.raises(ConfigError, match="reward sum: expected samples with a column 'text'"):
        BatchedTextScorer("reward sum", 4, Loads())(pa.table({"x": [1.0]}))
    with pytest.raises(ConfigError, match="reward sum: expected samples with a column 'prompt'"):
        BatchedTextScorer("reward sum", 4, Loads())(texts("a"))


def failing_scorer(fail: Callable[[], torch.Tensor]) -> BatchedTextScorer:
    def load(_device: str) -> TextModel:
        return TextModel(
            lambda _prompt, text: {"input_ids": [1] * len(text)}, lambda _batch: fail(), 10
        )

    return BatchedTextScorer("reward sum", 4, load, needs_prompts=False)


def full_gpu() -> torch.Tensor:
    raise torch.OutOfMemoryError("CUDA out of memory.")


def wrong_shapes() -> torch.Tensor:
    return torch.ones(2) + torch.ones(3)


@pytest.mark.parametrize("fail", [full_gpu, lambda: torch.empty(2**60)], ids=["GPU", "CPU"])
def test_a_batch_that_does_not_fit_into_memory_says_which_setting_to_change(
    fail: Callable[[], torch.Tensor],
) -> None:
    with pytest.raises(StageFailed, match=r"expected 2 texts of 3 tokens .* lower batch_size of"):
        failing_scorer(fail)(texts("abc", "ab"))


def test_another_error_of_a_model_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="must match the size"):
        failing_scorer(wrong_shapes)(texts("abc"))


def test_rows_are_filled_up_on_the_right() -> None:
    batch = padded([{"input_ids": [7, 8, 9]}, {"input_ids": [5]}], 0, "cpu")
    assert batch["input_ids"].tolist() == [[7, 8, 9], [5, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert last_places(batch).tolist() == [2, 0]


def test_automatic_precision_is_single_on_a_cpu_and_bfloat16_on_a_gpu_that_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert dtype_of("auto", "cpu") == torch.float32
    for has, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda has=has: has)
        assert dtype_of("auto", "cuda") == expected
    named = [dtype_of(one, "cpu") for one in ("fp32", "bf16", "fp64")]
    assert named == [torch.float32, torch.bfloat16, torch.float64]
    assert [at_least_single(one) for one in named] == [torch.float32, torch.float32, torch.float64]


def test_special_tokens_written_out_are_tokens_and_none_is_added() -> None:
    tokenizer = load_tokenizer(stand_in_folder("llama-guard"))
    assert without_special(tokenizer, "<|eot_id|>\n\n") == [128009, 271]
    assert without_special(tokenizer, "") == []


def test_a_tokenizer_runs_no_code_of_its_folder(tmp_path: Path) -> None:
    source = stand_in_folder("llama-guard")
    for name in ("tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    settings = (source / "tokenizer_config.json").read_text()
    mapped = '{"auto_map": {"AutoTokenizer": ["stranger.Tokenizer", null]}, '
    (tmp_path / "tokenizer_config.json").write_text(mapped + settings[1:])
    (tmp_path / "stranger.py").write_text("raise AssertionError('was run')\n")
    assert without_special(load_tokenizer(tmp_path), "safe") == [19193]
