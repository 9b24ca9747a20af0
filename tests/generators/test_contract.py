"""What every generator has to satisfy, for each one found in `generators` or an entry point."""

import json
import math
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.configuration import SOURCE_TAGS
from data.schemas import TRAINING
from generators.registry import (
    Generator,
    GeneratorConfig,
    InitialConfig,
    available,
    find_generator,
)

pytestmark = pytest.mark.parametrize("kind", list(available()))


@cache
def example(kind: str) -> Generator:
    return find_generator(kind).example()


@cache
def refitted(kind: str) -> Generator:
    model = example(kind)
    return model.refit(curated(kind), iteration=1, seed=4)


@cache
def curated(kind: str) -> pa.Table:
    return example(kind).sample(60, seed=1)


def saved_bytes(model: Generator, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    model.save(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def safetensors_header(path: Path) -> dict[str, object]:
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header: dict[str, object] = json.loads(raw[8 : 8 + length])
    return header


def test_samples_have_the_columns_the_schema_promises(kind: str) -> None:
    model = example(kind)
    samples = model.sample(11, seed=0)
    assert samples.num_rows == 11
    assert samples.schema.equals(model.schema, check_metadata=True)
    for field in model.schema:
        assert field.metadata and field.metadata.get(b"meaning"), f"{field.name} has no meaning"
    assert not {"candidate_id", "group"} & set(model.schema.names)


def test_samples_are_decided_by_the_seed_alone(kind: str) -> None:
    model = example(kind)
    samples = model.sample(20, seed=7)
    model.sample(5, seed=9)
    assert model.sample(20, seed=7).equals(samples)
    assert not model.sample(20, seed=8).equals(samples)


def test_seeds_of_sixty_three_bits_are_accepted(kind: str) -> None:
    assert example(kind).sample(3, seed=2**63 - 1).num_rows == 3


def test_no_samples_can_be_asked_for(kind: str) -> None:
    model = example(kind)
    samples = model.sample(0, seed=0)
    assert samples.num_rows == 0
    assert samples.schema.equals(model.schema)


def test_the_example_is_the_same_at_every_call(kind: str, tmp_path: Path) -> None:
    first = saved_bytes(example(kind), tmp_path / "first")
    assert first == saved_bytes(find_generator(kind).example(), tmp_path / "second")


def test_refit_gives_a_new_model_and_leaves_the_old_one_as_it_was(
    kind: str, tmp_path: Path
) -> None:
    model = find_generator(kind).example()
    before = saved_bytes(model, tmp_path / "before")
    samples, log = model.sample(10, seed=0), model.training_log
    other = model.refit(curated(kind), iteration=0, seed=3)
    assert type(other) is type(model)
    assert other is not model
    assert saved_bytes(model, tmp_path / "after") == before
    assert model.sample(10, seed=0).equals(samples)
    assert model.training_log.equals(log)
    assert not other.sample(10, seed=0).equals(samples)
    assert other.config == model.config


@pytest.mark.parametrize("iteration", [0, 1, 29])
def test_refit_is_decided_by_its_arguments(kind: str, iteration: int, tmp_path: Path) -> None:
    model = example(kind)
    first = model.refit(curated(kind), iteration=iteration, seed=4)
    second = model.refit(curated(kind), iteration=iteration, seed=4)
    assert saved_bytes(first, tmp_path / "first") == saved_bytes(second, tmp_path / "second")
    assert first.training_log.equals(second.training_log)


def test_refit_of_a_loaded_model_equals_refit_of_the_model_itself(
    kind: str, tmp_path: Path
) -> None:
    model = refitted(kind)
    saved_bytes(model, tmp_path / "saved")
    loaded = find_generator(kind).load(tmp_path / "saved", model.config)
    first = model.refit(curated(kind), iteration=2, seed=5)
    second = loaded.refit(curated(kind), iteration=2, seed=5)
    assert saved_bytes(first, tmp_path / "first") == saved_bytes(second, tmp_path / "second")


def test_the_fit_leaves_a_finite_training_log(kind: str) -> None:
    log = refitted(kind).training_log
    assert log.schema.equals(TRAINING)
    assert log.num_rows > 0
    assert log["step"].to_pylist() == sorted(log["step"].to_pylist())
    assert all(math.isfinite(loss) for loss in log["loss"].to_pylist())


def test_metrics_are_finite_numbers(kind: str) -> None:
    measured = refitted(kind).metrics()
    assert all(type(value) is float and math.isfinite(value) for value in measured.values())


@pytest.mark.parametrize("make", [example, refitted], ids=["initial", "refitted"])
def test_a_saved_model_comes_back_the_same(
    kind: str, make: Callable[[str], Generator], tmp_path: Path
) -> None:
    model = make(kind)
    files = saved_bytes(model, tmp_path / "saved")
    assert {"model.safetensors", "config.json"} <= files.keys()
    loaded = find_generator(kind).load(tmp_path / "saved", model.config)
    assert loaded.sample(30, seed=2).equals(model.sample(30, seed=2))
    assert loaded.metrics() == model.metrics()
    assert loaded.training_log.schema.equals(model.training_log.schema, check_metadata=True)
    assert loaded.training_log.num_rows == 0
    assert saved_bytes(loaded, tmp_path / "again") == files


def test_saved_tensors_carry_no_metadata(kind: str, tmp_path: Path) -> None:
    saved_bytes(refitted(kind), tmp_path / "saved")
    assert "__metadata__" not in safetensors_header(tmp_path / "saved" / "model.safetensors")


def test_configuration_survives_json(kind: str) -> None:
    config = example(kind).config
    assert isinstance(config, find_generator(kind).Config)
    assert config.kind == kind
    assert type(config).model_validate_json(config.model_dump_json()) == config


def test_every_configuration_field_has_a_meaning_and_a_source(kind: str) -> None:
    found = find_generator(kind)
    assert issubclass(found.Config, GeneratorConfig)
    assert issubclass(found.InitialConfig, InitialConfig)
    for config in (found.Config, found.InitialConfig):
        for name, field in config.model_fields.items():
            assert field.description, f"{kind}.{name} has no description"
            extra = field.json_schema_extra
            assert isinstance(extra, dict) and extra.get("source") in SOURCE_TAGS, f"{kind}.{name}"


def test_libraries_are_installed_distributions(kind: str) -> None:
    for library in find_generator(kind).libraries:
        assert metadata.version(library)


def test_a_support_holds_every_sample_once_with_its_probability(kind: str) -> None:
    model = refitted(kind)
    support = getattr(model, "support", None)
    if support is None:
        pytest.skip("has no finite support")
    table = support()
    assert table.column_names == [*model.schema.names, "mass"]
    assert table.schema.field("mass").type == pa.float64()
    masses = table["mass"].to_numpy()
    assert masses.min() >= 0
    assert masses.sum() == pytest.approx(1.0, abs=1e-9)
    rows = [tuple(row.values()) for row in table.select(model.schema.names).to_pylist()]
    assert len(set(rows)) == len(rows)
    likely = {row for row, mass in zip(rows, masses, strict=True) if mass > 0}
    drawn = {tuple(row.values()) for row in model.sample(500, seed=3).to_pylist()}
    assert drawn <= likely


def test_a_support_keeps_its_order_and_counts_as_much_as_it_weighs(kind: str) -> None:
    model = refitted(kind)
    support = getattr(model, "support", None)
    if support is None:
        pytest.skip("has no finite support")
    table, names = support(), model.schema.names
    weighted = table.rename_columns([*names, "weight"])
    again = model.refit(weighted, iteration=2, seed=0)
    after = again.support()  # type: ignore[attr-defined]
    assert after.select(names).equals(table.select(names))
    np.testing.assert_allclose(after["mass"].to_numpy(), table["mass"].to_numpy(), rtol=1e-12)
