"""Device, determinism and libraries are the numerics class of a run."""

from typing import Any

import pytest

from data.errors import EnvironmentProblem
from flows import qwen
from flows.cifar10 import digits
from flows.density import c9
from flows.domain import merge
from flows.gmm import smoke
from tasks import run_numerics
from tasks.places import SHARED_STAGES, Fingerprints, model_place
from tasks.run_numerics import numerics_of, shared_numerics_of
from tasks.settings import RunConfig, parse_config


def configured(changes: dict[str, Any]) -> RunConfig:
    return parse_config(merge(digits().model_dump(mode="json"), changes))


def test_a_device_that_is_not_there_is_no_other_one() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    text = "runtime.device: expected a CUDA device for 'cuda', torch .* finds none; run where"
    with pytest.raises(EnvironmentProblem, match=text):
        numerics_of(configured({"runtime": {"device": "cuda"}}))


def test_device_and_determinism_enter_the_class_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_numerics, "check_device", lambda device: f"a {device} device")
    found = numerics_of(configured({"runtime": {"device": "cuda"}}))
    assert (found["device"], found["device_model"]) == ("cuda", "a cuda device")
    assert found["deterministic"] is True
    faster = numerics_of(configured({"runtime": {"device": "cuda", "deterministic": False}}))
    assert {key for key in found if found[key] != faster[key]} == {"deterministic"}


def test_what_a_run_computes_in_is_that_of_its_generator_classifier_and_rewards() -> None:
    images, points = numerics_of(digits()), numerics_of(smoke())
    assert {"torch", "torchcfm", "numpy", "pyarrow"} <= images.keys()
    assert images["dtype"] == "float32" and points["dtype"] == "float64"
    assert "torch" not in points and "torch" not in numerics_of(c9())
    assert "deterministic" not in images, "a CPU is"


def test_what_runs_share_is_a_part_of_the_class_of_every_run_that_may_have_it() -> None:
    classes = digits().model_dump(mode="json")["rewards"]
    learned = configured({"rewards": [*classes, {"kind": "aesthetic"}]})
    precise = configured({"generator": {"precision": "bf16"}})
    own, others = numerics_of(digits()), [numerics_of(learned), numerics_of(precise)]
    for stage in ("classifier", "reference"):
        for config in (digits(), learned, precise):
            shared = shared_numerics_of(config, stage)
            assert all(shared.items() <= one.items() for one in [own, *others])
            assert "torch" in shared and "dtype" not in shared
    for stage in ("initial", "constants"):
        shared = shared_numerics_of(learned, stage)
        assert shared.items() <= own.items(), "its learned reward is not standardised"
        assert shared_numerics_of(precise, stage)["dtype"] == "bfloat16"


def test_constants_depend_on_what_the_standardised_rewards_compute_in() -> None:
    part = {"kind": "aesthetic", "standardise": True}
    in_sum = {"kind": "weighted-sum", "parts": [{"kind": "pick-score"}], "standardise": True}
    for reward in (part, in_sum):
        config = configured({"rewards": [reward]})
        assert "transformers" in shared_numerics_of(config, "constants")
        assert "transformers" in numerics_of(config)
        assert "transformers" not in shared_numerics_of(config, "initial")


def test_runs_with_other_prompts_share_a_first_model_that_is_trained_on_none() -> None:
    plain = qwen.offline().model_dump(mode="json")
    first, other = (
        parse_config(merge(plain, {"prompts": {"source": {"max_words": most}}}))
        for most in (24, 20)
    )
    assert Fingerprints(first).of(model_place(0)) == Fingerprints(other).of(model_place(0))
    assert numerics_of(first)["prompts"] != numerics_of(other)["prompts"]
    assert shared_numerics_of(first, "initial").items() <= numerics_of(other).items()
    assert "corpus" in shared_numerics_of(first, "initial")


def test_points_share_p_0_alone_in_the_class_of_their_generator() -> None:
    assert shared_numerics_of(smoke(), "initial") == numerics_of(smoke())


def test_inception_is_computed_in_torch_fidelity_by_the_run_and_the_reference() -> None:
    plain, measured = digits(), configured({"evaluation": {"inception": {"weights": "no.pth"}}})
    assert numerics_of(measured).keys() - numerics_of(plain).keys() == {"torch-fidelity"}
    shared = {stage: shared_numerics_of(measured, stage) for stage in SHARED_STAGES}
    assert [stage for stage, one in shared.items() if "torch-fidelity" in one] == ["reference"]
    assert all(one.items() <= numerics_of(measured).items() for one in shared.values())
    assert "torch-fidelity" not in shared_numerics_of(plain, "reference")


def test_several_processes_are_joined_by_accelerate() -> None:
    plain, joined = digits(), configured({"generator": {"processes": 2}})
    assert numerics_of(joined).keys() - numerics_of(plain).keys() == {"accelerate"}
    shared = {stage: shared_numerics_of(joined, stage) for stage in SHARED_STAGES}
    assert "accelerate" in shared["initial"] and "accelerate" not in shared["classifier"]
    assert all(one.items() <= numerics_of(joined).items() for one in shared.values())
