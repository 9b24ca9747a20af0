"""What does our training cost beside a bare loop? Run `python -m benchmarks.fine_tuning`.

Seconds a step of `fine_tune` on the paper's GPT-2 (6 layers, 384 wide, 50,257 tokens, batch 8)
over those of a loop of torch and transformers alone: the same texts in the same order, padded on
the right with a mask, the loss transformers computes from labels, clipping, AdamW. Both take turns
in one process; the median of paired ratios. Texts of one length show what our loop adds; with texts
of many lengths we also leave out the logits of padding. `--device cuda` for a GPU, in bfloat16.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from data.compute import Compute
from data.torch_session import torch_session
from generators.causal_lm_config import PAPER_GPT2, FineTuning
from generators.lm_precision import resolved_precision
from generators.lm_rows import NO_TARGET, RowOrder, TokenRow
from generators.lm_training import fine_tune, set_weights, weights_of
from generators.network_precision import computing_in

VOCABULARY = 50_257
LENGTHS = {"32 tokens": (32, 32), "2 to 64 tokens": (2, 64)}


def paper_gpt2() -> Any:
    """The paper's GPT-2 with random weights."""
    from transformers import GPT2Config, GPT2LMHeadModel

    settings: dict[str, Any] = {"vocab_size": VOCABULARY, **PAPER_GPT2}
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(**settings))


def random_texts(num_texts: int, shortest: int, longest: int) -> list[TokenRow]:
    """Texts of random tokens, their lengths uniform."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(shortest, longest, size=num_texts, endpoint=True)
    return [TokenRow(rng.integers(VOCABULARY, size=n).astype(np.int32), 1) for n in lengths]


def bare_loop(
    model: Any, rows: Sequence[TokenRow], tuning: FineTuning, precision: dict[str, str], device: str
) -> list[float]:
    """Losses of a loop as one would write it."""
    model.to(device).train()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=tuning.learning_rate, weight_decay=tuning.weight_decay, fused=True
    )
    order = RowOrder(len(rows), tuning.batch_size, tuning.num_epochs, seed=0)
    losses = []
    for step in range(order.num_steps):
        texts = [torch.from_numpy(rows[index].ids).long() for index in order.rows(step)]
        ids = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)
        mask = torch.nn.utils.rnn.pad_sequence(
            [torch.ones_like(one) for one in texts], batch_first=True
        )
        labels = ids.masked_fill(mask == 0, NO_TARGET)
        ids, mask, labels = ids.to(device), mask.to(device), labels.to(device)
        with computing_in(precision, device, autocast=True):
            loss = model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss
            loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), tuning.clip)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
    return [float(loss) for loss in losses]


def timed(device: str, call: Any) -> float:
    """Seconds of one call, to the end of the device's work."""
    begin = time.perf_counter()
    call()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def measure(
    lengths: tuple[int, int], tuning: FineTuning, steps: int, repeats: int, device: str
) -> tuple[float, float, float]:
    """Median seconds a step of ours and of the bare loop, median ratio."""
    rows = random_texts(steps * tuning.batch_size, *lengths)
    precision = resolved_precision("auto", device)
    model = paper_gpt2()
    start = {name: weight.clone() for name, weight in weights_of(model).items()}

    def ours() -> None:
        fine_tune(model, rows, tuning, precision=precision, seed=0)

    def bare() -> None:
        bare_loop(model, rows, tuning, precision, device)

    pairs = []
    for repeat in range(repeats + 1):
        turn = {}
        # Either goes first in every other turn, since the first of two may find a colder cache.
        for call in (ours, bare) if repeat % 2 else (bare, ours):
            set_weights(model, start)
            turn[call] = timed(device, call) / steps
        if repeat:
            pairs.append((turn[ours], turn[bare]))
    return (
        statistics.median(mine for mine, _ in pairs),
        statistics.median(theirs for _, theirs in pairs),
        statistics.median(mine / theirs for mine, theirs in pairs),
    )


def main() -> None:
    """Measure texts of one length and of many, and print the table."""
    parser = argparse.ArgumentParser(description="Time fine-tuning against a bare loop.")
    parser.add_argument("--repeats", type=int, default=5, help="interleaved repeats of a case")
    parser.add_argument("--steps", type=int, default=6, help="optimizer steps of a turn")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"], help="where")
    options = parser.parse_args()
    tuning = FineTuning(num_epochs=1)
    print(f"one thread, {options.device}, median of {options.repeats} turns of {options.steps}")
    print(f"{'texts':>15} {'ours, s/step':>13} {'bare, s/step':>13} {'ratio':>6}")
    with torch_session(Compute(options.device, 1, deterministic=False)):
        for name, lengths in LENGTHS.items():
            mine, theirs, ratio = measure(
                lengths, tuning, options.steps, options.repeats, options.device
            )
            print(f"{name:>15} {mine:>13.3f} {theirs:>13.3f} {ratio:>6.3f}", flush=True)


if __name__ == "__main__":
    main()
