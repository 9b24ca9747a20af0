from functools import partial
from typing import Any

import pytest

from data import installation
from data.errors import EnvironmentProblem
from data.installation import install
from data.numerics import NOT_INSTALLED, library_version
from data.plugins import PluginFamily
from flows.cifar10 import DOMAIN, digits
from flows.gmm import paper
from flows.qwen import DOMAIN as QWEN
from flows.qwen import offline
from tasks.run_numerics import numerics_of, shared_numerics_of
from tasks.run_packages import check_packages, run_libraries
from tasks.settings import RunConfig, parse_config


def without(patch: pytest.MonkeyPatch, *names: str) -> None:
    """As if these distributions were not installed."""

    def version(name: str) -> str:
        return NOT_INSTALLED if name in names else library_version(name)

    patch.setattr(installation, "library_version", version)


def with_rewards(*rewards: dict[str, Any], **changes: Any) -> RunConfig:
    plain = digits().model_dump(mode="json") | {"rewards": list(rewards), **changes}
    return parse_config(DOMAIN.expand(plain))


def test_a_run_of_images_needs_the_packages_of_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "torch", "torchcfm")
    expected = (
        "generator 'ot-cfm': expected POT, scipy, torch, torchcfm, torchdiffeq to be installed, "
        f"found no torch, torchcfm; run `{install('images')}`"
    )
    for ask in (numerics_of, partial(shared_numerics_of, stage="initial")):
        with pytest.raises(EnvironmentProblem) as caught:
            ask(digits())
        assert str(caught.value) == expected


def test_a_run_of_texts_needs_the_packages_of_its_own_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without(monkeypatch, "torch")
    expected = (
        "generator 'causal-lm': expected tokenizers, torch, transformers to be installed, "
        f"found no torch; run `{install('text')}`"
    )
    with pytest.raises(EnvironmentProblem) as caught:
        check_packages(offline())
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("package", "chosen", "command"),
    [
        ("peft", {"refit": {"lora": {}}}, install("lora")),
        ("vllm", {"generation": {"engine": "vllm"}}, "pip install vllm"),
    ],
)
def test_adapters_and_another_engine_need_their_package_before_a_run(
    monkeypatch: pytest.MonkeyPatch, package: str, chosen: dict[str, Any], command: str
) -> None:
    plain = offline().model_dump(mode="json")
    for name, settings in chosen.items():
        plain["generator"][name] |= settings
    config = parse_config(QWEN.expand(plain))
    assert package in run_libraries(config) and package not in run_libraries(offline())
    without(monkeypatch, package)
    check_packages(offline())
    with pytest.raises(EnvironmentProblem) as caught:
        check_packages(config)
    assert str(caught.value) == (
        f"generator 'causal-lm': expected {package} to be installed, found no {package}; run "
        f"`{command}`"
    )


def test_a_run_of_points_needs_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "torch", "torchcfm", "transformers")
    assert "torch" not in numerics_of(paper())


def test_a_learned_reward_needs_transformers_also_within_a_sum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aesthetic = {"kind": "aesthetic", "name": "beauty"}
    single = with_rewards(aesthetic)
    summed = with_rewards({"kind": "weighted-sum", "parts": [aesthetic, {"kind": "ink"}]})
    for config in (single, summed):
        assert numerics_of(config)["transformers"] == library_version("transformers")
    assert "transformers" not in shared_numerics_of(single, "initial"), (
        "p_0 is computed without them"
    )
    without(monkeypatch, "transformers")
    for config in (single, summed):
        with pytest.raises(EnvironmentProblem, match="reward 'aesthetic': .* no transformers; run"):
            check_packages(config)


def test_fid_needs_torch_fidelity(monkeypatch: pytest.MonkeyPatch) -> None:
    config = with_rewards({"kind": "ink"}, evaluation={"inception": {"weights": "weights.pth"}})
    without(monkeypatch, "torch-fidelity")
    with pytest.raises(EnvironmentProblem, match=r"evaluation\.inception: .* no torch-fidelity; r"):
        check_packages(config)


def test_several_processes_need_accelerate(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = digits().model_dump(mode="json")
    plain["generator"]["processes"] = 2
    without(monkeypatch, "accelerate")
    check_packages(digits())
    with pytest.raises(EnvironmentProblem, match="generator 'ot-cfm': .* found no accelerate; run"):
        check_packages(parse_config(DOMAIN.expand(plain)))


def test_a_classifier_needs_torch_whatever_the_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    points = paper().model_copy(update={"classifier": digits().classifier})
    without(monkeypatch, "torch")
    with pytest.raises(EnvironmentProblem, match="classifier: expected torch to be installed"):
        check_packages(points)


def test_what_another_distribution_needs_is_not_in_our_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PluginFamily, "origin", lambda _family, _kind: "foreign 1.2")
    without(monkeypatch, "scikit-learn")
    with pytest.raises(EnvironmentProblem, match="found no scikit-learn; run `pip install scikit-"):
        check_packages(paper())
