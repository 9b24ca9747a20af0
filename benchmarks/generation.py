"""How fast are texts drawn? Run `python -m benchmarks.generation`.

Tokens a second of our engine over those of transformers' generate, at equal settings, models and
numbers of tokens: nothing ends early, so both draw the same number. First the paper's GPT-2 on the
CPU in single precision, one thread; where there is a GPU also there, beside the static cache, and a
1.5B Qwen2.5 architecture in bfloat16. All weights are random, with the last layer's scale raised
until the drawn distribution is about as flat as a trained model's, since a flat one has no small
nucleus: its entropy and the share of rows sorted fully are printed. The engines take turns; median.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig

from data.compute import Compute
from data.torch_session import torch_session
from generators import nucleus
from generators.causal_lm_config import Generation, ScratchModel
from generators.lm_generation import draw_texts
from generators.lm_model import model_with, random_weights, scratch_facts

VOCABULARY, END = 50_257, 50_256
QWEN = ScratchModel(
    model_type="qwen2",
    settings={
        "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28,
        "num_attention_heads": 12, "num_key_value_heads": 2, "max_position_embeddings": 32_768,
        "tie_word_embeddings": True, "rms_norm_eps": 1e-6,
    },
)  # fmt: skip
QWEN_VOCABULARY, QWEN_END = 151_936, 151_643


def network(
    scratch: ScratchModel, num_tokens: int, end: int, sharpness: float, dtype: Any, device: str
) -> Any:
    """A random model whose logits have `sharpness` as deviation."""
    facts = scratch_facts(scratch, num_tokens=num_tokens, end_of_text=end)
    model: Any = model_with(facts, random_weights(facts, seed=0), dtype=dtype, device=device)
    norm = model.transformer.ln_f if scratch.model_type == "gpt2" else model.model.norm
    ids = torch.arange(64, device=device)[:, None]
    with torch.no_grad():
        norm.weight *= sharpness / model(ids).logits.float().std()
        # Never drawn, so that every text has its full length.
        model.get_input_embeddings().weight[end] *= 0
    return model


def flatness(model: Any, generation: Generation, device: str) -> tuple[float, float]:
    """Entropy in nats of the next token, and share of rows whose nucleus needs a full sort."""
    ids = torch.arange(256, device=device)[:, None] + 100
    with torch.inference_mode():
        scaled = model(ids).logits[:, -1].float() / generation.temperature
    chances = scaled.double().softmax(1)
    entropy = float(-(chances * chances.clamp_min(1e-300).log()).sum(1).mean())
    largest = chances.topk(max(nucleus.NUM_LIKELY), dim=1).values.sum(1)
    return entropy, float((largest < generation.top_p).double().mean())


def seconds(call: Callable[[], Any], device: str) -> float:
    """Wall time of one call, the device's work included."""
    begin = time.perf_counter()
    call()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def compare(
    name: str, model: Any, generation: Generation, end: int, repeats: int, static: bool
) -> None:
    """Print tokens a second of both engines and their ratio."""
    device = next(model.parameters()).device.type
    contexts = [[end]] * generation.batch_size
    tokens = generation.batch_size * generation.max_new_tokens
    settings_class: Any = GenerationConfig  # has no types
    settings = settings_class(
        do_sample=True, temperature=generation.temperature, top_p=generation.top_p, top_k=0,
        max_new_tokens=generation.max_new_tokens, min_new_tokens=None, eos_token_id=None,
        pad_token_id=end, cache_implementation="static" if static else None,
    )  # fmt: skip
    ids = torch.full((generation.batch_size, 1), end, device=device)

    def ours() -> None:
        texts = draw_texts(model, contexts, generation, end_of_text={end}, seed=0)
        assert sum(len(one) for one in texts.token_ids) == tokens

    def theirs() -> None:
        drawn = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=settings)
        assert drawn.shape[1] == 1 + generation.max_new_tokens

    pairs = []
    with torch.inference_mode():
        for repeat in range(repeats + 1):
            if repeat % 2:
                pair = seconds(ours, device), seconds(theirs, device)
            else:
                late = seconds(theirs, device)
                pair = seconds(ours, device), late
            if repeat:  # the first call of each warms up
                pairs.append(pair)
    entropy, sorted_share = flatness(model, generation, device)
    print(
        f"{name}, batch {generation.batch_size}, {generation.max_new_tokens} tokens, "
        f"{'static' if static else 'growing'} cache: "
        f"ours {tokens / statistics.median(one for one, _ in pairs):.0f} tokens/s, transformers "
        f"{tokens / statistics.median(other for _, other in pairs):.0f} tokens/s, ratio "
        f"{statistics.median(other / one for one, other in pairs):.2f} "
        f"(entropy {entropy:.1f} nats, {sorted_share:.0%} sorted fully)",
        flush=True,
    )


def main() -> None:
    """Measure every case there is a device for."""
    parser = argparse.ArgumentParser(description="Time generation against transformers.")
    parser.add_argument("--repeats", type=int, default=5, help="timed calls of each engine")
    parser.add_argument("--tokens", type=int, default=64, help="new tokens of a text")
    parser.add_argument("--sharpness", type=float, default=3.0, help="deviation of the logits")
    options = parser.parse_args()
    np.seterr(all="raise")
    generation = Generation(batch_size=64, max_new_tokens=options.tokens)
    with torch_session(Compute("cpu", 1)):
        model = network(ScratchModel(), VOCABULARY, END, options.sharpness, torch.float32, "cpu")
        compare("GPT-2 on the CPU", model, generation, END, options.repeats, static=False)
    if not torch.cuda.is_available():
        print("no GPU here")
        return
    with torch_session(Compute("cuda", 1, deterministic=False)):
        for scratch, size, end, name in (
            (ScratchModel(), VOCABULARY, END, "GPT-2"),
            (QWEN, QWEN_VOCABULARY, QWEN_END, "Qwen2.5-1.5B"),
        ):
            torch.cuda.reset_peak_memory_stats()
            model = network(scratch, size, end, options.sharpness, torch.bfloat16, "cuda")
            for static in (False, True):
                compare(f"{name} on the GPU", model, generation, end, options.repeats, static)
            used = torch.cuda.max_memory_allocated() / 2**30
            print(f"{name}: at most {used:.1f} GiB of the GPU's memory", flush=True)


if __name__ == "__main__":
    main()
