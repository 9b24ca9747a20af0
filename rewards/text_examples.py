"""Small random texts with prompts, the examples of rewards that score any text."""

import numpy as np
import pyarrow as pa

from data.texts import text_table

WORDS = (
    "river", "Mountain", "the", "of", "winter", "house", "and", "under", "silver", "light,",
    "apple", "7", "is", "music.", "forest", "über", "quiet",
)  # fmt: skip
MAX_WORDS = 24


def random_conversations(num_samples: int, *, seed: int) -> pa.Table:
    """Texts of up to 24 words, one in twenty-five of them empty, each with a prompt of 3 to 8."""
    rng = np.random.default_rng(seed)
    texts, prompts = [], []
    for _ in range(num_samples):
        prompts.append(" ".join(rng.choice(WORDS, rng.integers(3, 9))))
        texts.append(" ".join(rng.choice(WORDS, rng.integers(MAX_WORDS + 1))))
    # No tokenizer is at hand: a word is a token, which no reward looks at.
    ids = [np.arange(len(text.split()), dtype=np.int32) for text in texts]
    finished = rng.random(num_samples) < 0.9
    return text_table(ids, texts, finished, prompts=prompts)
