"""Reading CIFAR-10's layouts, and what is said when they are not there or not whole."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.cifar10 import CLASSES
from data.cifar10_origins import read_hub, read_parquet, read_parquet_file, read_torchvision
from data.errors import ConfigError, EnvironmentProblem
from tests.data.cifar10_files import hub_file, png, write_parquet

IMAGES = np.random.default_rng(0).integers(256, size=(3, 32, 32, 3)).astype(np.uint8)
PNGS = [png(image) for image in IMAGES]
LABELS = [4, 0, 9]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("name", ["train.parquet", "train-00000-of-00001.parquet"])
def test_parquet_rows_come_as_they_stand(tmp_path: Path, name: str) -> None:
    write_parquet(tmp_path / name, PNGS, LABELS)
    rows = read_parquet("train", str(tmp_path))
    np.testing.assert_array_equal(rows.images, IMAGES)
    assert (rows.labels, rows.class_names) == (LABELS, CLASSES)


def test_the_hub_is_read_from_its_cache_without_a_connection(tmp_path: Path) -> None:
    write_parquet(hub_file(tmp_path, "test"), PNGS, LABELS)
    np.testing.assert_array_equal(read_hub("test", str(tmp_path)).images, IMAGES)


def test_without_cache_and_connection_the_command_that_fetches_it_is_given(tmp_path: Path) -> None:
    command = rf"`hf download uoft-cs/cifar10 .*--revision 0b27.* --cache-dir {tmp_path}`"
    with pytest.raises(
        EnvironmentProblem, match=rf"got LocalEntryNotFoundError; run {command}.*data set digits"
    ):
        read_hub("train", str(tmp_path))


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=rf"expected test.parquet or .* in {tmp_path}, fo"):
        read_parquet("test", str(tmp_path))


def test_a_file_that_is_no_parquet_or_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(EnvironmentProblem, match=r"expected a Parquet file in .*; fetch it anew"):
        read_parquet_file(path)
    write_parquet(path, PNGS, LABELS)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(EnvironmentProblem, match="expected a Parquet file"):
        read_parquet_file(path)


@pytest.mark.parametrize(
    "columns",
    [
        {"image": PNGS, "label": LABELS},
        {"img": PNGS, "label": LABELS},
        {"img": [{"bytes": content} for content in PNGS], "fine_label": LABELS},
        {"img": [{"bytes": content} for content in PNGS], "label": ["deer", "airplane", "truck"]},
    ],
)
def test_other_columns_are_refused(tmp_path: Path, columns: dict[str, list[object]]) -> None:
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    with pytest.raises(ConfigError, match=r"expected columns img: struct.*got .*another data set"):
        read_parquet_file(tmp_path / "rows.parquet")


def test_a_foreign_record_of_features_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_parquet(path, PNGS, LABELS)
    for record in ("[]", "{", '{"info": {"features": {"label": {"dtype": "int64"}}}}'):
        table = pq.read_table(path).replace_schema_metadata({"huggingface": record})
        pq.write_table(table, path)
        assert read_parquet_file(path).class_names is None


def test_an_unreadable_image_is_named_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    jpeg_like = b"\xff\xd8\xff\xe0" + bytes(60)
    flipped = bytearray(PNGS[2])
    flipped[20] ^= 255
    for bad in (PNGS[2][:200], jpeg_like, b"", None, bytes(flipped)):
        write_parquet(path, [*PNGS[:2], bad], LABELS)
        with pytest.raises(EnvironmentProblem, match=r"expected a PNG in row 2 of .*fetch the fil"):
            read_parquet_file(path)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (np.zeros((28, 30, 3), np.uint8), "got 28 x 30 in RGB in row 1"),
        (np.zeros((32, 32), np.uint8), "got 32 x 32 in L in row 1"),
        (np.zeros((32, 32, 4), np.uint8), "got 32 x 32 in RGBA in row 1"),
    ],
)
def test_images_of_another_size_or_mode_are_refused(
    tmp_path: Path, image: np.ndarray, found: str
) -> None:
    write_parquet(tmp_path / "rows.parquet", [PNGS[0], png(image)], LABELS[:2])
    with pytest.raises(ConfigError, match=found):
        read_parquet_file(tmp_path / "rows.parquet")


def test_torchvision_without_its_files_says_how_to_fetch_them(tmp_path: Path) -> None:
    with pytest.raises(
        EnvironmentProblem, match=rf"torchvision's CIFAR-10 in {tmp_path}, got: .*download=True\)\""
    ):
        read_torchvision("train", str(tmp_path))


@pytest.mark.parametrize("package", ["PIL.Image", "huggingface_hub", "torchvision"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    read = {"PIL.Image": read_parquet, "huggingface_hub": read_hub}.get(package, read_torchvision)
    write_parquet(tmp_path / "train.parquet", PNGS, LABELS)
    monkeypatch.setitem(sys.modules, package, None)
    name = package.partition(".")[0]
    with pytest.raises(EnvironmentProblem, match=rf"expected package '{name}'.*'\.\[images"):
        read("train", str(tmp_path))


def test_naming_the_origins_loads_no_heavy_package() -> None:
    code = "import sys, data.image_data; sys.exit(bool({'torch', 'PIL'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
