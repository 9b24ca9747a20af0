"""Several processes train what one does, up to rounding."""

import numpy as np
import pytest
import torch

from data.errors import BadNumbers, ConfigError
from generators.cfm_batches import BatchMaker
from generators.cfm_precision import resolved_precision
from generators.cfm_processes import Job, train_together
from generators.ot_cfm_config import MlpField, OtCfmConfig, Training
from generators.velocity_field import make_field


def job(learning_rate: float = 1e-3, clip: float = 1.0) -> Job:
    config = OtCfmConfig(field=MlpField(width=8, num_hidden=2, time_features=4))
    field = make_field(config.field, (4, 4, 1), seed=0)
    pixels = torch.arange(20 * 16).remainder(256).to(torch.uint8).view(20, 1, 4, 4)
    return Job(
        config,
        (4, 4, 1),
        {name: weight.detach() for name, weight in field.named_parameters()},
        BatchMaker(pixels, 8, flip=False, coupling="assignment", sigma=0.0, seed=3),
        Training(num_steps=5, learning_rate=learning_rate, batch_size=8, warm_up=0, clip=clip),
        resolved_precision(config, "cpu"),
        None,
    )


# Each of the processes imports torch and accelerate, which takes several seconds.
@pytest.mark.slow
def test_two_processes_train_what_one_does() -> None:
    together, alone = train_together(job(), 2), job().run()
    np.testing.assert_allclose(together.losses, alone.losses, rtol=1e-5)
    for name, weight in alone.weights.items():
        torch.testing.assert_close(together.weights[name], weight, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_bad_numbers_in_processes_are_bad_numbers_here() -> None:
    with pytest.raises(BadNumbers, match=r"finite loss and gradient.* in step \d of 5"):
        train_together(job(learning_rate=1e30, clip=1e30), 2)


def test_a_batch_that_cannot_be_shared_equally_is_refused() -> None:
    with pytest.raises(ConfigError, match="a divisor of the batch size 8, got 3; change one"):
        train_together(job(), 3)
