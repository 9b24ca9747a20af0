"""Prompts of a run, looked at before it trains anything."""

from data.prompts import every_prompt, load_prompts
from tasks.context import RunContext
from tasks.places import Place
from tasks.prompt_groups import prompts_of_round


def check_prompts(context: RunContext) -> None:
    """Raise `ConfigError` for prompts that a round or an evaluation could not be drawn for.

    Too few of them, or one that leaves the model no room, would else end the run after its first
    model is trained. Nothing is asked for once the first candidates are committed.
    """
    config = context.config
    if config.prompts is None or context.find(Place(0, "sample")) is not None:
        return
    source = config.prompts.source
    train, _ = load_prompts(source, "train"), load_prompts(source, "held-out")
    prompts_of_round(len(train), config.prompts.per_round, 0, seed=config.seed)
    check = getattr(config.initial, "check_prompts", None)
    if check is not None:
        check(config.generator, every_prompt(source))
