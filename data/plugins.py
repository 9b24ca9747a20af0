"""Finding rewards and generators by name: our own modules first, then entry points.

Nothing is imported but the one that is asked for, so a reward that needs a heavy library
costs nothing to runs that do not use it.
"""

import importlib
import importlib.util
import pkgutil
import re
from dataclasses import dataclass
from importlib import metadata
from typing import Any, TypeVar

from pydantic import ValidationError

from data.configuration import FrozenConfig, describe_errors
from data.errors import ConfigError, EnvironmentProblem
from data.installation import INSTALL

OWN = "pluralist"

Config = TypeVar("Config", bound=FrozenConfig)


@dataclass(frozen=True)
class PluginFamily:
    """Things of one sort (`noun`) found by kind.

    A module of `package` counts when its source assigns the name `export` at top level; its
    kind is the module's name with `-` for `_`. Another distribution adds a kind by an entry
    point in `group` whose name is the kind and whose object is what `export` would be. A kind
    of our own is never replaced by another distribution's.
    """

    noun: str
    package: str
    export: str
    group: str

    def available(self) -> dict[str, str]:
        """Origin of every kind, sorted by kind: "pluralist" or "<distribution> <version>"."""
        origins = {point.name: _origin(point) for point in self._entry_points()}
        origins |= dict.fromkeys(self._own_kinds(), OWN)
        return dict(sorted(origins.items()))

    def origin(self, kind: str) -> str:
        """Origin of one kind; raises `KeyError` for one that does not exist."""
        return OWN if kind in self._own_kinds() else self.available()[kind]

    def find(self, kind: str) -> Any:
        """The object exported for `kind`, importing no other.

        Raises `ConfigError` for a kind that does not exist or that two distributions claim,
        `EnvironmentProblem` when its module cannot be imported here.
        """
        if kind in self._own_kinds():
            return self._load_own(kind)
        points = [point for point in self._entry_points() if point.name == kind]
        if not points:
            raise ConfigError(
                f"{self.noun}: expected one of {', '.join(self.available())}, got {kind!r}; "
                f"check the spelling, or install the package that provides it"
            )
        if len(points) > 1:
            claimants = ", ".join(sorted(_origin(point) for point in points))
            raise ConfigError(
                f"{self.noun} {kind!r}: expected one distribution to provide it, got {claimants}; "
                "uninstall all but one"
            )
        try:
            return points[0].load()
        except ImportError as error:
            raise self._not_importable(kind, _origin(points[0]), error) from error

    def parse(self, raw: Any, base: type[Config]) -> Config:
        """Configuration of class `Config` of the kind that `raw["kind"]` names.

        An instance of `base` is returned as it is. Raises `ConfigError` naming every wrong key.
        """
        if isinstance(raw, base):
            return raw
        if not isinstance(raw, dict) or not isinstance(raw.get("kind"), str):
            raise ConfigError(
                f"{self.noun}: expected a mapping with the key `kind`, got {raw!r}; "
                f"kinds are {', '.join(self.available())}"
            )
        try:
            parsed: Config = self.find(raw["kind"]).Config.model_validate(raw)
        except ValidationError as error:
            problems = describe_errors(error)
            raise ConfigError(f"{self.noun} {raw['kind']!r}: {problems}") from error
        return parsed

    def _own_kinds(self) -> list[str]:
        package = importlib.import_module(self.package)
        names = [info.name for info in pkgutil.iter_modules(package.__path__)]
        return [name.replace("_", "-") for name in names if self._exports(name)]

    def _exports(self, name: str) -> bool:
        # Read rather than imported: helpers of a model family lie in the same folder.
        if name == "registry" or name.startswith("_"):
            return False
        spec = importlib.util.find_spec(f"{self.package}.{name}")
        source = getattr(spec and spec.loader, "get_source", lambda _: None)(
            f"{self.package}.{name}"
        )
        return re.search(rf"^{self.export}\s*[:=]", source or "", re.MULTILINE) is not None

    def _load_own(self, kind: str) -> Any:
        name = f"{self.package}.{kind.replace('-', '_')}"
        try:
            return getattr(importlib.import_module(name), self.export)
        except ImportError as error:
            raise self._not_importable(kind, OWN, error) from error

    def _entry_points(self) -> metadata.EntryPoints:
        return metadata.entry_points(group=self.group)

    def _not_importable(self, kind: str, origin: str, error: ImportError) -> EnvironmentProblem:
        how = f" with `{INSTALL}`" if origin == OWN else ""
        return EnvironmentProblem(
            f"{self.noun} {kind!r} of {origin}: expected it to be importable, got: {error}; "
            f"install what it needs{how}"
        )


def _origin(point: metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "unknown distribution"
