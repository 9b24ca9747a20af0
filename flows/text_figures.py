"""Figures of finished runs of text: lengths over the models; and a file with some texts."""

from collections.abc import Sequence
from pathlib import Path

from data.files import replace_file, storage_errors
from flows.text_gallery import excerpts_of, lengths_figure
from tasks.context import RunContext
from tasks.figures import save_figure
from tasks.text_samples import samples_in_terminal


def draw_texts(contexts: Sequence[RunContext], folder: Path) -> list[Path]:
    """lengths.png and .svg, one line an arm, and samples.txt, escaped for a terminal."""
    arms = {context.record.arm or context.run: context for context in contexts}
    parts = [f"{arm}\n{samples_in_terminal(excerpts_of(run))}\n" for arm, run in arms.items()]
    texts = folder / "samples.txt"
    with storage_errors(folder):
        drawn = save_figure(lengths_figure(arms), folder, "lengths")
        replace_file(texts, "\n".join(parts).encode())
    return [*drawn, texts]
