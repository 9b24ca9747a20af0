import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.configuration import FrozenConfig
from data.errors import ConfigError, EnvironmentProblem
from data.plugins import PluginFamily

MODULE = """
from data.configuration import FrozenConfig

class Config(FrozenConfig):
    kind: str
    size: int = 1

class Thing:
    Config = Config
    origin = "{origin}"

THING = Thing
"""


def write_distribution(folder: Path, name: str, version: str, kind: str, target: str) -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[things.test]\n{kind} = {target}\n")


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PluginFamily]:
    package = tmp_path / "things_for_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plain.py").write_text(MODULE.format(origin="own"))
    (package / "two_words.py").write_text(MODULE.format(origin="own"))
    (package / "broken.py").write_text("import no_such_library_anywhere\nTHING: type = object\n")
    (package / "helper.py").write_text("raise AssertionError('imported a helper')\n")
    (package / "_private.py").write_text("THING = None\n")
    (package / "registry.py").write_text("THING = None\n")
    (tmp_path / "outside_for_test.py").write_text(MODULE.format(origin="outside"))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield PluginFamily("thing", "things_for_test", "THING", "things.test")
    for name in [name for name in sys.modules if "_for_test" in name]:
        if name.startswith(("things_for_test", "outside_for_test")):
            del sys.modules[name]


def test_modules_that_export_the_name_are_available_and_helpers_are_not(
    family: PluginFamily,
) -> None:
    assert family.available() == {
        "broken": "pluralist",
        "plain": "pluralist",
        "two-words": "pluralist",
    }


def test_finding_one_module_imports_no_other(family: PluginFamily) -> None:
    assert family.find("two-words").origin == "own"
    loaded = {name for name in sys.modules if name.startswith("things_for_test.")}
    assert loaded == {"things_for_test.two_words"}


def test_another_distribution_adds_a_kind_and_is_named_with_its_version(
    family: PluginFamily, tmp_path: Path
) -> None:
    write_distribution(tmp_path, "foreign", "1.2", "far", "outside_for_test:THING")
    assert family.available()["far"] == "foreign 1.2"
    assert family.find("far").origin == "outside"


def test_a_kind_of_our_own_is_never_replaced(family: PluginFamily, tmp_path: Path) -> None:
    write_distribution(tmp_path, "foreign", "1.2", "plain", "outside_for_test:THING")
    assert family.available()["plain"] == "pluralist"
    assert family.find("plain").origin == "own"


def test_an_unknown_kind_is_refused_with_the_kinds_there_are(family: PluginFamily) -> None:
    with pytest.raises(ConfigError, match="expected one of broken, plain, two-words, got 'plian'"):
        family.find("plian")


def test_a_path_is_no_kind(family: PluginFamily) -> None:
    with pytest.raises(ConfigError, match=r"expected one of .*, got '\.\./plain'"):
        family.find("../plain")


def test_two_distributions_with_the_same_kind_are_refused(
    family: PluginFamily, tmp_path: Path
) -> None:
    write_distribution(tmp_path, "foreign", "1.2", "far", "outside_for_test:THING")
    write_distribution(tmp_path, "other", "3.0", "far", "outside_for_test:THING")
    with pytest.raises(ConfigError, match=r"expected one distribution .* foreign 1.2, other 3.0"):
        family.find("far")


def test_a_module_that_cannot_be_imported_names_what_is_missing(family: PluginFamily) -> None:
    with pytest.raises(EnvironmentProblem, match=r"'broken' of pluralist: .*no_such_library"):
        family.find("broken")


def test_an_entry_point_that_cannot_be_imported_names_its_distribution(
    family: PluginFamily, tmp_path: Path
) -> None:
    write_distribution(tmp_path, "foreign", "1.2", "far", "no_such_module_anywhere:THING")
    with pytest.raises(EnvironmentProblem, match=r"'far' of foreign 1.2: .*no_such_module"):
        family.find("far")


def test_plain_values_become_the_configuration_of_their_kind(family: PluginFamily) -> None:
    parsed = family.parse({"kind": "plain", "size": 3}, FrozenConfig)
    assert type(parsed).__module__ == "things_for_test.plain"
    assert parsed.model_dump() == {"kind": "plain", "size": 3}
    assert family.parse(parsed, FrozenConfig) is parsed


@pytest.mark.parametrize("raw", [{"size": 3}, "plain", {"kind": 3}, None])
def test_values_without_a_kind_are_refused(family: PluginFamily, raw: object) -> None:
    with pytest.raises(ConfigError, match="thing: expected a mapping with the key `kind`, got"):
        family.parse(raw, FrozenConfig)


def test_every_wrong_key_is_named_at_once(family: PluginFamily) -> None:
    with pytest.raises(ConfigError, match="thing 'plain': ") as caught:
        family.parse({"kind": "plain", "size": "big", "colour": 1}, FrozenConfig)
    assert "size: Input should be a valid integer" in str(caught.value)
    assert "got 'big'" in str(caught.value)
    assert "colour: unknown key" in str(caught.value)
