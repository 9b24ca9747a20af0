"""What a classifier says."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from rewards.classification import Classification, once_a_table

SAMPLES = pa.table({"image": ["a", "b"]})


@dataclass
class Counted:
    """A classifier that counts how often it is asked."""

    calls: int = 0

    def __call__(self, samples: pa.Table) -> Classification:
        self.calls += 1
        return Classification(np.eye(2), np.zeros((2, 3), np.float32))


def test_the_class_of_an_image_is_the_likeliest_and_the_first_of_equals() -> None:
    probabilities = np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]])
    found = Classification(probabilities, np.zeros((2, 1), np.float32))
    assert found.classes.tolist() == [1, 0]


def test_an_answer_is_remembered_for_one_table_in_a_row() -> None:
    counted = Counted()
    remembered = once_a_table(counted)
    first = remembered(SAMPLES)
    assert remembered(SAMPLES) is first
    assert counted.calls == 1
    assert remembered(SAMPLES.slice(0)) is not first
    remembered(SAMPLES)
    assert counted.calls == 3
