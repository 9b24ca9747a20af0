"""The rooms: names, docstrings, sizes, what importing them costs."""

import ast
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from pluralist.rooms import ROOMS, describe_intruders, find_intruders

ROOT = Path(__file__).parent.parent
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "benchmarks").rglob("*.py"))


def others() -> dict[str, list[str]]:
    """Top-level names of all installed distributions but ours."""
    return {
        name: [one for one in owners if one != "pluralist"]
        for name, owners in metadata.packages_distributions().items()
    }


def test_all_eight_rooms_come_from_one_folder() -> None:
    assert find_intruders() == []


def test_a_foreign_package_of_the_same_name_ends_with_code_7(tmp_path: Path) -> None:
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


def test_no_room_shares_its_name_with_an_installed_distribution() -> None:
    taken = others()
    assert {room: taken[room] for room in ROOMS if taken.get(room)} == {}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_shares_its_name_with_the_standard_library_or_a_dependency(path: Path) -> None:
    name = path.parent.name if path.name == "__init__.py" else path.stem
    assert name not in sys.stdlib_module_names
    if name not in ROOMS:
        assert not others().get(name)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_public_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    missing = [
        f"{path.name}:{node.lineno} {node.name}"
        for parent in ast.walk(tree)
        if isinstance(parent, ast.Module | ast.ClassDef)
        for node in parent.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert missing == []


def test_files_stay_short() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in [*MODULES, *TESTS]}
    long = {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > 300}
    assert {name for name in long if not name.startswith("tests")} == set()


def test_importing_the_lower_rooms_loads_nothing_heavy() -> None:
    heavy = ("torch", "sklearn", "prefect", "matplotlib", "transformers")
    code = (
        "import sys, json, data.store, data.commit, theory.limits, rewards.quadratic, "
        f"generators.mixture; print(json.dumps([n for n in {heavy} if n in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert json.loads(done.stdout) == []


def test_constraints_pin_versions_and_name_no_place() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line
