"""In what precision a language model is computed, chosen by device and recorded."""

from generators.causal_lm_config import Precision
from generators.network_precision import gpu_computes_bf16, resolved_dtype


def resolved_precision(precision: Precision, device: str) -> dict[str, str]:
    """What `precision` means on `device` ("cpu", "cuda"): its `dtype`.

    `auto` is fp32 on a CPU; on a GPU bf16 (products in bfloat16, weights and their sums in
    single precision) where it computes that, fp32 where not.
    """
    auto_on_gpu = "fp32"
    if precision == "auto" and device != "cpu" and gpu_computes_bf16():
        auto_on_gpu = "bf16"
    return {"dtype": resolved_dtype(precision, device, auto_on_gpu=auto_on_gpu)}
