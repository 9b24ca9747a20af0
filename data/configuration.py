"""Base of every configuration model: frozen, closed, each field with meaning and source tag.

Source tags say where a default comes from: S stated in the paper's text, Q quoted from the
paper by an independent reproduction, A the first author's scripts, F Ferbach et al. 2024,
T torchcfm's CIFAR-10 recipe, R recovered by matching printed numbers, O our own choice.
"""

from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializationInfo,
    TypeAdapter,
    ValidationError,
    model_serializer,
)
from pydantic.fields import FieldInfo

SOURCE_TAGS = {
    "S": "stated in the paper",
    "Q": "quoted from the paper by an independent reproduction",
    "A": "first author's scripts",
    "F": "Ferbach et al. 2024",
    "T": "torchcfm's CIFAR-10 recipe",
    "R": "recovered by matching printed numbers",
    "O": "our choice",
}
FOR_FINGERPRINT = {"for": "fingerprint"}


class FrozenConfig(BaseModel):
    """Immutable configuration that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_serializer(mode="wrap")
    def _leave_out(self, handler: Any, info: SerializationInfo) -> dict[str, Any]:
        """Plain values without neutral `added` fields; for fingerprints without `location` ones."""
        plain: dict[str, Any] = handler(self)
        for name, field in type(self).model_fields.items():
            extra = field.json_schema_extra
            if not isinstance(extra, dict):
                continue
            neutral = extra.get("added") and getattr(self, name) == field.default
            if neutral or (extra.get("location") and info.context == FOR_FINGERPRINT):
                plain.pop(name, None)
        return plain

    def fingerprint_part(self) -> dict[str, Any]:
        """Plain values of all that decides results, at any depth."""
        return self.model_dump(mode="json", context=FOR_FINGERPRINT)


def setting(
    default: Any,
    meaning: str,
    source: str,
    *,
    added: bool = False,
    location: bool = False,
    **constraints: Any,
) -> Any:
    """Field with a default, its `meaning` in words and the `source` tag of the default.

    `default` may be `...` for a required value. `added` marks a field that earlier releases did
    not have: its default must be what they did and never change, and is left out of records
    and fingerprints, so that their runs go on. `location` marks one that says where something
    is or how the work is shared, not what it is: recorded, but in no fingerprint.
    `constraints` are pydantic's (`ge`, `gt`, ...).
    Raises `AssertionError` for a tag outside `SOURCE_TAGS`.
    """
    assert source in SOURCE_TAGS, f"unknown source tag {source!r}"
    extra: dict[str, Any] = {"source": source, "added": added, "location": location}
    return Field(default, description=meaning, json_schema_extra=extra, **constraints)


def describe_errors(error: ValidationError) -> str:
    """A validation error in one message: each wrong key, what was expected, what came."""
    lines = []
    problems = error.errors()
    for problem in problems:
        # Pydantic counts what is left of a tuple after its wrong items are gone.
        if problem["type"] == "too_short" and any(
            other["loc"][: len(problem["loc"])] == problem["loc"] != other["loc"]
            for other in problems
        ):
            continue
        place = ".".join(str(part) for part in problem["loc"])
        text = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            text = "unknown key; `pluralist config DOMAIN` prints all there are"
        elif problem["type"] not in ("value_error", "missing"):
            text = f"{text}, got {problem['input']!r}"
        lines.append(f"{place}: {text}" if place else text)
    return "; ".join(lines)


def field_rows(config: BaseModel, path: str = "") -> list[dict[str, Any]]:
    """One row a leaf: path, value, meaning, source tag."""
    rows: list[dict[str, Any]] = []
    for name, field in type(config).model_fields.items():
        value, here = getattr(config, name), f"{path}.{name}" if path else name
        if isinstance(value, BaseModel):
            rows += field_rows(value, here)
        elif is_models(value):
            for index, item in enumerate(value):
                rows += field_rows(item, f"{here}.{index}")
        else:
            rows.append(
                {
                    "path": here,
                    "value": plain_value(value),
                    "meaning": field.description,
                    "source": source_of(field),
                }
            )
    return rows


def source_of(field: FieldInfo) -> str:
    """Source tag of a field's default; our own choice where a plugin gives none."""
    extra = field.json_schema_extra
    return str(extra["source"]) if isinstance(extra, dict) and "source" in extra else "O"


def plain_value(value: Any) -> Any:
    """A field's value as JSON has it."""
    return TypeAdapter(Any).dump_python(value, mode="json")


def is_models(value: Any) -> bool:
    """Whether a field's value is a row of configurations."""
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], BaseModel)
