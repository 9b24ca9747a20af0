"""What a check of the machine found."""

from dataclasses import asdict, dataclass
from typing import Any

GOOD, WARNING, FAILED = "ok", "warning", "failed"


@dataclass(frozen=True)
class Finding:
    """One checked subject: what was found and, where something can be done, what to do."""

    status: str
    subject: str
    found: str
    advice: str | None = None

    def plain(self) -> dict[str, Any]:
        """The finding as plain values."""
        return asdict(self)
