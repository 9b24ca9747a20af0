"""Which prompts a round answers, and how its candidates are grouped by them.

P prompts a round, K completions each, so N = P K candidates and one draw a prompt.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.configuration import FrozenConfig, setting
from data.errors import ConfigError
from data.prompts import PromptConfig, PythonTopics, load_prompts
from data.seeds import stage_rng
from data.texts import PROMPT
from tasks.selection import SelectionConfig

if TYPE_CHECKING:
    from tasks.settings import RunConfig

IntArray = npt.NDArray[np.int64]
# Stream of the sample stage that orders the prompts; its rows have those of their shards.
ORDER_STREAM = 1


class PromptsConfig(FrozenConfig):
    """Prompts that candidates answer; the completions of one prompt are one pool."""

    source: PromptConfig = setting(PythonTopics(), "set of prompts", "S")
    per_round: int = setting(512, "P, prompts answered in one round", "O", ge=1)
    num_completions: int = setting(8, "K, completions of each prompt", "O", ge=1)

    @property
    def num_candidates(self) -> int:
        """N = P K."""
        return self.per_round * self.num_completions


def check_prompts(
    prompts: PromptsConfig | None, selection: SelectionConfig, num_candidates: int
) -> None:
    """Raise `ValueError` where groups have no prompts, or prompts no groups of their size."""
    if prompts is None:
        if selection.scheme == "grouped":
            raise ValueError(
                "selection.scheme: expected all, fresh or disjoint without prompts, got 'grouped'; "
                "groups are the completions of a prompt: set `prompts`"
            )
        return
    if selection.scheme != "grouped":
        raise ValueError(
            f"selection.scheme: expected 'grouped' with prompts, got {selection.scheme!r}; the "
            "completions of one prompt compete with each other"
        )
    wanted = (prompts.num_candidates, prompts.per_round)
    if (num_candidates, selection.num_curated) != wanted:
        raise ValueError(
            f"num_candidates, selection.num_curated: expected prompts.per_round x "
            f"prompts.num_completions = {wanted[0]} and prompts.per_round = {wanted[1]}, got "
            f"{num_candidates} and {selection.num_curated}; change them together"
        )


def prompts_of_round(
    num_prompts: int, per_round: int, iteration: int, *, seed: int
) -> IntArray:  # (P,)
    """Numbers of the prompts of round t, ascending.

    Rounds go through one random order after another, each of its own seed, P prompts at a time:
    no prompt is answered twice in one pass. Fewer than P that are left over at its end are not
    answered in it. Raises `ConfigError` for fewer prompts than P.
    """
    if num_prompts < per_round:
        raise ConfigError(
            f"prompts.per_round: expected at most the {num_prompts} prompts there are, got "
            f"{per_round}; lower it, or use a larger set"
        )
    # A round is taken from one pass, so that no prompt stands in it twice.
    rounds_a_pass = num_prompts // per_round
    passes, part = divmod(iteration, rounds_a_pass)
    rng = stage_rng(seed, "sample", passes, stream=ORDER_STREAM)
    order = rng.permutation(num_prompts)
    return np.sort(order[part * per_round : (part + 1) * per_round])


def prompt_rows(
    config: "RunConfig", iteration: int, start: int, stop: int
) -> tuple[IntArray, pa.Table] | None:  # (n,), n rows
    """Number and text of the prompt that each candidate `start` .. `stop` of round t answers.

    None for a run without prompts.
    """
    wanted = config.prompts
    if wanted is None:
        return None
    known = load_prompts(wanted.source, "train")
    chosen = prompts_of_round(len(known), wanted.per_round, iteration, seed=config.seed)
    numbers = chosen[np.arange(start, stop) // wanted.num_completions]
    return numbers, prompt_table([known[number] for number in numbers])


def evaluation_prompts(config: "RunConfig", num_samples: int) -> pa.Table | None:
    """Held-out prompts in turn, one a sample; None for a run without prompts."""
    if config.prompts is None:
        return None
    known = load_prompts(config.prompts.source, "held-out")
    return prompt_table([known[row % len(known)] for row in range(num_samples)])


def prompt_table(prompts: list[str]) -> pa.Table:
    """Prompts as a generator takes them, one a sample."""
    return pa.table({PROMPT: pa.array(prompts, pa.string())})
