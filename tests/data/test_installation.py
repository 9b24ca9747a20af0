import importlib
import re
import tomllib
from pathlib import Path

import pytest

from data import installation
from data.errors import EnvironmentProblem
from data.installation import INSTALL, TELLING, check_installed, imported, install, missing
from data.plugins import PluginFamily


def test_installed_distributions_are_not_missing() -> None:
    assert missing(["numpy", "no-such-package", "absent-either", "numpy"]) == [
        "absent-either",
        "no-such-package",
    ]
    check_installed("anyone", ["numpy", "pyarrow"])


def test_what_is_missing_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        check_installed("generator 'x'", ["numpy", "no-such-package"])
    assert str(caught.value) == (
        "generator 'x': expected no-such-package, numpy to be installed, found no "
        "no-such-package; run `pip install -c constraints.txt '.[images]'`"
    )


@pytest.mark.parametrize(
    ("needed", "extra"),
    [("torchvision", "images"), ("tokenizers", "text"), ("peft", "lora")],
)
def test_the_command_is_that_of_the_extra_with_the_package(needed: str, extra: str) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        check_installed("anyone", [needed, "no-such-package"])
    assert str(caught.value).endswith(f"run `{install(extra)}`")


def test_a_module_is_imported_or_its_package_named_with_the_command() -> None:
    assert imported("importlib", user="anyone") is importlib
    with pytest.raises(EnvironmentProblem) as caught:
        imported("no_such_package.part", user="data set x")
    assert str(caught.value) == (
        "data set x: expected package 'no_such_package', got: No module named 'no_such_package'; "
        f"install it with `{INSTALL}`"
    )


def test_the_commands_install_extras_that_the_project_has() -> None:
    root = Path(installation.__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    assert {"images", "text", "lora"} <= extras.keys()
    for package, extra in TELLING.items():
        assert [name for name in extras if any(map(re.compile(package).match, extras[name]))] == [
            extra
        ]
    assert (root / "constraints.txt").is_file()
    assert INSTALL == "pip install -c constraints.txt '.[images,text]'"


def test_a_module_of_our_own_that_cannot_be_imported_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "ours_for_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "heavy.py").write_text("import no_such_library_anywhere\nTHING: type = object\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    family = PluginFamily("thing", "ours_for_test", "THING", "things.test")
    with pytest.raises(EnvironmentProblem) as caught:
        family.find("heavy")
    assert str(caught.value).endswith(f"install what it needs with `{INSTALL}`")
