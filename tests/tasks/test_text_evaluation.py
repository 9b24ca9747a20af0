"""What evaluate says of texts, with and without the tokens of p_0."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from data.commit import Attempt
from data.texts import text_table
from tasks.context import RunContext
from tasks.places import Place
from tasks.text_evaluation import measure_text_samples
from tasks.text_metrics import measure_texts
from tasks.token_tail import TOKEN_COUNTS, TOKENS_FILE, count_tokens, token_tail
from tests.flows.conftest import MakeRun

IDS = [np.array(ids, dtype=np.int32) for ids in ([0, 1], [2, 99], [], [5])]
TEXTS = ["to be", "or not to", "", "be"]
FINISHED = np.array([True, True, True, False])
SAMPLES = text_table(IDS, TEXTS, FINISHED)
INITIAL = [np.arange(100)] * 2


def with_constants(make_run: MakeRun, token_ids: Sequence[np.ndarray] | None) -> RunContext:
    """A run with stage `constants`, which counted the tokens of p_0 where they are given."""
    rewards = [{"kind": "quadratic", "centre": [x, 0], "standardise": True} for x in (-3, 3)]
    context = make_run(changes={"rewards": rewards}, run=False)
    with Attempt(context.folder(Place(None, "constants"))) as attempt:
        if token_ids is not None:
            attempt.write_table(TOKENS_FILE, count_tokens(token_ids), TOKEN_COUNTS)
        attempt.publish(run=None, iteration=None, stage="constants", fingerprint="f" * 64)
    return context


def test_samples_that_are_no_texts_have_no_metrics_of_texts(make_run: MakeRun) -> None:
    context = make_run(run=False)
    assert measure_text_samples(context, pa.table({"x": [0.0], "y": [0.0]})) == {}


def test_columns_of_the_samples_are_measured(make_run: MakeRun) -> None:
    found = measure_text_samples(make_run(run=False), SAMPLES)
    assert found == measure_texts(TEXTS, IDS, FINISHED)
    assert "tail_coverage" not in found, "nobody counted the tokens of p_0"
    assert found["share_truncated"] == 0.25


def test_chunks_and_slices_of_a_table_are_measured_as_the_rows_they_hold(
    make_run: MakeRun,
) -> None:
    context = with_constants(make_run, INITIAL)
    twice = pa.concat_tables([SAMPLES, SAMPLES])
    expected = measure_text_samples(context, SAMPLES)
    assert measure_text_samples(context, twice.slice(4)) == pytest.approx(expected)
    reordered = measure_text_samples(context, twice.slice(2, 4))
    assert reordered == pytest.approx(expected)


def test_the_tail_is_that_of_the_tokens_counted_on_p_0(make_run: MakeRun) -> None:
    found = measure_text_samples(with_constants(make_run, INITIAL), SAMPLES)
    tail = token_tail(count_tokens(INITIAL))
    assert found == measure_texts(TEXTS, IDS, FINISHED, tail=tail)
    # Of five tokens 99 is one of the five types that are the rarest 5 %.
    assert found["tail_coverage"] == pytest.approx(1 / 5 / 0.05)


def test_constants_without_tokens_give_no_tail(make_run: MakeRun) -> None:
    found = measure_text_samples(with_constants(make_run, None), SAMPLES)
    assert "tail_coverage" not in found
