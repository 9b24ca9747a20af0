"""Arrow schemas of the committed tables; every field says in its metadata what it holds."""

import pyarrow as pa

SCHEMA_VERSION = 1


def described(name: str, kind: pa.DataType, meaning: str, **extra: str) -> pa.Field:
    """Non-null field whose metadata holds its `meaning` and any `extra` (unit, shape)."""
    return pa.field(name, kind, nullable=False, metadata={"meaning": meaning, **extra})


POINTS = pa.schema(
    [
        described("x", pa.float64(), "coordinate along the axis between the reward centres"),
        described("y", pa.float64(), "coordinate across that axis"),
    ]
)

# In front of the domain's payload in candidates.parquet.
CANDIDATE_KEYS = pa.schema(
    [
        described("candidate_id", pa.int32(), "row number of the candidate in its iteration"),
        described("group", pa.int32(), "number of the prompt; 0 in domains without prompts"),
    ]
)

DRAWS = pa.schema(
    [
        described("draw_id", pa.int32(), "number of the curated draw"),
        described("active_reward", pa.int16(), "index of the reward drawn for this draw"),
    ]
)

WINNERS = pa.schema(
    [
        *DRAWS,
        described("candidate_id", pa.int32(), "candidate that won the draw"),
        described("probability", pa.float64(), "chance the winner had within its pool"),
    ]
)

SURVIVORS = pa.schema(
    [
        described("draw_id", pa.int32(), "number of the draw that kept it; of a seed its own"),
        described("candidate_id", pa.int32(), "candidate that joins the pool"),
    ]
)

POOLS = pa.schema(
    [
        described("draw_id", pa.int32(), "number of the curated draw"),
        described("candidate_ids", pa.list_(pa.int32()), "candidates of the pool, in order"),
    ]
)

FLIPS = pa.schema(
    [
        described("draw_id", pa.int32(), "number of the curated draw"),
        described("flipped", pa.bool_(), "whether the draw preferred the opposite"),
    ]
)

TRAINING = pa.schema(
    [
        described("step", pa.int32(), "step of the fit, from 0"),
        described("loss", pa.float64(), "mean negative log-likelihood after the step", unit="nats"),
    ]
)

# The same columns for networks, whose loss is no likelihood.
NETWORK_TRAINING = pa.schema(
    [
        TRAINING.field("step"),
        described("loss", pa.float64(), "loss of the step's batch, before the step"),
    ]
)

METRICS = pa.schema(
    [
        described("metric", pa.string(), "name of the measured quantity"),
        described("value", pa.float64(), "its value"),
    ]
)

PREDICTIONS = pa.schema(
    [
        described("quantity", pa.string(), "metric the prediction is about"),
        described("predicted", pa.float64(), "value, or bound, the theory gives for this model"),
        described("measured", pa.float64(), "value measured on fresh samples"),
        described("lower", pa.float64(), "least measured value that counts as agreement"),
        described("upper", pa.float64(), "largest measured value that counts as agreement"),
        described("verdict", pa.string(), "holds, violated, or assumption not met"),
        described("basis", pa.string(), "formula and assumption the prediction rests on"),
    ]
)


CONSTANTS = pa.schema(
    [
        described("reward", pa.string(), "name of a reward that is standardised"),
        described("mean", pa.float64(), "mean of its scores on samples of p_0"),
        described("deviation", pa.float64(), "standard deviation of these scores, above 0"),
    ]
)


def scores_schema(reward_names: list[str]) -> pa.Schema:
    """Schema of scores.parquet: candidate_id and one float64 column per configured reward."""
    columns = [
        described(name, pa.float64(), "score of the candidate under this reward, larger is better")
        for name in reward_names
    ]
    return pa.schema([CANDIDATE_KEYS.field("candidate_id"), *columns])
