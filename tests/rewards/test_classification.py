"""What a classifier says."""

import numpy as np

from rewards.classification import Classification


def test_the_class_of_an_image_is_the_likeliest_and_the_first_of_equals() -> None:
    probabilities = np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]])
    found = Classification(probabilities, np.zeros((2, 1), np.float32))
    assert found.classes.tolist() == [1, 0]
