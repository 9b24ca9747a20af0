"""Files of a tokenizer: tokenizer.json, or GPT-2's vocab.json and merges.txt, with settings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from data.canonical import canonical_json
from data.errors import ConfigError, EnvironmentProblem
from data.published_weights import PublishedWeights, find_files

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER, SETTINGS, TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"
ON_HUB = (TOKENIZER, SETTINGS)
VOCABULARY, MERGES = "vocab.json", "merges.txt"
SPECIAL = ("bos_token", "eos_token", "unk_token", "pad_token")
GPT2 = "<|endoftext|>"


class TokenizerParts(NamedTuple):
    """A tokenizer as it is kept: `special` has SPECIAL's names, `eos_token` always."""

    backend: "Tokenizer"
    special: dict[str, str]
    chat_template: str | None


def find_tokenizer(weights: PublishedWeights) -> Path:
    """Folder with the files of a published tokenizer.

    The SHA-256 of a given folder is that of `names_in` it. Raises as `find_files`.
    """
    if weights.folder is None:
        return find_files(weights, ON_HUB, optional=(TEMPLATE,))
    return find_files(weights, names_in(Path(weights.folder)))


def names_in(folder: Path) -> list[str]:
    """Files that make up the tokenizer in a folder; tokenizer.json where there are both layouts.

    Raises `EnvironmentProblem` for a folder without one.
    """
    for names in ([TOKENIZER], [VOCABULARY, MERGES]):
        if all((folder / name).is_file() for name in names):
            return names + [name for name in (SETTINGS, TEMPLATE) if (folder / name).is_file()]
    raise EnvironmentProblem(
        f"tokenizer in {folder}: expected {TOKENIZER}, or {VOCABULARY} and {MERGES}, found "
        "neither; put the published files there"
    )


def read_tokenizer(folder: Path) -> TokenizerParts:
    """The tokenizer in a folder, without padding and truncation.

    Raises `EnvironmentProblem` for absent or unreadable files, `ConfigError` for a tokenizer
    without an end of text and for vocab.json of another kind than GPT-2's.
    """
    names = names_in(folder)
    try:
        settings = json.loads((folder / SETTINGS).read_bytes()) if SETTINGS in names else {}
        # GPT-2's own settings on the hub leave it out.
        settings.setdefault("eos_token", GPT2)
        backend = _backend(folder, names, settings)
    except (ConfigError, ImportError):
        raise
    except Exception as error:  # the tokenizers library raises nothing narrower
        raise EnvironmentProblem(
            f"tokenizer in {folder}: expected readable {', '.join(names)}, got: {error}; fetch "
            "them anew"
        ) from error
    backend.no_padding()
    backend.no_truncation()
    special = _special(backend, settings, folder)
    backend.add_special_tokens(sorted(set(special.values())))
    template = (folder / TEMPLATE).read_text("utf-8") if TEMPLATE in names else _template(settings)
    return TokenizerParts(backend, special, template)


def write_tokenizer(folder: Path, parts: TokenizerParts) -> None:
    """Write tokenizer.json and tokenizer_config.json; equal tokenizers give equal bytes."""
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        **parts.special,
        **({} if parts.chat_template is None else {"chat_template": parts.chat_template}),
    }
    (folder / TOKENIZER).write_text(parts.backend.to_str() + "\n", "utf-8")
    (folder / SETTINGS).write_bytes(canonical_json(settings) + b"\n")


def _backend(folder: Path, names: list[str], settings: dict[str, Any]) -> "Tokenizer":
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    if TOKENIZER in names:
        return Tokenizer.from_file(str(folder / TOKENIZER))
    kind = settings.get("tokenizer_class", "GPT2Tokenizer")
    if kind.removesuffix("Fast") != "GPT2Tokenizer":
        # Others cut a text into words in ways that only tokenizer.json tells.
        raise ConfigError(
            f"tokenizer in {folder}: expected {TOKENIZER} for a {kind}, got {VOCABULARY} and "
            f"{MERGES} only; put its {TOKENIZER} there"
        )
    backend = Tokenizer(models.BPE.from_file(str(folder / VOCABULARY), str(folder / MERGES)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(
        add_prefix_space=bool(settings.get("add_prefix_space", False))
    )
    backend.decoder = decoders.ByteLevel()
    return backend


def _special(backend: "Tokenizer", settings: dict[str, Any], folder: Path) -> dict[str, str]:
    found = {}
    for name in SPECIAL:
        value = settings.get(name)
        token = value.get("content") if isinstance(value, dict) else value
        # Some settings name a token that the vocabulary has not; adding it would shift sizes.
        if isinstance(token, str) and backend.token_to_id(token) is not None:
            found[name] = token
    if "eos_token" not in found:
        raise ConfigError(
            f"tokenizer in {folder}: expected an end of text in its vocabulary, got eos_token "
            f"{settings.get('eos_token')!r} in {SETTINGS}; a text could never end: name the token"
        )
    return found


def _template(settings: dict[str, Any]) -> str | None:
    """The chat template; of several with names the one called default."""
    found = settings.get("chat_template")
    if isinstance(found, list):
        found = {one.get("name"): one.get("template") for one in found}.get("default")
    return found if isinstance(found, str) else None
