"""Texts to token ids and back: a byte-level BPE of our own, or a published tokenizer."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from data.errors import ConfigError
from data.installation import check_installed
from data.tokenizer_config import PublishedTokenizer, TrainedBpe
from data.tokenizer_folder import (
    GPT2,
    TokenizerParts,
    find_tokenizer,
    read_tokenizer,
    write_tokenizer,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

# In rendered templates instead of a prompt or an answer; none of them contains it.
PLACE = "\ue000text\ue001"


class TextTokenizer:
    """A tokenizer whose special tokens only we can write: in a text they are plain characters.

    So a text with "<|endoftext|>" in it, or a prompt with the marks of a chat, neither ends
    early nor speaks for another.
    """

    def __init__(self, parts: TokenizerParts) -> None:
        self._parts = parts
        self._plain = parts.backend
        self._plain.encode_special_tokens = True

    @classmethod
    def published(cls, folder: Path) -> Self:
        """The tokenizer of a published model; raises as `read_tokenizer`."""
        check_installed("tokenizer", ["tokenizers"])
        return cls(read_tokenizer(folder))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What `save` wrote, among other files perhaps; raises as `read_tokenizer`."""
        return cls.published(folder)

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and tokenizer_config.json, which transformers loads too."""
        write_tokenizer(folder, self._parts)

    @cached_property
    def size(self) -> int:
        """One more than the largest token id: rows that an embedding needs."""
        return max(self._plain.get_vocab().values()) + 1

    @cached_property
    def end_of_text(self) -> int:
        """Id of the token that ends a text."""
        found = self._plain.token_to_id(self._parts.special["eos_token"])
        assert found is not None, "checked on load"
        return found

    @cached_property
    def beginning(self) -> tuple[int, ...]:
        """Ids that the published tokenizer puts before every text, as Llama's does; mostly none.

        A chat template writes them itself.
        """
        text = self._plain.encode("a", add_special_tokens=True)
        return tuple(text.ids[: text.special_tokens_mask.index(0)])

    @cached_property
    def fast(self) -> "PreTrainedTokenizerFast":
        """The same as an object of transformers."""
        check_installed("tokenizer", ["tokenizers", "transformers"])
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
            tokenizer_object=self._plain,
            chat_template=self._parts.chat_template,
            clean_up_tokenization_spaces=False,
            **self._parts.special,
        )

    def encode(self, texts: Sequence[str]) -> list[list[int]]:  # n of (length,)
        """Token ids of every text; none is added, those of `beginning` neither."""
        found = self._plain.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in found]

    def decode(
        self,
        token_ids: Sequence[Sequence[int] | npt.NDArray[np.int32]],  # n of (length,)
    ) -> list[str]:  # n
        """Text of every row of ids, without special tokens; undecodable bytes become U+FFFD.

        Ids beyond the vocabulary, which padded embeddings have, stand for nothing.
        """
        rows = [np.asarray(ids, np.int64).tolist() for ids in token_ids]
        return self._plain.decode_batch(rows, skip_special_tokens=True)

    def chat(self, prompt: str) -> list[int]:
        """Ids of a conversation of one question, up to where the answer begins.

        Raises `ConfigError` for a tokenizer without a chat template.
        """
        if self._parts.chat_template is None:
            raise ConfigError(
                "tokenizer: expected a chat template for prompt_format 'chat', got a tokenizer "
                "without one; set prompt_format to a text with {prompt} in it"
            )
        if not any(token in prompt for token in self._marks):
            return self._marked_ids(self._rendered(prompt))
        # In pieces, so that marks in the prompt stay text; templates that trim it do not here.
        before, _, after = self._rendered(PLACE).partition(PLACE)
        pieces = [self._marked_ids(before), self.encode([prompt])[0], self._marked_ids(after)]
        return [token for piece in pieces for token in piece]

    @cached_property
    def end_of_answer(self) -> int | None:
        """Id of the special token that the chat template writes behind an answer.

        None where it writes another text there, and without a template.
        """
        if self._parts.chat_template is None:
            return None
        behind = self._rendered("?", PLACE).partition(PLACE)[2].lstrip()
        found = [mark for mark in self._marks if behind.startswith(mark)]
        return self._plain.token_to_id(max(found, key=len)) if found else None

    def _rendered(self, prompt: str, answer: str | None = None) -> str:
        """The template with a question and its answer, or up to where the answer begins."""
        conversation = [{"role": "user", "content": prompt}]
        if answer is not None:
            conversation.append({"role": "assistant", "content": answer})
        text = self.fast.apply_chat_template(
            conversation, tokenize=False, add_generation_prompt=answer is None
        )
        assert isinstance(text, str), "not asked to tokenize"
        return text

    def _marked_ids(self, text: str) -> list[int]:
        return self._marked.encode(text, add_special_tokens=False).ids

    @cached_property
    def _marked(self) -> "Tokenizer":
        """The tokenizer for templates, in which special tokens are what they say."""
        from tokenizers import Tokenizer

        return Tokenizer.from_str(self._plain.to_str())

    @cached_property
    def _marks(self) -> tuple[str, ...]:
        added = self._plain.get_added_tokens_decoder().values()
        return tuple(token.content for token in added if token.special)


def train_bpe(texts: Iterable[str], vocab_size: int, *, min_frequency: int = 2) -> TextTokenizer:
    """Byte-level BPE with all 256 bytes, so that every text has ids, and an end of text.

    Smaller than `vocab_size` where no pair occurs `min_frequency` times any more.
    """
    check_installed("tokenizer bpe", ["tokenizers"])
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=[GPT2],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    return TextTokenizer(TokenizerParts(backend, {"eos_token": GPT2}, None))


def make_tokenizer(config: TrainedBpe | PublishedTokenizer, texts: Iterable[str]) -> TextTokenizer:
    """The configured tokenizer, trained on `texts` where it is not a published one.

    Raises as `find_tokenizer` and `read_tokenizer`.
    """
    if isinstance(config, PublishedTokenizer):
        return TextTokenizer.published(find_tokenizer(config.weights))
    return train_bpe(texts, config.vocab_size, min_frequency=config.min_frequency)
