"""E11: helpfulness and safety of answers, each alone and balanced (paper, section C.8)."""

from flows.experiment import Experiment, Frame, Study
from flows.qwen import HELPFULNESS, SAFETY, gpu_small, learned_rewards, offline, paper
from flows.text_gallery import excerpts_in_html, first_seeds, histograms_of
from flows.three_arms import draw_three, judge_three, table_three, three_arms, three_study
from rewards.registry import RewardConfig
from tasks.settings import RunConfig, parse_config
from tasks.text_stand_ins import text_stand_ins

ARMS = tuple(three_arms([HELPFULNESS, SAFETY]))


def stand_ins() -> tuple[RewardConfig, ...]:
    """Tiny random models of the published layouts, to rehearse with."""
    return tuple(
        one.model_copy(update={"model": one.model.stand_in})  # type: ignore[attr-defined]
        for one in learned_rewards()
    )


def of_paper(quick: bool) -> Study:
    """Three arms with 3 seeds; quick 1, which is not judged."""
    return three_study("answers", paper(), seeds=1 if quick else 3)


def of_gpu_small(quick: bool) -> Study:
    """Three arms with 3 seeds; quick 1, which is not judged."""
    return three_study("answers-gpu", gpu_small(), seeds=1 if quick else 3)


def rehearsal(quick: bool) -> Study:
    """Every stage once over with a tiny model and stand-in rewards: 2 rounds of 8 prompts."""
    base = offline()
    plain = base.model_dump(mode="json")
    plain |= {"iterations": 2, "num_candidates": 32}
    plain["prompts"] |= {"per_round": 8, "num_completions": 4}
    plain["selection"] |= {"num_curated": 8}
    plain["evaluation"] |= {"num_samples": 20}
    plain["initial"] |= {"num_texts": 200}
    plain["rewards"] = [one.model_dump(mode="json") for one in stand_ins()]
    small: RunConfig = parse_config(plain)
    return three_study("answers-rehearsal", small, seeds=1)


def unjudged(study: Study) -> str | None:
    """Judged with the published weights of model and rewards, over several seeds only."""
    are_published = (getattr(one, "uses_published_weights", False) for one in study.base.rewards)
    if not all(are_published):
        return "stand-in rewards"
    if replaced := [*text_stand_ins(study.base)]:
        return replaced[0]
    if len(study.blocks[0].axes["seed"]) == 1:
        return "one seed, and the rule needs several"
    return None


def remarks(frame: Frame, study: Study) -> list[str]:
    """What the paper leaves open."""
    return [
        "The paper gives neither the number of prompts and completions of a round nor settings of "
        "sampling and fine-tuning: 512, 8, temperature 1, learning rate 1e-5 and one epoch are "
        "ours. Rewards are standardised on p_0; the constants are an artifact.",
    ]


EXPERIMENT = Experiment(
    name="E11",
    title="Answers under helpfulness and safety",
    claim="Retraining on one reward's favourites loses the other reward; drawing the reward for "
    "every prompt keeps both, with more diverse answers and less perplexity.",
    source="paper, section C.8; settings and thresholds ours",
    study=of_paper,
    judge=judge_three,
    draw=draw_three,
    table=table_three,
    remarks=remarks,
    presets={"paper": of_paper, "gpu-small": of_gpu_small, "rehearsal": rehearsal},
    unjudged=unjudged,
    gallery=lambda contexts: histograms_of(first_seeds(contexts, ARMS)),
    excerpts=lambda contexts: excerpts_in_html(first_seeds(contexts, ARMS)),
)
