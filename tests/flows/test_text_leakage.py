"""Leakage of length preferences, from frames made up."""

import numpy as np
import pandas as pd

from flows.text_leakage import leakage_cell, leakages, mean_leakage

METRIC = "leakage.short.long"


def frame(values: dict[str, list[float | None]]) -> pd.DataFrame:
    """Leakage of each run by k from 1 on, None where the reward was not drawn."""
    rows = [
        {"run": run, "arm": run[0], "k": k, "metric": "mean_words", "value": 1.0}
        for run, found in values.items()
        for k in range(len(found) + 1)
    ]
    rows += [
        {"run": run, "arm": run[0], "k": k, "metric": METRIC, "value": value}
        for run, found in values.items()
        for k, value in enumerate(found, start=1)
        if value is not None
    ]
    return pd.DataFrame(rows)


def test_every_ordered_pair_of_rewards_has_a_leakage() -> None:
    assert leakages(("short", "long")) == {
        METRIC: "short in long",
        "leakage.long.short": "long in short",
    }
    assert len(leakages("abc")) == 6


def test_the_mean_is_over_rounds_that_drew_the_reward() -> None:
    found = frame({"a0": [0.1, None, 0.3, None], "a1": [None, 0.2, None, 0.4], "b0": [None] * 4})
    np.testing.assert_allclose(mean_leakage(found, METRIC, arm="a"), [0.2, 0.3])
    np.testing.assert_allclose(mean_leakage(found, METRIC, last=0.5, arm="a"), [0.3, 0.4])
    assert leakage_cell(mean_leakage(found, METRIC, arm="a")).startswith("0.25 ± ")


def test_a_reward_that_was_never_drawn_is_said_to_be() -> None:
    found = frame({"b0": [None, None]})
    assert mean_leakage(found, METRIC, arm="b").size == 0
    assert leakage_cell(mean_leakage(found, METRIC, arm="b")) == "not drawn"


def test_a_run_without_a_measurement_among_others_is_no_number() -> None:
    found = frame({"a0": [0.1, 0.1], "a1": [None, None]})
    assert leakage_cell(mean_leakage(found, METRIC, arm="a")) == "-"
