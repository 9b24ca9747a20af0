"""The shape of the checkout: eight flat packages, no shadowed names, no heavy imports, pins."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from pluralist.rooms import ROOMS, describe_intruders, find_intruders

ROOT = Path(__file__).resolve().parent.parent
BELOW_PREFECT = ("rewards", "generators", "theory", "data")
MAX_LINES = 300
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

IMPORT_EVERYTHING_LOW = f"""
import importlib, pkgutil, sys
for room in {BELOW_PREFECT!r}:
    package = importlib.import_module(room)
    for module in pkgutil.iter_modules(package.__path__, room + "."):
        importlib.import_module(module.name)
heavy = sorted({{"torch", "sklearn", "prefect", "matplotlib"}} & set(sys.modules))
sys.exit(", ".join(heavy) + " imported" if heavy else 0)
"""


def sources(*folders: str) -> list[Path]:
    """Every Python file below the folders; at least one in each, or the test looks at nothing."""
    found = {folder: sorted((ROOT / folder).rglob("*.py")) for folder in folders}
    assert all(found.values()), f"folders without a Python file: {found}"
    return [path for paths in found.values() for path in paths]


def importable() -> list[Path]:
    """The eight package folders and every module in them."""
    return [ROOT / room for room in ROOMS] + sources(*ROOMS)


def project() -> dict[str, object]:
    """The parsed pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def foreign_top_level_names() -> set[str]:
    """Top-level import names that some installed distribution other than ours claims."""
    return {
        name for name, owners in packages_distributions().items() if set(owners) - {"pluralist"}
    }


def public_definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Public functions and classes, and the public methods of the latter, with dotted names."""
    for node in body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from public_definitions(node.body, f"{prefix}{node.name}.")


def imported_names(path: Path) -> set[str]:
    """Top-level names a file imports anywhere, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def pins() -> list[str]:
    """The lines of constraints.txt that are not comments."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def normal(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_eight_packages_come_from_this_checkout() -> None:
    specs = {room: find_spec(room) for room in ROOMS}
    origins = {room: spec.origin if spec else None for room, spec in specs.items()}
    assert origins == {room: str(ROOT / room / "__init__.py") for room in ROOMS}


def test_a_foreign_package_of_the_same_name_ends_with_code_7(tmp_path: Path) -> None:
    assert find_intruders() == []
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", "from pluralist.command import main; main()", "ls"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    assert done.returncode == 7
    assert f"got tasks from {tmp_path}" in done.stderr
    assert "Traceback" not in done.stderr
    assert "take the intruder off PYTHONPATH" in describe_intruders(["tasks from x"])


def test_the_packaging_and_the_import_rules_name_the_same_eight_packages() -> None:
    tool = project()["tool"]
    assert isinstance(tool, dict)
    assert set(tool["setuptools"]["packages"]) == set(ROOMS)
    assert set(tool["importlinter"]["root_packages"]) == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_packages_are_flat_because_the_packaging_lists_no_subpackage(room: str) -> None:
    assert {path.parent for path in sources(room)} == {ROOT / room}


def test_no_module_shares_a_name_with_the_standard_library() -> None:
    assert [path for path in importable() if path.stem in sys.stdlib_module_names] == []


def test_no_module_shares_a_name_with_an_installed_distribution() -> None:
    foreign = foreign_top_level_names()
    assert "numpy" in foreign  # the listing works
    assert [path for path in importable() if path.stem in foreign] == []


def test_every_public_function_and_class_has_a_docstring() -> None:
    missing = [
        f"{path.relative_to(ROOT)}:{name}"
        for path in sources(*ROOMS)
        for name, node in public_definitions(ast.parse(path.read_text(encoding="utf-8")).body)
        if not ast.get_docstring(node)
    ]
    assert missing == []


def test_no_file_is_longer_than_one_thing_needs() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in sources(*ROOMS, "tests", "benchmarks")
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_only_flows_tasks_deploy_and_pluralist_import_prefect() -> None:
    assert [path for path in sources(*BELOW_PREFECT) if "prefect" in imported_names(path)] == []


def test_the_low_packages_import_silently_and_without_heavy_libraries() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING_LOW],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_constraints_hold_names_and_versions_only() -> None:
    pin = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.!]*")
    assert [line for line in pins() if not pin.fullmatch(line)] == []


def test_constraints_pin_every_direct_dependency() -> None:
    table = project()["project"]
    assert isinstance(table, dict)
    groups = [table["dependencies"], *table["optional-dependencies"].values()]
    wanted = [requirement for group in groups for requirement in group]
    names = {normal(re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0]) for one in wanted}
    names.remove("pluralist")  # an extra that holds another
    assert names - {normal(line.partition("==")[0]) for line in pins()} == set()
