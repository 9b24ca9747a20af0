"""E9 on texts, on the frames made up for E9 on images under the names of texts."""

from flows.baselines import ARMS, ONE
from flows.e9_texts import EXPERIMENT
from flows.reproduce import study_points
from flows.sweep_points import Point
from flows.text_leakage import leakages
from tests.flows import test_e9_images as images
from tests.flows.frames import Measure, check_judge, check_pages, made_up, with_seeds
from tests.flows.small_studies import small

# As judged, but for the number of rounds.
SMALL = small("e9-texts", {"iterations": 2})
NAMES = {
    "reward_mean.class-0": "reward_mean.short",
    "reward_mean.class-1": "reward_mean.long",
    "reward_var.class-0": "reward_var.short",
    "reward_var.class-1": "reward_var.long",
    "class_entropy": "word_length_entropy",
    "feature_variance": "distinct_2",
    "frechet_classifier": "held_out_perplexity",
    "tail_coverage": "tail_coverage",
}


def renamed(measure: Measure) -> Measure:
    def texts(point: Point, k: int) -> dict[str, float]:
        found = {NAMES[name]: value for name, value in measure(point, k).items()}
        leaked = {one: 0.1 for one in leakages(("short", "long")) if point.arm != ONE}
        return found | leaked | {"self_bleu": 0.3, "mean_words": 20.0}

    return texts


def test_every_claim_holds_can_fail_and_needs_its_metrics() -> None:
    opposites = [renamed(one) for one in images.OPPOSITES]
    check_judge(SMALL, renamed(images.measured), opposites, ("reward_var.", "word_length_entropy"))


def test_figure_table_and_remarks_are_made_of_what_was_measured() -> None:
    study = with_seeds(SMALL.study(True), 2)
    frame = made_up(study, renamed(images.measured))
    check_pages(EXPERIMENT, frame, study)
    table = EXPERIMENT.table(frame, study)
    assert table is not None
    leaked = dict(zip(table["arm"], table["mean leakage, short in long"], strict=True))
    assert leaked.pop(ONE) == "not drawn"
    assert set(leaked.values()) == {"0.1 ± 0"}


def test_the_study_has_the_nine_arms_and_no_pool_that_grows() -> None:
    members = study_points(EXPERIMENT.study(False))
    assert {point.arm for point in members} == set(ARMS)
    assert len({point.config.fingerprint for point in members}) == len(members) == 9 * 5
    assert all(point.config.pool is None for point in members)
