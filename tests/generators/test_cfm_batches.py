"""Batches: functions of seed and step, the same ahead of time as in line."""

import threading
import time

import pytest
import torch

from data.pixels import signed
from generators.cfm_batches import Batch, BatchMaker


def maker(**given: object) -> BatchMaker:
    pixels = torch.arange(20 * 48, dtype=torch.int64).remainder(256).to(torch.uint8)
    settings: dict[str, object] = {
        "pixels": pixels.view(20, 3, 4, 4),
        "batch_size": 8,
        "flip": True,
        "coupling": "assignment",
        "sigma": 0.0,
        "seed": 7,
    }
    return BatchMaker(**(settings | given))  # type: ignore[arg-type]


def same(first: Batch, second: Batch) -> bool:
    return all(
        torch.equal(getattr(first, name), getattr(second, name))
        for name in ("times", "positions", "velocities")
    )


@pytest.mark.parametrize("coupling", ["assignment", "torchcfm", "independent"])
def test_batches_made_ahead_are_those_made_in_line(coupling: str) -> None:
    batches = maker(coupling=coupling)
    ahead = list(batches.ahead(3, 15))
    assert len(ahead) == 12
    assert all(same(one, batches.make(step)) for step, one in enumerate(ahead, start=3))
    assert not same(ahead[0], ahead[1])
    assert list(batches.ahead(15, 15)) == []


def test_batches_are_made_in_another_thread_before_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []
    plain = BatchMaker.make

    def watched(self: BatchMaker, step: int) -> Batch:
        made.append(threading.get_ident())
        return plain(self, step)

    monkeypatch.setattr(BatchMaker, "make", watched)
    coming = maker().ahead(0, 10)
    next(coming)
    for _ in range(200):
        if len(made) == 5:
            break
        time.sleep(0.01)
    assert len(made) == 5
    assert threading.get_ident() not in made
    coming.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("coupling")]


def test_paths_are_straight_from_noise_to_an_image_of_the_data() -> None:
    batches = maker(flip=False)
    batch = batches.make(2)
    times = batch.times[:, None, None, None]
    images = batch.positions + (1 - times) * batch.velocities
    noise = batch.positions - times * batch.velocities
    known = signed(batches.pixels).flatten(1)
    nearest = torch.cdist(images.flatten(1), known).min(dim=1).values
    assert nearest.max() < 1e-5
    assert noise.abs().max() < 6 and noise.std() == pytest.approx(1, abs=0.1)


def test_sigma_adds_noise_of_that_deviation_to_the_positions_alone() -> None:
    plain, noisy = maker(batch_size=500).make(0), maker(batch_size=500, sigma=0.3).make(0)
    assert torch.equal(plain.velocities, noisy.velocities)
    added = noisy.positions - plain.positions
    assert float(added.std()) == pytest.approx(0.3, rel=0.03)


def test_shares_are_the_batch() -> None:
    batch = Batch(torch.arange(6.0), torch.arange(6.0) + 10, torch.arange(6.0) + 20)
    parts = [batch.share(rank, 2) for rank in (0, 1)]
    assert sorted(torch.cat([part.times for part in parts]).tolist()) == list(range(6))
    assert all(torch.equal(part.times + 20, part.velocities) for part in parts)
    assert same(batch.share(0, 1), batch)
