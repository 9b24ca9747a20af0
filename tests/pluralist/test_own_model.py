"""docs/text.md's file for a model, prompts and rewards of one's own, run as it stands there."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from data.published_weights import weights_digest
from data.store import Store
from generators.lm_stand_in import write_stand_in
from tests.examples.test_reward_server import running
from tests.pluralist.conftest import Cli

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "text.md"
SMALL = (
    "iterations=1", "prompts_per_round=6", "num_completions=2", "evaluation.num_samples=6",
    "generator.generation.max_new_tokens=40", "runtime.device=cpu",
)  # fmt: skip


def block(kind: str, within: str) -> str:
    """The one fenced block of that kind that holds these words."""
    found = re.findall(rf"^```{kind}\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    (one,) = (text for text in found if within in text)
    return str(one)


@pytest.mark.slow  # a model is built, drawn from and fine-tuned by adapters
def test_the_documented_file_runs_with_a_folder_a_prompt_file_and_the_example_server(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "models/mine"
    folder.mkdir(parents=True)
    write_stand_in(folder)
    # As published folders have them; neither is read.
    (folder / "README.md").write_text("mine")
    (folder / "generation_config.json").write_text("{}")
    prompts = [json.dumps({"prompt": f"What is number {number} for?"}) for number in range(60)]
    (tmp_path / "prompts.jsonl").write_text("\n".join(prompts))
    command = block("bash", "cd models/mine")
    shown = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True)
    text = block("yaml", "me/my-model")
    of_folder, of_prompts = shown.stdout.split()[0], weights_digest(tmp_path / "prompts.jsonl")
    assert text.count("sha256: ...") == 2
    text = text.replace("sha256: ...", f"sha256: {of_folder}", 1)
    (tmp_path / "own.yaml").write_text(text.replace("sha256: ...", f"sha256: {of_prompts}"))
    with running() as url:
        sets = [word for one in (*SMALL, f"rewards.0.url={url}") for word in ("--set", one)]
        assert cli("run", "own.yaml", "--name", "own", "--no-prefect", *sets) == 0
    store = Store(tmp_path / "store")
    record = store.read_run("own")
    assert (store.run_names(), record.arm) == (["own"], None)
    assert [one["weight"] for one in record.config["rewards"]] == [0.5, 0.3, 0.2]
