"""E10-standin says on its page that it is not the paper's experiment."""

from flows.e10_standin import EXPERIMENT
from tasks.stand_ins import stand_ins
from tests.flows.frames import made_up
from tests.flows.test_seven_arms import measured


def test_it_is_judged_by_its_own_rewards_under_its_own_name() -> None:
    study = EXPERIMENT.study(True)
    assert EXPERIMENT.unjudged(study) is None
    assert any("in place of learned rewards" in one for one in stand_ins(study.base))
    words = EXPERIMENT.remarks(made_up(study, measured), study)
    assert "they say nothing of PickScore" in words[0]
    assert words[1].startswith("As with the paper's rewards")
    assert len(EXPERIMENT.remarks(made_up(study, lambda _point, _k: {"other": 1.0}), study)) == 1
