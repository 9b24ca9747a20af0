"""A configuration as commented YAML that `pluralist run FILE.yaml` reads back."""

import json
from typing import Any

from pydantic import BaseModel, TypeAdapter

from data.configuration import SOURCE_TAGS


def config_yaml(config: BaseModel) -> str:
    """YAML text of `config`; above every field its meaning and the source of its default."""
    lines = ["# Source of each default, in square brackets:"]
    lines += [f"#   {tag}  {meaning}" for tag, meaning in SOURCE_TAGS.items()]
    return "\n".join([*lines, *_model_lines(config, "")])


def field_rows(config: BaseModel, path: str = "") -> list[dict[str, Any]]:
    """One row a leaf: path, value, meaning, source tag."""
    rows: list[dict[str, Any]] = []
    for name, field in type(config).model_fields.items():
        value, here = getattr(config, name), f"{path}.{name}" if path else name
        if isinstance(value, BaseModel):
            rows += field_rows(value, here)
        elif _is_models(value):
            for index, item in enumerate(value):
                rows += field_rows(item, f"{here}.{index}")
        else:
            rows.append(
                {
                    "path": here,
                    "value": _plain(value),
                    "meaning": field.description,
                    "source": _source(field.json_schema_extra),
                }
            )
    return rows


def _model_lines(config: BaseModel, indent: str) -> list[str]:
    lines = []
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        lines.append(f"{indent}# {field.description} [{_source(field.json_schema_extra)}]")
        if isinstance(value, BaseModel):
            lines += [f"{indent}{name}:", *_model_lines(value, indent + "  ")]
        elif _is_models(value):
            lines.append(f"{indent}{name}:")
            for item in value:
                lines += [f"{indent}  -", *_model_lines(item, indent + "    ")]
        else:
            # JSON is YAML, and never changes the type of a value.
            lines.append(f"{indent}{name}: {json.dumps(_plain(value))}")
    return lines


def _plain(value: Any) -> Any:
    return TypeAdapter(Any).dump_python(value, mode="json")


def _is_models(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], BaseModel)


def _source(extra: Any) -> str:
    return str(extra["source"]) if isinstance(extra, dict) and "source" in extra else "O"
