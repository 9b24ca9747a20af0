"""Places and published files under an experiment: what reaches its runs, and what is refused."""

import re

import pytest

from data.errors import ConfigError
from flows.e3 import EXPERIMENT as E3
from flows.e10 import EXPERIMENT as E10
from flows.experiment import Study
from flows.located import located
from flows.reproduce import study_points
from generators.ot_cfm_initial import OtCfmInitial
from rewards.aesthetic import AestheticConfig
from rewards.pick_score import PickScoreConfig
from tasks.settings import RunConfig
from tasks.stand_ins import stand_ins

SHA = "a" * 64
INCEPTION = "evaluation.inception.weights=inception.pth"
PICK = ("rewards.0.model.folder=pick", f"rewards.0.model.sha256={SHA}")
FLOW = ("initial.weights=flow.pt", f"initial.weights_sha256={SHA}")
VGG = ("classifier.weights=vgg.pt", f"classifier.weights_sha256={SHA}")


def e10(*settings: str) -> Study:
    return located(E10.presets["gpu-small"](True), settings)


def configs(study: Study) -> list[RunConfig]:
    found = [point.config for point in study_points(study)]
    assert len(found) == 7
    return found


def test_a_folder_of_a_reward_reaches_every_arm() -> None:
    plain, moved = E10.presets["gpu-small"](True), e10("rewards.2.backbone.folder=clip")
    for before, after in zip(configs(plain), configs(moved), strict=True):
        aesthetic = after.rewards[2]
        assert isinstance(aesthetic, AestheticConfig) and aesthetic.backbone.folder == "clip"
        assert after.fingerprint == before.fingerprint, "only another place of the same weights"
        assert after.weights == before.weights


def test_published_files_that_a_preset_goes_without_reach_every_arm() -> None:
    for config in configs(e10(INCEPTION, *PICK, *FLOW)):
        (pick, _, _), initial = config.rewards, config.initial
        assert isinstance(pick, PickScoreConfig) and isinstance(initial, OtCfmInitial)
        assert (pick.model.folder, pick.model.sha256) == ("pick", SHA)
        assert (initial.weights, initial.weights_sha256) == ("flow.pt", SHA)
        assert config.evaluation.inception is not None


def test_given_files_are_named_by_what_is_known_of_them() -> None:
    lacking = "Fréchet distance on the classifier's features in place of FID"
    before, after = stand_ins(e10().base), stand_ins(e10(INCEPTION, *PICK, *FLOW).base)
    assert lacking in before and lacking not in after
    assert any("p_0 from a file whose digest is not pinned" in one for one in after)
    assert "other weights in place of the published ones of pick-score" in after
    found = stand_ins(located(E3.presets["paper"](True), VGG).base)
    assert any("VGG11-BN from a file whose digest is not pinned" in one for one in found)


@pytest.mark.parametrize(
    "setting",
    [
        f"rewards.2.backbone.sha256={SHA}",  # is pinned: these would be other weights
        f"evaluation={{inception: {{weights: a, sha256: {SHA}}}}}",
        "initial.weights_part=net_model",
        "evaluation.num_samples=10",
        "weights=[1, 1, 1]",
        "rewards.0.prompt=a dog",
    ],
)
def test_what_the_preset_has_or_is_no_file_is_refused(setting: str) -> None:
    text = f"reproduce: expected only places of data and weights, .* got {re.escape(setting)}; an"
    with pytest.raises(ConfigError, match=text):
        e10(INCEPTION, setting)


def test_a_folder_without_a_digest_is_refused_where_none_is_pinned() -> None:
    with pytest.raises(ConfigError, match="expected sha256 beside folder 'pick', got none"):
        e10(PICK[0])
