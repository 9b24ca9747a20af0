"""Base of every configuration model: frozen, closed, each field with meaning and source tag.

Source tags say where a default comes from: S stated in the paper's text, Q quoted from the
paper by an independent reproduction, A the first author's scripts, F Ferbach et al. 2024,
T torchcfm's CIFAR-10 recipe, R recovered by matching printed numbers, O our own choice.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_serializer

SOURCE_TAGS = {
    "S": "stated in the paper",
    "Q": "quoted from the paper by an independent reproduction",
    "A": "first author's scripts",
    "F": "Ferbach et al. 2024",
    "T": "torchcfm's CIFAR-10 recipe",
    "R": "recovered by matching printed numbers",
    "O": "our choice",
}


class FrozenConfig(BaseModel):
    """Immutable configuration that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_serializer(mode="wrap")
    def _leave_out_added(self, handler: Any) -> dict[str, Any]:
        """Plain values; a field that a later release added stays out while it is neutral."""
        plain: dict[str, Any] = handler(self)
        for name, field in type(self).model_fields.items():
            extra = field.json_schema_extra
            if (
                isinstance(extra, dict)
                and extra.get("added")
                and getattr(self, name) == (field.default)
            ):
                plain.pop(name, None)
        return plain


def setting(
    default: Any, meaning: str, source: str, *, added: bool = False, **constraints: Any
) -> Any:
    """Field with a default, its `meaning` in words and the `source` tag of the default.

    `default` may be `...` for a required value. `added` marks a field that earlier releases did
    not have: its default must be what they did and never change, and is left out of records
    and fingerprints, so that their runs go on. `constraints` are pydantic's (`ge`, `gt`, ...).
    Raises `AssertionError` for a tag outside `SOURCE_TAGS`.
    """
    assert source in SOURCE_TAGS, f"unknown source tag {source!r}"
    extra: dict[str, Any] = {"source": source, "added": added}
    return Field(default, description=meaning, json_schema_extra=extra, **constraints)


def describe_errors(error: ValidationError) -> str:
    """A validation error in one message: each wrong key, what was expected, what came."""
    lines = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"])
        text = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            text = "unknown key; `pluralist config DOMAIN` prints all there are"
        elif problem["type"] not in ("value_error", "missing"):
            text = f"{text}, got {problem['input']!r}"
        lines.append(f"{place}: {text}" if place else text)
    return "; ".join(lines)
