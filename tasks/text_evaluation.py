"""What an evaluation says of texts: their lengths, their variety, their tail."""

import pyarrow as pa

from data.texts import FINISHED, TEXT, texts_of, token_ids_of
from generators.registry import Generator, find_generator
from tasks.context import RunContext
from tasks.places import Place
from tasks.text_metrics import measure_texts
from tasks.token_tail import TOKENS_FILE, TokenTail, token_tail


def measure_text_samples(
    context: RunContext,
    samples: pa.Table,  # n rows
) -> dict[str, float]:
    """Metrics of texts as `measure_texts` names them; empty for samples that are no texts.

    `tail_coverage` is among them where stage `constants` counted p_0's tokens.
    """
    if TEXT not in samples.column_names:
        return {}
    return measure_texts(
        texts_of(samples, "evaluation"),
        token_ids_of(samples),
        samples[FINISHED].to_numpy(),
        tail=context.remember("token tail", _tail),
    )


def measure_held_out(context: RunContext, model: Generator) -> dict[str, float]:
    """`held_out_perplexity` of a model of texts, a token of texts that nothing is trained on."""
    loss = getattr(model, "held_out_loss", None)
    if loss is None:
        return {}
    return {"held_out_perplexity": loss(context.remember("held-out texts", _held_out)).perplexity}


def _held_out(context: RunContext) -> pa.Table:
    kind = find_generator(context.config.generator.kind)
    texts: pa.Table = kind.held_out_data(  # type: ignore[attr-defined]
        context.config.generator, context.config.initial
    )
    return texts


def _tail(context: RunContext) -> TokenTail | None:
    if "constants" not in context.fingerprints.shared:
        return None
    artifact = context.open_place(Place(None, "constants"))
    if TOKENS_FILE not in [entry.path for entry in artifact.manifest.files]:
        return None
    return token_tail(artifact.table(TOKENS_FILE))
