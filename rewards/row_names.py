"""What a message calls one of the samples that a reward was given."""

import pyarrow as pa


def row_name(
    samples: pa.Table,  # n rows
    row: int,
) -> str:
    """The candidate's number where there is one: a reward sees a batch, and counts rows in it."""
    if "candidate_id" in samples.column_names:
        return f"candidate {samples['candidate_id'][row].as_py()}"
    return f"row {row} of {samples.num_rows} scored together"
