"""Assumptions of the theory that a configuration does not meet, in the words of a verdict.

Each function returns the assumption, or None where it is met.
"""

from tasks.settings import RunConfig, TrainingConfig

# A pool of so many candidates counts as infinite where only that limit is known.
LARGE_POOL = 64


def changing_rounds(config: RunConfig) -> str | None:
    """What ties a round to others, so that it has no limit of its own."""
    if config.pool is not None:
        return "candidates of the same round alone"
    if config.training != TrainingConfig():
        return "a training set of curated rows of the same round alone"
    if config.weight_schedule:
        return "weights that do not change"
    return None


def unplain_choice(config: RunConfig) -> str | None:
    """What the choice of winners has beside a draw, a pool and Bradley and Terry's law."""
    selection = config.selection
    if selection.scheme == "grouped":
        return "pools drawn from all candidates"
    if selection.active_reward != "per-draw":
        return "the active reward drawn for every curated draw"
    if not selection.replacement:
        return "winners drawn with replacement"
    if selection.score_noise > 0 or selection.flip_probability > 0:
        return "choices without noise or flips"
    return None


def small_pool(config: RunConfig) -> str | None:
    """That the pool is too small for what is known of infinite ones only."""
    selection = config.selection
    size = selection.pool_size
    if selection.scheme == "all":
        size = config.num_candidates
    elif selection.scheme == "expected" and size is None:
        return None
    if (size or 0) < LARGE_POOL:
        return f"a pool so large that K -> infinity describes it (K >= {LARGE_POOL})"
    return None
