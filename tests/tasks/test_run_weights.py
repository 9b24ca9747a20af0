from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from data.errors import EnvironmentProblem
from data.store import Store
from flows import gpt2, qwen
from flows.cifar10 import DOMAIN, digits
from flows.creation import create_runs
from flows.rounds import FAILURE, rounds
from rewards.aesthetic import AestheticReward
from rewards.tiny_models import stand_in_folder
from tasks import run_weights
from tasks.context import RunContext
from tasks.run_weights import absent_weights, check_weights
from tasks.settings import parse_config

NO_DIGEST = "0" * 64
MISSING: dict[str, dict[str, Any]] = {
    "Inception": {"evaluation": {"inception": {"weights": "no/inception.pth"}}},
    "torchcfm": {"initial": {"weights": "no/otcfm.pt", "weights_sha256": NO_DIGEST}},
    "classifier": {
        "classifier": {
            "architecture": "small-cnn",
            "data": {"kind": "digits"},
            "weights": "no/classifier.pt",
            "weights_sha256": NO_DIGEST,
        }
    },
    "aesthetic": {
        "rewards": [
            {
                "kind": "weighted-sum",
                "parts": [
                    {
                        "kind": "aesthetic",
                        "backbone": {
                            "repo": "openai/clip-vit-large-patch14",
                            "revision": "0" * 40,
                            "folder": "no/folder",
                            "sha256": NO_DIGEST,
                        },
                        "head": {
                            "repo": "LAION-AI/aesthetic-predictor",
                            "revision": "0" * 40,
                            "folder": "no/folder",
                            "sha256": NO_DIGEST,
                        },
                    }
                ],
            }
        ]
    },
}
TEXTS = {
    "Inception": "inception.weights: expected torch-fidelity's .* at no/inception.pth, .*curl",
    "torchcfm": "initial.weights: expected a file at no/otcfm.pt, got none; download",
    "classifier": "classifier small-cnn: expected a file at no/classifier.pt, got none; no weights",
    "aesthetic": "no/folder: expected the files sa_0_4_vit_l_14_linear.pth of LAION-AI",
}


def context_of(folder: Path, changes: dict[str, Any]) -> RunContext:
    plain = digits().model_dump(mode="json")
    plain["initial"] |= changes.pop("initial", {})
    plain["evaluation"] |= changes.pop("evaluation", {})
    config = parse_config(DOMAIN.expand(plain | changes))
    store = Store(folder)
    (record,) = create_runs(store, DOMAIN, {None: config}, name="one")
    return RunContext(store, record)


@pytest.mark.parametrize("what", MISSING)
def test_missing_weights_end_a_run_before_anything_is_trained(what: str, tmp_path: Path) -> None:
    context = context_of(tmp_path, dict(MISSING[what]))
    with pytest.raises(EnvironmentProblem, match=TEXTS[what]):
        rounds(context)
    assert not list((tmp_path / "initial").glob("*/*"))
    assert (context.store.run_folder("one") / FAILURE).is_file()


def test_weights_that_are_there_are_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Path] = []
    fetch = AestheticReward.fetch

    def noted(self: AestheticReward) -> tuple[Path, Path]:
        found.extend(fetch(self))
        return found[0], found[1]

    monkeypatch.setattr(AestheticReward, "fetch", noted)
    example = AestheticReward.example().config.model_dump(mode="json")
    check_weights(context_of(tmp_path, {"rewards": [example]}))
    assert found == [stand_in_folder("clip"), stand_in_folder("aesthetic")]


def test_nothing_is_asked_for_once_all_shared_stages_are_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(run_weights, "check_inception", asked.append)
    context = context_of(tmp_path, dict(MISSING["Inception"]))
    check_weights(context)
    assert asked == [context.config.evaluation.inception]
    monkeypatch.setattr(RunContext, "find", lambda _self, _place: object())
    check_weights(context)
    assert len(asked) == 1


@pytest.fixture
def nothing_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.mark.usefixtures("nothing_cached")
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_all_published_weights_that_are_not_at_hand_are_named(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    base = qwen.paper()
    config = base.model_copy(update={"runtime": base.runtime.model_copy(update={"device": device})})
    absent = absent_weights(config)
    assert absent is not None
    assert absent.repos == (
        "Qwen/Qwen2.5-1.5B", "RLHFlow/ArmoRM-Llama3-8B-v0.1", "meta-llama/Llama-Guard-3-1B",
    )  # fmt: skip
    assert str(absent).count("`hf download") == 3
    # Without the device, or without the first of them, the others would be of no use.
    assert str(absent).count("(not tried)") == (3 if device == "cuda" else 2)
    assert ("expected a CUDA device" in str(absent)) == (device == "cuda")


@pytest.mark.usefixtures("nothing_cached")
def test_a_published_tokenizer_is_asked_for_too() -> None:
    plain = gpt2.offline().model_dump(mode="json")
    published = parse_config(plain | {"initial": plain["initial"] | {"tokenizer": None}})
    absent = absent_weights(published)
    assert absent is not None and absent.repos == ("openai-community/gpt2",)
    assert absent_weights(gpt2.offline()) is None


def test_files_that_are_there_and_wrong_are_an_error(tmp_path: Path) -> None:
    config = context_of(tmp_path, dict(MISSING["aesthetic"])).config
    with pytest.raises(EnvironmentProblem, match=TEXTS["aesthetic"]):
        absent_weights(config)
