"""Engines that draw texts: ours, transformers' generate, vLLM."""

import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import EnvironmentProblem
from generators.causal_lm_config import Generation
from generators.lm_evaluation import fitting_into_memory
from generators.lm_generation import (
    BATCH_SIZE,
    Completions,
    cut_at_end,
    diverged,
    draw_texts,
    in_batches,
    padded,
)

if TYPE_CHECKING:
    import torch

Engine = Callable[..., Completions]


def find_engine(generation: Generation) -> Engine:
    """The configured engine, called as `draw_texts`.

    Raises `EnvironmentProblem` for vllm where it is not installed.
    """
    if generation.engine == "vllm":
        check_vllm()
    engines: dict[str, Engine] = {
        "own": draw_texts,
        "transformers": draw_with_transformers,
        "vllm": draw_with_vllm,
    }
    return engines[generation.engine]


def draw_with_transformers(
    model: "torch.nn.Module",
    contexts: Sequence[Sequence[int]],  # n
    generation: Generation,
    *,
    end_of_text: Collection[int],
    seed: int,
) -> Completions:
    """One text a context by `generate`; random numbers belong to a batch, not to a row.

    Equal seeds give equal texts for equal batches only. Raises `BadNumbers` for logits that are
    not finite, `StageFailed` where memory is not enough.
    """
    import torch
    from transformers import GenerationConfig

    generate: Any = model.generate
    settings_class: Any = GenerationConfig  # has no types
    device = next(model.parameters()).device
    stops = sorted(end_of_text)
    settings = settings_class(
        do_sample=True,
        temperature=generation.temperature,
        top_p=generation.top_p,
        top_k=0,
        max_new_tokens=generation.max_new_tokens,
        eos_token_id=stops,
        pad_token_id=stops[0],
    )
    texts = Completions([np.empty(0, np.int32)] * len(contexts), np.zeros(len(contexts), np.bool_))
    used = [] if device.type == "cpu" else [device]
    for number, rows in enumerate(in_batches(contexts, generation.batch_size)):
        ids, real = padded([contexts[row] for row in rows], stops[0])
        words = np.random.SeedSequence(seed, spawn_key=(number,)).generate_state(1, np.uint64)
        with torch.random.fork_rng(devices=used), fitting_into_memory(BATCH_SIZE):
            torch.manual_seed(int(words[0] >> np.uint64(1)))
            whole = generate(
                torch.from_numpy(ids).to(device),
                attention_mask=torch.from_numpy(real).long().to(device),
                generation_config=settings,
                logits_processor=[_refuse_bad_logits],
            )
        drawn, ended = cut_at_end(whole[:, ids.shape[1] :].cpu().numpy(), stops)
        for row, one, end in zip(rows, drawn, ended, strict=True):
            texts.token_ids[row], texts.finished[row] = one, end
    return texts


def _refuse_bad_logits(_: "torch.Tensor", logits: "torch.Tensor") -> "torch.Tensor":
    # What nucleus sampling leaves out is -inf by now.
    if bool((logits.isnan() | logits.isposinf()).any()):
        raise diverged()
    return logits


def check_vllm() -> None:
    """Raise `EnvironmentProblem` unless vllm can be imported."""
    try:
        import vllm  # type: ignore[import-not-found]  # noqa: F401
    except (ImportError, OSError) as error:
        raise EnvironmentProblem(
            f"generator.generation.engine: expected vllm to be importable, got: {error}; run "
            "`pip install vllm` where there is a GPU, or set it to own or transformers"
        ) from error


def draw_with_vllm(
    model: "torch.nn.Module",
    contexts: Sequence[Sequence[int]],  # n
    generation: Generation,
    *,
    end_of_text: Collection[int],
    seed: int,
) -> Completions:
    """One text a context by vLLM, every row with a seed of its own.

    vLLM decides itself how many rows go together, so `batch_size` has no effect, and equal seeds
    give texts of equal law, but not always equal texts. Raises as `check_vllm`.
    """
    check_vllm()
    from vllm import LLM, SamplingParams

    stops = sorted(end_of_text)
    settings = [
        SamplingParams(
            temperature=generation.temperature,
            top_p=generation.top_p,
            max_tokens=generation.max_new_tokens,
            stop_token_ids=stops,
            detokenize=False,
            seed=int(np.random.SeedSequence(seed, spawn_key=(row,)).generate_state(1)[0]),
        )
        for row in range(len(contexts))
    ]
    prompts = [{"prompt_token_ids": list(context)} for context in contexts]
    with tempfile.TemporaryDirectory(prefix="pluralist-vllm-") as folder:
        save: Any = model.save_pretrained
        save(Path(folder))
        weights = str(next(model.parameters()).dtype).removeprefix("torch.")
        served = LLM(model=folder, skip_tokenizer_init=True, dtype=weights, seed=0)
        answers = served.generate(prompts, settings, use_tqdm=False)
    token_ids, finished = [], []
    for answer in answers:
        ids = [token for token in answer.outputs[0].token_ids if token not in stops]
        token_ids.append(np.array(ids, np.int32))
        finished.append(answer.outputs[0].finish_reason == "stop")
    return Completions(token_ids, np.array(finished, np.bool_))
