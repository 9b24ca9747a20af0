"""Prompts are looked at before anything is trained, and not again once they are answered."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from data.prompts import load_prompts
from generators.causal_lm_config import CausalLmConfig
from generators.causal_lm_initial import CausalLmInitial
from tasks.context import RunContext
from tasks.places import Place
from tasks.run_prompts import check_prompts
from tests.flows.text_runs import create


def test_prompts_of_both_splits_are_checked_until_the_first_are_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[str]] = []

    def noted(_self: CausalLmInitial, _config: CausalLmConfig, prompts: Sequence[str]) -> None:
        asked.append(prompts)

    monkeypatch.setattr(CausalLmInitial, "check_prompts", noted)
    context = create(tmp_path, "qwen")
    check_prompts(context)
    assert context.config.prompts is not None
    source = context.config.prompts.source
    both = {*load_prompts(source, "train"), *load_prompts(source, "held-out")}
    assert [set(prompts) for prompts in asked] == [both]

    found: list[Place] = []

    def answered(_self: RunContext, place: Place) -> object:
        found.append(place)
        return place

    monkeypatch.setattr(RunContext, "find", answered)
    check_prompts(context)
    assert found == [Place(0, "sample")] and len(asked) == 1


def test_a_run_without_prompts_has_none_to_check(tmp_path: Path) -> None:
    check_prompts(create(tmp_path, "gpt2"))
