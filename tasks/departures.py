"""What a configuration does beside the loop of the theory."""

from tasks.settings import RunConfig


def departures_of(config: RunConfig) -> list[str]:
    """The settings that forecasts leave out, in words; empty for the plain loop."""
    selection = config.selection
    unlike = {
        f"selection.active_reward {selection.active_reward}": selection.active_reward != "per-draw",
        "selection.replacement false": not selection.replacement,
        f"selection.score_noise {selection.score_noise:g}": selection.score_noise > 0,
        f"selection.flip_probability {selection.flip_probability:g}": selection.flip_probability
        > 0,
        f"training.real_share {config.training.real_share:g}": config.training.real_share > 0,
        "training.accumulate true": config.training.accumulate,
    }
    return [what for what, otherwise in unlike.items() if otherwise]


def turns_of_rewards(config: RunConfig) -> bool:
    """Whether one reward decides a whole round, which collapses the model onto one at a time."""
    return config.selection.active_reward != "per-draw"
