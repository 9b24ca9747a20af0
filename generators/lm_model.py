"""Causal language models of transformers as a configuration and weights by name."""

import json
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError
from data.foreign_tensors import mismatch
from generators.causal_lm_config import ScratchModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

Weights = Mapping[str, "torch.Tensor"]
USER = "generator causal-lm"
# Of the tokenizer, or of this machine and library rather than of the model.
TOKENIZERS_OWN = ("vocab_size", "bos_token_id", "eos_token_id", "pad_token_id")
NOT_THE_MODELS = ("_name_or_path", "transformers_version", "torch_dtype", "dtype")


def scratch_facts(model: ScratchModel, *, num_tokens: int, end_of_text: int) -> dict[str, Any]:
    """transformers' configuration of a new model for a tokenizer, as plain values.

    Raises `ConfigError` for an architecture or a setting that transformers does not know.
    """
    from transformers import AutoConfig

    if model.model_type not in _architectures():
        raise ConfigError(
            f"generator.model.model_type: expected a causal language model of transformers, got "
            f"{model.model_type!r}; use a name such as gpt2, qwen2, llama"
        )
    known = AutoConfig.for_model(model.model_type)
    for name in model.settings:
        if name in TOKENIZERS_OWN:
            raise ConfigError(
                f"generator.model.settings: expected no {name!r}, which is the tokenizer's, got "
                f"{model.settings[name]!r}; leave it out"
            )
        if not hasattr(known, name):
            raise ConfigError(
                f"generator.model.settings: expected fields of transformers' configuration of "
                f"{model.model_type!r}, got {name!r}; check the spelling"
            )
    # No token is padding: an embedding of padding would never be trained.
    tokens = {"vocab_size": num_tokens, "pad_token_id": None}
    tokens |= {"bos_token_id": end_of_text, "eos_token_id": end_of_text}
    try:
        return facts_of(AutoConfig.for_model(model.model_type, **model.settings, **tokens))
    except Exception as error:
        raise _not_buildable(model, error) from error


def check_scratch(model: ScratchModel, max_new_tokens: int) -> None:
    """Raise `ConfigError` for a model that cannot be built, or not go on for so many tokens."""
    facts = scratch_facts(model, num_tokens=2, end_of_text=0)
    try:
        shapes_of(facts)
    except Exception as error:
        raise _not_buildable(model, error) from error
    length = context_length(facts)
    if length is not None and max_new_tokens >= length:
        raise ConfigError(
            f"generator.generation.max_new_tokens: expected less than the model's context of "
            f"{length} tokens, got {max_new_tokens}; lower it, or lengthen the context in "
            "generator.model.settings"
        )


def facts_of(configuration: Any) -> dict[str, Any]:
    """transformers' configuration as plain values."""
    facts: dict[str, Any] = json.loads(configuration.to_json_string(use_diff=False))
    return {name: value for name, value in facts.items() if name not in NOT_THE_MODELS}


def configuration_from(facts: Mapping[str, Any]) -> Any:
    """transformers' configuration with these values."""
    from transformers import AutoConfig

    return type(AutoConfig.for_model(facts["model_type"])).from_dict(dict(facts))


def context_length(facts: Mapping[str, Any]) -> int | None:
    """Tokens the model can see at once; None for one without such a limit."""
    text = configuration_from(facts).get_text_config()
    length: int | None = getattr(text, "max_position_embeddings", None)
    return length


def end_tokens(facts: Mapping[str, Any]) -> set[int]:
    """Tokens that end a text by the model's configuration; none where it does not say."""
    ends = configuration_from(facts).get_text_config().eos_token_id
    if ends is None:
        return set()
    return set(ends) if isinstance(ends, list | tuple) else {ends}


def check_tokenizer(
    facts: Mapping[str, Any], *, num_tokens: int, end_of_text: int, model: str
) -> None:
    """Raise `ConfigError` for a tokenizer that a model, called `model`, was not made with.

    An embedding may be larger than the vocabulary: sizes are often rounded up.
    """
    rows = configuration_from(facts).get_text_config().vocab_size
    ends = end_tokens(facts)
    if num_tokens > rows or (ends and end_of_text not in ends):
        wanted = f" and end of text {' or '.join(str(end) for end in sorted(ends))}" if ends else ""
        raise ConfigError(
            f"{USER}: expected a tokenizer of at most {rows} tokens{wanted} for {model}, got one "
            f"of {num_tokens} tokens and end of text {end_of_text}; use the tokenizer published "
            "with the model"
        )


def random_weights(facts: Mapping[str, Any], *, seed: int) -> "dict[str, torch.Tensor]":
    """Weights as the architecture starts with, on the CPU in single precision."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return weights_of(_built(facts, torch.float32))


def weights_of(model: "torch.nn.Module") -> "dict[str, torch.Tensor]":
    """Parameters and saved buffers by name, on the CPU in single precision; tied ones once."""
    return {name: tensor.float().contiguous() for name, tensor in _named(model).items()}


def shapes_of(facts: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shape of every weight by name."""
    import torch

    with torch.device("meta"):
        return {
            name: tuple(tensor.shape)
            for name, tensor in _named(_built(facts, torch.float32)).items()
        }


def check_weights(facts: Mapping[str, Any], weights: Weights, user: str) -> None:
    """Raise `ConfigError`, led by `user`, for weights of another architecture."""
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if problem := mismatch(found, shapes_of(facts)):
        raise ConfigError(
            f"{user}: expected the weights of the configured model, got others ({problem}); load "
            "them under the configuration they were made with"
        )


def model_with(
    facts: Mapping[str, Any], weights: Weights, *, dtype: "torch.dtype", device: str
) -> "torch.nn.Module":
    """The network with copies of these weights, on the device, in evaluation mode.

    It is built in `dtype` as transformers does, not brought to it: that would round the
    frequencies of rotary positions too, which have to stay in single precision.
    """
    from transformers.initialization import no_init_weights

    with no_init_weights():
        model = _built(facts, dtype)
    model.tie_weights()
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and not set(missing) & _named(model).keys()
    placed: torch.nn.Module = model.to(device).eval()
    return placed


@contextmanager
def quiet_transformers() -> "Iterator[None]":
    """Without the library's progress bars inside."""
    from transformers import utils

    logging: Any = utils.logging  # its functions have no types
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _architectures() -> Any:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return MODEL_FOR_CAUSAL_LM_MAPPING_NAMES


def _built(facts: Mapping[str, Any], dtype: "torch.dtype") -> Any:
    from transformers import AutoModelForCausalLM

    architectures: Any = AutoModelForCausalLM  # its methods have no types
    return architectures.from_config(configuration_from(facts), dtype=dtype)


def _named(model: "torch.nn.Module") -> "dict[str, torch.Tensor]":
    parameters = {name: tensor.detach() for name, tensor in model.named_parameters()}
    every = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    state = model.state_dict()
    return parameters | {name: state[name] for name in state if name not in every}


def _not_buildable(model: ScratchModel, error: Exception) -> ConfigError:
    return ConfigError(
        f"generator.model.settings: expected values that transformers builds a {model.model_type} "
        f"from, got: {' '.join(str(error).split())}; correct generator.model.settings"
    )
