"""A configuration as commented YAML that `pluralist run FILE.yaml` reads back."""

import json

from pydantic import BaseModel

from data.configuration import SOURCE_TAGS, is_models, plain_value, source_of


def config_yaml(config: BaseModel) -> str:
    """YAML text of `config`; above every field its meaning and the source of its default."""
    lines = ["# Source of each default, in square brackets:"]
    lines += [f"#   {tag}  {meaning}" for tag, meaning in SOURCE_TAGS.items()]
    return "\n".join([*lines, *_model_lines(config, "")])


def _model_lines(config: BaseModel, indent: str) -> list[str]:
    lines = []
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        lines.append(f"{indent}# {field.description} [{source_of(field)}]")
        if isinstance(value, BaseModel):
            lines += [f"{indent}{name}:", *_model_lines(value, indent + "  ")]
        elif is_models(value):
            lines.append(f"{indent}{name}:")
            for item in value:
                lines += [f"{indent}  -", *_model_lines(item, indent + "    ")]
        else:
            # JSON is YAML, and never changes the type of a value.
            lines.append(f"{indent}{name}: {json.dumps(plain_value(value))}")
    return lines
