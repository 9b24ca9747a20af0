"""Bad input for texts: one clear message, the documented exit code, nothing that was good lost."""

import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import huggingface_hub
import pytest
import yaml
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError

from data.store import Store
from flows.domain import merge
from pluralist.listing import stage_digests
from tasks.context import RunContext
from tests.data.text_sources import given, write_columns
from tests.flows.text_runs import tiny_gpt2, tiny_qwen
from tests.generators.test_lm_published import in_folder, write_model
from tests.pluralist.conftest import Cli

Capture = pytest.CaptureFixture[str]
QUESTIONS = [f"What is number {number} for?" for number in range(60)]
PINNED = {"repo": "owner/model", "revision": "a" * 40}


def yaml_file(folder: Path, changes: dict[str, Any], *, domain: str = "qwen") -> str:
    """The path of a file with the tiny configuration of the domain under `changes`."""
    path = folder / "tiny.yaml"
    base = tiny_gpt2() if domain == "gpt2" else tiny_qwen()
    path.write_text(yaml.safe_dump(merge(base.model_dump(mode="json"), changes)))
    return str(path)


def prompts_in(path: Path, content: str | bytes) -> dict[str, Any]:
    """A change to the prompts of a file with that content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return {"prompts": {"source": {"kind": "prompt-file", **given(path)}}}


def committed(store: Path, run: str) -> dict[str, str]:
    opened = Store(store)
    return {str(place): digest for place, digest in stage_digests(opened, opened.read_run(run))}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "\n\n", "prompts in split 'train', got none of 0; about one in ten is held out"),
        ("a.txt", "one\ntwo", "expected prompts in split 'held-out', got none of 2; about one"),
        (
            "a.txt",
            "\n".join([*QUESTIONS[:41], "why " * 400, *QUESTIONS]),
            "prompts of at most 244 tokens (the model's context of 256 less "
            "generation.max_new_tokens 12), got 1202 in prompt 42; shorten the prompt, or lower "
            "generator.generation.max_new_tokens",
        ),
        (
            "a.jsonl",
            b'{"prompt": "fine"}\n{"prompt": "x\\ud83d"}\n',
            "a Unicode text in line 2 of {path}, got a lone surrogate U+D83D at 1; repair it or",
        ),
    ],
    ids=["empty", "too few", "too long", "surrogate"],
)
def test_prompts_that_cannot_be_answered_end_a_run_before_anything_is_trained(
    cli: Cli, capsys: Capture, tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    path = yaml_file(tmp_path, prompts_in(tmp_path / name, content))
    assert cli("run", path, "--name", "bad", "--no-prefect") == 2
    captured = capsys.readouterr()
    assert message.format(path=tmp_path / name) in captured.err
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1
    assert "resume with" not in captured.err, "resuming repeats it"
    assert captured.out == ""
    assert not list((tmp_path / "store").rglob("manifest.json"))
    assert json.loads((tmp_path / "store/runs/bad/failure.json").read_text())["exit_code"] == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "python-topics", "min_words": 900, "max_words": 999}, "got none of 0; about"),
        (
            {"kind": "ultrafeedback", "origin": "parquet", "sources": ["evol_instruct"]},
            "expected prompts of source evol_instruct in {path}, got there (60); correct sources",
        ),
    ],
    ids=["words", "sources"],
)
def test_a_filter_that_leaves_no_prompts_ends_with_code_2(
    cli: Cli, capsys: Capture, tmp_path: Path, source: dict[str, Any], message: str
) -> None:
    path = tmp_path / "p.parquet"
    if "origin" in source:
        write_columns(path, {"prompt": QUESTIONS, "source": ["there"] * len(QUESTIONS)})
        source = {**source, **given(path)}
    config = yaml.safe_load(Path(yaml_file(tmp_path, {})).read_text())
    config["prompts"]["source"] = source
    (tmp_path / "filter.yaml").write_text(yaml.safe_dump(config))
    assert cli("run", str(tmp_path / "filter.yaml"), "--no-prefect") == 2
    assert message.format(path=path) in capsys.readouterr().err
    assert not list((tmp_path / "store").rglob("manifest.json"))


def test_more_prompts_a_round_than_there_are_are_noticed_before_anything_is_trained(
    cli: Cli, capsys: Capture, tmp_path: Path
) -> None:
    changes = prompts_in(tmp_path / "a.txt", "\n".join(QUESTIONS))
    sizes = {"prompts": {"per_round": 90}, "num_candidates": 270, "selection": {"num_curated": 90}}
    assert cli("run", yaml_file(tmp_path, merge(changes, sizes)), "--no-prefect") == 2
    assert "prompts.per_round: expected at most the 5" in capsys.readouterr().err
    assert not list((tmp_path / "store").rglob("manifest.json"))


def test_a_tokenizer_of_another_model_ends_with_code_2(
    cli: Cli, capsys: Capture, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    write_model(folder)
    weights = {**PINNED, "folder": str(folder), "sha256": in_folder(folder).sha256}
    config = yaml.safe_load(Path(yaml_file(tmp_path, {})).read_text())
    config["generator"]["model"] = {"kind": "published", "weights": weights}
    config["initial"]["tokenizer"]["vocab_size"] = 400
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(config))
    assert cli("run", str(tmp_path / "other.yaml"), "--no-prefect") == 2
    message = capsys.readouterr().err
    assert "expected a tokenizer of at most 300 tokens and end of text 0 for owner/model" in message
    assert "got one of 400 tokens" in message and "use the tokenizer published with" in message
    assert not list((tmp_path / "store").rglob("manifest.json"))


@pytest.mark.parametrize("what", ["generator", "reward"])
def test_a_gated_model_without_a_token_ends_with_code_7_and_the_command(
    cli: Cli, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def snapshot_download(*_: Any, local_files_only: bool, **__: Any) -> str:
        if local_files_only:
            raise LocalEntryNotFoundError("nothing")
        raise GatedRepoError.__new__(GatedRepoError)  # its constructor wants an answer of the hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    config = yaml.safe_load(Path(yaml_file(tmp_path, {})).read_text())
    if what == "generator":
        config["generator"]["model"] = {"kind": "published", "weights": PINNED}
        config["initial"]["tokenizer"] = None
        names = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
        patterns = " ".join(f"--include '{name}'" for name in ("model*.safetensors*", *names))
        command = f"`hf download owner/model {patterns} --revision {'a' * 40}`"
    else:
        config["rewards"] = [{"kind": "llama-guard", "model": PINNED}]
        command = "`hf download owner/model "
    (tmp_path / "gated.yaml").write_text(yaml.safe_dump(config))
    assert cli("run", str(tmp_path / "gated.yaml"), "--name", "gated", "--no-prefect") == 7
    message = capsys.readouterr().err
    assert message.startswith("error: weights of owner/model: expected the environment variable HF")
    assert (
        "accept its terms at https://huggingface.co/owner/model, set HF_TOKEN and run " in message
    )
    assert command in message and message.count("hf download") == 1
    assert "resume with: pluralist resume gated" in message, "once it is there"


class Server(HTTPServer):
    """Scores texts as it is told, or is down; the check before a run finds it well."""

    does = "well"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        texts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["texts"]
        does = self.server.does if texts else "well"
        scores = [float("nan") if does == "nan" else float(len(text)) for text in texts]
        content = json.dumps({"scores": scores[does == "short" :]}).encode()
        self.send_response(503 if does == "down" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
        pass


@pytest.fixture
def reward_server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.slow  # four times a stage of scoring, and two models
def test_a_reward_server_that_fails_ends_a_run_that_resumes_once_it_answers(
    cli: Cli, capsys: Capture, tmp_path: Path, reward_server: Server
) -> None:
    url = f"http://127.0.0.1:{reward_server.server_address[1]}/"
    own = {"kind": "reward-server", "url": url, "model": "m", "num_attempts": 2}
    changes = {"rewards": [{**own, "first_wait_seconds": 0.0}], "iterations": 1}
    path = yaml_file(tmp_path, changes)
    call, store = ("run", path, "--name", "served", "--no-prefect"), tmp_path / "store"
    kept: dict[str, str] = {}
    for does, code, message in (
        ("down", 3, f"expected an answer of {url}, got none in 2 attempts (status 503: "),
        ("short", 7, f"expected 12 scores of {url}, one a text, got 11; correct the server's"),
        ("nan", 4, f"expected finite scores of {url}, got nan for row 0 of 12 scored "),
    ):
        reward_server.does = does
        assert cli(*call) == code
        error = capsys.readouterr().err
        assert f"error: reward reward-server: {message}" in error
        assert "resume with: pluralist resume served" in error
        found = committed(store, "served")
        assert kept.items() <= found.items() and "initial" in found
        kept = found
    reward_server.does = "well"
    assert cli("resume", "served", "--no-prefect") == 0
    assert kept.items() <= committed(store, "served").items()
    assert cli("verify", "served") == 0


def test_a_reward_server_that_is_not_there_ends_with_code_7_before_anything_is_trained(
    cli: Cli, capsys: Capture, tmp_path: Path
) -> None:
    own = {"kind": "reward-server", "url": "http://127.0.0.1:9/", "model": "m", "num_attempts": 1}
    assert cli("run", yaml_file(tmp_path, {"rewards": [own]}), "--no-prefect") == 7
    assert (
        "expected a server at http://127.0.0.1:9/, got no answer in 1 at" in capsys.readouterr().err
    )
    assert not list((tmp_path / "store").rglob("manifest.json"))


@pytest.mark.slow  # the rest of a run, after the run of the fixture
@pytest.mark.parametrize(
    ("domain", "where", "lost", "setting"),
    [
        (
            "gpt2", "generators.lm_generation._Batch._next_logits", "iteration-0001/sample",
            "fork with a lower generator.generation.batch_size",
        ),
        (
            "qwen", "generators.lm_training._State.advance", "iteration-0001/retrain",
            "fork with a lower generator.refit.micro_batch_size, which keeps the step what it is",
        ),
    ],
    ids=["generation", "fine-tuning"],
)  # fmt: skip
def test_a_lack_of_memory_ends_with_code_3_and_the_setting_and_resumes_to_the_same_digests(
    cli: Cli,
    capsys: Capture,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    domain: str,
    where: str,
    lost: str,
    setting: str,
) -> None:
    import torch

    finished: RunContext = request.getfixturevalue(f"{domain}_run")
    store = Path(shutil.copytree(finished.store.root, tmp_path / "store"))
    stages = ["sample", "draw", "select", "retrain", "evaluate"]
    for stage in stages[stages.index(lost.partition("/")[2]) :]:
        shutil.rmtree(store / "runs" / domain / "iteration-0001" / stage)
    before = Store(store).read_run(domain).config

    def refused(*_: object) -> None:
        torch.empty(2**60)

    with monkeypatch.context() as patched:
        patched.setattr(where, refused)
        assert cli("resume", domain, "--no-prefect") == 3
    error = capsys.readouterr().err
    assert "error: generator causal-lm: expected " in error and setting in error
    assert "(can't allocate memory: you tried to allocate 4611686018427387904 bytes)" in error
    assert f"resume with: pluralist resume {domain}" in error
    assert lost not in committed(store, domain)
    assert Store(store).read_run(domain).config == before, "no batch size is changed silently"
    assert cli("resume", domain, "--no-prefect") == 0
    assert committed(store, domain) == committed(finished.store.root, domain)
