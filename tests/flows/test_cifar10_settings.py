"""Settings of the image domain as a user gives them: on the command line or from a file."""

from pathlib import Path

import pytest

from flows.cifar10 import DOMAIN
from pluralist.config_text import config_yaml
from pluralist.launch import read_request
from rewards.classifier_config import ClassifierConfig


def test_another_classifier_takes_its_own_recipe_and_the_data_that_are_given() -> None:
    settings = ["data.size=32", "data.origin=parquet", "data.path=here"]
    settings.append("classifier.architecture=resnet20")
    (config,) = read_request("cifar10", "cpu-mini", settings).configs.values()
    data = config.initial.model_dump()["data"]
    assert (data["size"], data["origin"], data["path"]) == (32, "parquet", "here")
    expected = ClassifierConfig.model_validate({"architecture": "resnet20", "data": data})
    assert config.classifier == expected


@pytest.mark.parametrize("preset", DOMAIN.presets)
def test_the_printed_configuration_of_a_preset_is_read_back_as_it_is(
    preset: str, tmp_path: Path
) -> None:
    base = DOMAIN.presets[preset].base()
    path = tmp_path / "printed.yaml"
    path.write_text(config_yaml(base))
    assert read_request(str(path), None, []).configs == {None: base}
