"""E10: learned image rewards, one by one, in pairs and together (paper, section C.8)."""

from flows.cifar10 import digits, gpu_small, paper
from flows.class_arms import fresh_pools
from flows.experiment import Experiment, Frame, Study
from flows.image_gallery import grids_of
from flows.seven_arms import ALL, draw_seven, judge_seven, seven_study, table_seven
from rewards.aesthetic import HEADS, AestheticConfig
from rewards.image_reward import ImageRewardConfig
from rewards.pick_score import PickScoreConfig
from rewards.registry import RewardConfig
from tasks.fid import PUBLISHED_SHA256
from tasks.settings import RunConfig, parse_config

NAMES = ("pick-score", "image-reward", "aesthetic")


def published() -> tuple[PickScoreConfig, ImageRewardConfig, AestheticConfig]:
    """The three models by their published weights, standardised on p_0."""
    pick, image, aesthetic = NAMES
    return (
        PickScoreConfig(name=pick, standardise=True, weight=1 / 3),
        ImageRewardConfig(name=image, standardise=True, weight=1 / 3),
        AestheticConfig(name=aesthetic, standardise=True, weight=1 / 3),
    )


def stand_ins() -> tuple[RewardConfig, ...]:
    """Tiny random models of the published layouts, to rehearse with."""
    pick, image, aesthetic = published()
    head = HEADS[aesthetic.version].stand_in
    return (
        pick.model_copy(
            update={"model": pick.model.stand_in, "processor": pick.processor.stand_in}
        ),
        image.model_copy(
            update={"model": image.model.stand_in, "tokenizer": image.tokenizer.stand_in}
        ),
        aesthetic.model_copy(update={"backbone": aesthetic.backbone.stand_in, "head": head}),
    )


def of_paper(quick: bool) -> Study:
    """Seven arms with 3 seeds; quick 1, which is not judged."""
    return seven_study("learned", fresh_pools(paper()), published(), seeds=1 if quick else 3)


def of_gpu_small(quick: bool) -> Study:
    """Seven arms with 3 seeds; quick 1, which is not judged."""
    return seven_study("learned", fresh_pools(gpu_small()), published(), seeds=1 if quick else 3)


def rehearsal(quick: bool) -> Study:
    """Every stage once over on digits and stand-in models: 2 rounds of 60 candidates, one seed."""
    plain = fresh_pools(digits()).model_dump(mode="json")
    plain |= {"iterations": 2, "num_candidates": 60}
    plain["selection"] |= {"num_curated": 20}
    plain["evaluation"] |= {"num_samples": 60}
    plain["initial"]["pretraining"] |= {"num_steps": 200}
    plain["classifier"] |= {"num_epochs": 2}
    base: RunConfig = parse_config(plain)
    return seven_study("rehearsal", base, stand_ins(), seeds=1)


def unjudged(study: Study) -> str | None:
    """Judged by FID, with the published weights of every reward, over several seeds only."""
    are_published = (getattr(one, "uses_published_weights", False) for one in study.base.rewards)
    if not all(are_published):
        return "stand-in rewards"
    inception = study.base.evaluation.inception
    if inception is None or inception.sha256 != PUBLISHED_SHA256:
        return "no FID, which needs evaluation.inception.weights"
    if len(study.blocks[0].axes["seed"]) == 1:
        return "one seed, and the order of arms needs several"
    return None


def remarks(frame: Frame, study: Study) -> list[str]:
    """What the paper leaves open."""
    return [
        "The paper gives no prompt for PickScore and ImageReward: ours is in the settings. "
        "Rewards of different scales are standardised on p_0; the constants are an artifact.",
        "Pools are four fresh candidates a draw, as in E3.",
    ]


EXPERIMENT = Experiment(
    name="E10",
    title="Learned image rewards: PickScore, ImageReward, LAION aesthetic",
    claim="A mixture of all three rewards stays nearest to the real images, pairs lie between, "
    "single rewards are worst; a reward that is left out loses its variance.",
    source="paper, section C.8; scale, prompt and standardisation ours",
    study=of_paper,
    judge=judge_seven,
    draw=draw_seven,
    table=table_seven,
    remarks=remarks,
    presets={"paper": of_paper, "gpu-small": of_gpu_small, "rehearsal": rehearsal},
    unjudged=unjudged,
    gallery=lambda contexts: grids_of(contexts, {"samples": (*NAMES, ALL)}),
)
