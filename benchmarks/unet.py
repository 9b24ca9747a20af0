"""How fast is the paper's U-Net on a GPU? Run `python -m benchmarks.unet`.

Training steps a second of our loop at batch 128 in each precision, beside torchcfm's example loop
re-created (its U-Net, matcher, Adam, clipping and average, images on the GPU), and images a second
of sampling. Prints that there is no GPU where there is none; `--small` times a tiny network on the
CPU, to see that the script works.
"""

import argparse
import copy
import time
from typing import Any

import numpy as np
import torch

from data.compute import Compute
from data.torch_session import torch_session
from generators.cfm_batches import BatchMaker
from generators.cfm_precision import resolved_precision
from generators.cfm_training import train_field
from generators.ot_cfm import OtCfm
from generators.ot_cfm_config import OtCfmConfig, Precision, Sampler, Training, UNetField
from generators.velocity_field import make_field

SMALL = UNetField(channels=32, num_res_blocks=1, channel_mult=(1,), num_head_channels=32)
PRECISIONS: tuple[Precision, ...] = ("fp32", "tf32", "bf16")


def synchronised(device: str) -> float:
    """The present time once the device has done its work."""
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter()


def our_rate(
    config: OtCfmConfig, pixels: torch.Tensor, steps: int, batch: int, device: str
) -> float:
    """Steps a second of `train_field`; the first steps warm up."""
    side = pixels.shape[2]
    precision = resolved_precision(config, device)
    rates = []
    for num_steps in (max(steps // 4, 2), steps):
        batches = BatchMaker(
            pixels, batch, flip=True, coupling=config.coupling, sigma=0.0, seed=0,
            pinned=device != "cpu",
        )  # fmt: skip
        field = make_field(config.field, (side, side, 3), seed=0)
        begin = synchronised(device)
        train_field(field, batches, Training(num_steps=num_steps), precision=precision)
        rates.append(num_steps / (synchronised(device) - begin))
    return rates[-1]


def example_rate(
    config: UNetField, pixels: torch.Tensor, steps: int, batch: int, device: str
) -> float:
    """Steps a second of torchcfm's example."""
    from torchcfm.conditional_flow_matching import ExactOptimalTransportConditionalFlowMatcher

    side = pixels.shape[2]
    field = make_field(config, (side, side, 3), seed=0).to(device)
    average = copy.deepcopy(field)
    optimizer = torch.optim.Adam(field.parameters(), lr=2e-4)
    matcher: Any = ExactOptimalTransportConditionalFlowMatcher(sigma=0.0)
    images = (pixels.float() / 127.5 - 1).to(device)
    begin = 0.0
    warm = max(steps // 4, 2)
    for step in range(warm + steps):
        if step == warm:
            begin = synchronised(device)
        optimizer.zero_grad()
        ends = images[torch.randint(len(images), (batch,), device=device)]
        time_, place, velocity = matcher.sample_location_and_conditional_flow(
            torch.randn_like(ends), ends
        )
        ((field(time_, place) - velocity) ** 2).mean().backward()
        torch.nn.utils.clip_grad_norm_(field.parameters(), 1.0)
        optimizer.step()
        for old, new in zip(average.parameters(), field.parameters(), strict=True):
            old.data.copy_(old.data * 0.9999 + new.data * (1 - 0.9999))
    return steps / (synchronised(device) - begin)


def images_a_second(config: OtCfmConfig, num_samples: int, side: int, device: str) -> float:
    """Images a second of `OtCfm.sample` with ten Euler steps."""
    field = make_field(config.field, (side, side, 3), seed=0)
    weights = {name: weight.detach() for name, weight in field.named_parameters()}
    model = OtCfm(config, (side, side, 3), weights, np.empty(0))
    model.sample(min(num_samples, config.sampler.batch_size), seed=0)
    begin = synchronised(device)
    model.sample(num_samples, seed=0)
    return num_samples / (synchronised(device) - begin)


def main() -> None:
    """Measure every precision and print."""
    parser = argparse.ArgumentParser(description="Time the paper's U-Net.")
    parser.add_argument("--steps", type=int, default=100, help="timed training steps")
    parser.add_argument("--small", action="store_true", help="a tiny network, also on a CPU")
    options = parser.parse_args()
    if not torch.cuda.is_available() and not options.small:
        print("no GPU here")
        return
    device = "cuda" if torch.cuda.is_available() else "cpu"
    field, side, batch, samples = UNetField(), 32, 128, 4096
    if options.small:
        field, side, batch, samples = SMALL, 8, 8, 16
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (2000, 3, side, side), generator=generator, dtype=torch.uint8)
    sampler = Sampler(method="euler", num_steps=10)
    with torch_session(Compute(device, 1, deterministic=False)):
        for precision in PRECISIONS:
            for coupling in ("torchcfm", "assignment"):
                config = OtCfmConfig.model_validate(
                    {"field": field, "precision": precision, "coupling": coupling,
                     "sampler": sampler}
                )  # fmt: skip
                rate = our_rate(config, pixels, options.steps, batch, device)
                print(f"{precision} {coupling:>10}: {rate:.2f} training steps/s", flush=True)
            speed = images_a_second(config, samples, side, device)
            print(f"{precision}: {speed:.1f} images/s at 10 evaluations", flush=True)
        for allowed in (False, True):
            torch.set_float32_matmul_precision("high" if allowed else "highest")
            rate = example_rate(field, pixels, options.steps, batch, device)
            name = "TF32 products" if allowed else "torch's defaults"
            print(f"torchcfm's example loop, {name}: {rate:.2f} training steps/s", flush=True)


if __name__ == "__main__":
    main()
