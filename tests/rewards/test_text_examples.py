from data.texts import prompts_of, text_schema, texts_of
from rewards.text_examples import MAX_WORDS, random_conversations
from rewards.words import word_counts


def test_examples_have_prompts_and_texts_of_every_length_from_none() -> None:
    table = random_conversations(2000, seed=1)
    assert table.schema == text_schema(with_prompts=True)
    counts = word_counts(texts_of(table, "test"))
    assert set(counts) == set(range(MAX_WORDS + 1))
    prompts = word_counts(prompts_of(table, "test"))
    assert (prompts.min(), prompts.max()) == (3, 8)
