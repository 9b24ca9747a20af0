"""Remarks of experiments: theory always, outcomes only where they were measured."""

import pytest

from flows.experiment import find_experiment
from tests.flows.frames import made_up

MEASURED = {
    "E2": ("Just above it", "Below it M²"),
    "E9": ("The further rows", "Tail coverage is", "One reward a round"),
    "ratio": ("Diversity of", "In between", "Entropy, the", "Tail coverage", "E[r_1] of"),
    "noise": ("Only draws", "Shares keep q", "No mode dies", "Flips make"),
    "drift": ("How late it is", "At d = 2"),
    "capacity": ("Shares need", "Among 16", "What few", "One component", "More components"),
}


@pytest.mark.parametrize("name", MEASURED)
def test_a_remark_on_an_outcome_is_made_only_where_it_was_measured(name: str) -> None:
    experiment = find_experiment(name)
    frame = made_up(experiment.study(True), lambda _point, _k: {"unrelated": 1.0})
    remarks = experiment.remarks(frame, experiment.study(True))
    assert remarks, "those on theory stay"
    assert not any(remark.startswith(MEASURED[name]) for remark in remarks)
    assert "nan" not in " ".join(remarks).split()
    assert experiment.remarks(frame.iloc[:0], experiment.study(True)) == remarks
