"""Training of the run's classifier, resumable after any checkpoint to the same bytes.

n training images, B images a step. All randomness of an epoch comes from (seed, epoch), so a
checkpoint needs no state of a generator.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from data.checkpoints import CheckpointFolder
from data.compute import compute
from data.errors import BadNumbers
from data.image_data import ImageData, load_images
from data.pixels import flipped, on_device, shifted, unsigned
from data.schemas import NETWORK_TRAINING
from data.training_state import read_state, write_state
from rewards.architectures import ARCHITECTURES
from rewards.classifier import Classifier, new_network, normalised
from rewards.classifier_config import ClassifierConfig
from rewards.classifier_import import import_weights

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.optim import Optimizer

WARM_UP = 0.3


@dataclass(frozen=True, eq=False)
class TrainedClassifier:
    """A classifier with its measured test accuracy, and the loss of every training step."""

    classifier: Classifier
    training_log: pa.Table  # NETWORK_TRAINING; empty for imported weights


def train_classifier(
    config: ClassifierConfig, *, seed: int, checkpoints: CheckpointFolder | None = None
) -> TrainedClassifier:
    """Train on the training images, or import `config.weights`; measure on the test images.

    Raises `BadNumbers` at the first loss that is not finite (the last checkpoint is kept), and
    as `load_images` and `import_weights`.
    """
    training, test = load_images(config.data, "train"), load_images(config.data, "test")
    network = new_network(config, len(training.class_names), seed=_seed_of(seed, 0))
    losses: list[float] = []
    if config.weights is None:
        losses = train_network(network, training, config, seed=seed, checkpoints=checkpoints)
    else:
        import_weights(network, config)
    measured = Classifier(config, network, class_names=training.class_names).accuracy(test)
    steps = np.arange(len(losses), dtype=np.int32)
    return TrainedClassifier(
        Classifier(config, network, class_names=training.class_names, test_accuracy=measured),
        pa.table({"step": steps, "loss": np.array(losses)}, schema=NETWORK_TRAINING),
    )


def step_size(config: ClassifierConfig, step: int, num_steps: int) -> float:
    """Learning rate of step 0 .. `num_steps` - 1."""
    rising = WARM_UP * num_steps if config.schedule == "one-cycle" else 0.0
    if step < rising:
        return config.learning_rate * (step + 1) / (rising + 1)
    done = (step - rising) / (num_steps - rising)
    return config.learning_rate * (1 + math.cos(math.pi * done)) / 2


def train_network(
    network: "nn.ModuleDict",
    data: ImageData,
    config: ClassifierConfig,
    *,
    seed: int,
    checkpoints: CheckpointFolder | None = None,
) -> list[float]:
    """Train `network` in place on the present device; loss of every step.

    Goes on from the latest checkpoint. Raises `BadNumbers` at the first loss that is not finite,
    and for parameters that are not before they are written or returned.
    """
    import torch

    device = compute().device
    network.to(device).train()
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=config.learning_rate,
        momentum=config.momentum,
        nesterov=config.momentum > 0,
        weight_decay=config.weight_decay,
        foreach=True,
    )
    pixels = on_device(data.images)
    labels = torch.from_numpy(np.array(data.labels)).to(device)
    first, losses = _resume(network, optimizer, checkpoints)
    on_gpu = device == "cuda"
    seed_dropout = torch.manual_seed if on_gpu else torch.default_generator.manual_seed
    # Dropout draws from torch's global generators: they are seeded for each epoch and put back.
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if on_gpu else []):
        for epoch in range(first, config.num_epochs):
            seed_dropout(_seed_of(seed, 1 + 2 * epoch))
            generator = torch.Generator().manual_seed(_seed_of(seed, 2 + 2 * epoch))
            losses += _train_epoch(network, optimizer, pixels, labels, config, epoch, generator)
            done = epoch + 1
            ends = done == config.num_epochs
            is_checkpoint = done % config.checkpoint_every == 0 and not ends
            if ends or is_checkpoint:
                _check_finite(network, config, epoch)
            if checkpoints and is_checkpoint:
                checkpoints.commit(
                    {"epoch": done, "losses": losses},
                    lambda folder: write_state(
                        folder, tensors={"network": network.state_dict()}, optimizer=optimizer
                    ),
                )
    return losses


def _train_epoch(
    network: "nn.ModuleDict",
    optimizer: "Optimizer",
    pixels: "torch.Tensor",  # (n, C, H, W), uint8
    labels: "torch.Tensor",  # (n,)
    config: ClassifierConfig,
    epoch: int,
    generator: "torch.Generator",
) -> list[float]:
    import torch

    architecture = ARCHITECTURES[config.architecture]
    order = torch.randperm(len(pixels), generator=generator).to(pixels.device)
    # A last batch that is not full is left out, as each image is in some epochs' last batch;
    # fewer images than a batch are one.
    batch = min(config.batch_size, len(pixels))
    num_batches = len(pixels) // batch
    losses = []
    for number in range(num_batches):
        rows = order[number * batch : (number + 1) * batch]
        images = pixels[rows]
        if config.flip:
            images = flipped(images, generator)
        if config.shift:
            images = shifted(images, generator, by=config.shift)
        step = epoch * num_batches + number
        for group in optimizer.param_groups:
            group["lr"] = step_size(config, step, config.num_epochs * num_batches)
        pooled = architecture.features(network, normalised(unsigned(images), config))
        loss = torch.nn.functional.cross_entropy(architecture.logits(network, pooled), labels[rows])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise BadNumbers(
                f"classifier {config.architecture}: expected a finite loss, got {losses[-1]} in "
                f"step {step} (epoch {epoch}); lower learning_rate"
            )
    return losses


def _check_finite(network: "nn.ModuleDict", config: ClassifierConfig, epoch: int) -> None:
    """Raise `BadNumbers` for what the last step of an epoch broke, which no loss has shown yet."""
    broken = [name for name, value in network.state_dict().items() if not value.isfinite().all()]
    if broken:
        raise BadNumbers(
            f"classifier {config.architecture}: expected finite parameters after epoch {epoch}, "
            f"got others in {len(broken)} tensors, the first {broken[0]}; lower learning_rate"
        )


def _resume(
    network: "nn.ModuleDict", optimizer: "Optimizer", checkpoints: CheckpointFolder | None
) -> tuple[int, list[float]]:
    """Epoch to go on with and the losses so far, the state being put back."""
    found = checkpoints.latest() if checkpoints else None
    if found is None:
        return 0, []
    position, folder = found
    network.load_state_dict(read_state(folder, optimizer=optimizer)["network"])
    return position["epoch"], position["losses"]


def _seed_of(seed: int, stream: int) -> int:
    words = np.random.SeedSequence(seed, spawn_key=(stream,)).generate_state(1, np.uint64)
    return int(words[0]) >> 1
