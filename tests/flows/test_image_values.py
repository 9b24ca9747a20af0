"""Which distance is shown under which name, and arms side by side."""

import numpy as np
import pandas as pd

from flows.image_values import FID, OF_CLASSIFIER, distance_measured, stacked


def test_a_distance_on_the_classifiers_features_is_never_called_fid() -> None:
    frame = pd.DataFrame({"run": "a", "metric": ["frechet_classifier", "class_entropy"]})
    assert distance_measured(frame) == OF_CLASSIFIER
    assert "FID" not in OF_CLASSIFIER.label
    both = pd.DataFrame({"run": "a", "metric": ["frechet_classifier", "fid"]})
    assert distance_measured(both) == FID


def test_fid_of_some_runs_only_is_not_what_all_are_compared_by() -> None:
    frame = pd.DataFrame(
        {"run": ["a", "a", "b"], "metric": ["frechet_classifier", "fid", "frechet_classifier"]}
    )
    assert distance_measured(frame) == OF_CLASSIFIER
    assert distance_measured(frame[:0]) == OF_CLASSIFIER


def test_missing_runs_are_nan() -> None:
    found = stacked([np.array([1.0, 2.0]), np.array([3.0])])
    assert found[0].tolist() == [1, 3]
    assert found[1, 0] == 2 and np.isnan(found[1, 1])
    assert stacked([np.array([])]).shape == (1, 1)
