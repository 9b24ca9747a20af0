"""E11-standin: the arms of E11 under brevity and coverage of the prompt's words (ours)."""

from flows.experiment import Experiment, Frame, Study
from flows.qwen import BREVITY, COVERAGE, offline
from flows.text_gallery import excerpts_in_html, first_seeds, histograms_of
from flows.three_arms import draw_three, judge_three, table_three, three_arms, three_study
from generators.causal_lm_config import CausalLmConfig
from tasks.claims import all_hold, said
from tasks.settings import RunConfig

ITERATIONS, PROMPTS, LEARNING_RATE = 8, 128, 2e-4
ARMS = tuple(three_arms([BREVITY, COVERAGE]))


def base() -> RunConfig:
    """The offline preset of qwen with 128 prompts a round: with few, chance decides the draws."""
    alone = offline()
    assert alone.prompts is not None and isinstance(alone.generator, CausalLmConfig)
    prompts = alone.prompts.model_copy(update={"per_round": PROMPTS})
    refit = alone.generator.refit.model_copy(update={"learning_rate": LEARNING_RATE})
    return alone.model_copy(
        update={
            "iterations": ITERATIONS,
            "prompts": prompts,
            "num_candidates": prompts.num_candidates,
            "generator": alone.generator.model_copy(update={"refit": refit}),
            "selection": alone.selection.model_copy(update={"num_curated": PROMPTS}),
        }
    )


def study(quick: bool) -> Study:
    """Three arms with 5 seeds; quick 2."""
    return three_study("computed-answers", base(), seeds=2 if quick else 5)


def remarks(frame: Frame, study: Study) -> list[str]:
    """That this is not the paper's experiment, and what was found."""
    claims = judge_three(frame, study)
    return said(
        (
            "Brevity and coverage are computed from words. They test the arms, the loop and the "
            "prompts; they say nothing of ArmoRM or Llama Guard, which E11 judges by their "
            "published weights.",
            True,
        ),
        (
            "As with the paper's rewards each single reward loses the other one, and balanced "
            "keeps both.",
            all_hold(claims, "only: largest change", "balanced: E["),
        ),
    )


EXPERIMENT = Experiment(
    name="E11-standin",
    title="Two conflicting rewards of answers: brevity and coverage",
    claim="Retraining on one reward's favourites loses the other reward; drawing the reward for "
    "every prompt keeps both, with more diverse answers and less perplexity.",
    source="arms and claims of the paper's section C.8; rewards, model and prompts ours",
    study=study,
    judge=judge_three,
    draw=draw_three,
    table=table_three,
    remarks=remarks,
    presets={"offline": study},
    gallery=lambda contexts: histograms_of(first_seeds(contexts, ARMS)),
    excerpts=lambda contexts: excerpts_in_html(first_seeds(contexts, ARMS)),
)
