"""What the configuration of a language model refuses, and what it leaves out of fingerprints."""

import pytest
from pydantic import ValidationError

from generators.causal_lm_config import CausalLmConfig


def test_one_process_has_nothing_to_split() -> None:
    with pytest.raises(ValidationError, match="sharding: expected 'none' for one process"):
        CausalLmConfig(sharding="full")
    assert CausalLmConfig().fingerprint_part().keys().isdisjoint({"sharding"})
    split = CausalLmConfig(processes=2, sharding="full")
    assert split.fingerprint_part()["sharding"] == "full"
