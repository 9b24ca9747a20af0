"""Tokenizers in the manner of Qwen2.5, with a chat template, and of Llama, which begin a text."""

from collections.abc import Sequence

from tokenizers import processors

from data.text_tokenizer import TextTokenizer, train_bpe

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKS = ["<|im_start|>", "<|im_end|>"]


def with_chat(texts: Sequence[str], *, template: str = CHAT) -> TextTokenizer:
    """Its marks are the last two tokens; its end of text is another one."""
    parts = train_bpe(texts, 400)._parts._replace(chat_template=template)
    parts.backend.add_special_tokens(MARKS)
    return TextTokenizer(parts)


def with_beginning(texts: Sequence[str]) -> TextTokenizer:
    """It puts its last token, <s>, around a text."""
    parts = train_bpe(texts, 400)._parts
    parts.backend.add_special_tokens(["<s>"])
    begin = ("<s>", parts.backend.token_to_id("<s>"))
    parts.backend.post_processor = processors.TemplateProcessing("<s> $A <s>", None, [begin])
    return TextTokenizer(parts)
