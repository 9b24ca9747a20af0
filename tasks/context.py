"""What a stage needs to know of its run: store, configuration, committed stages, models."""

from collections.abc import Callable, Iterator
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.artifact import Artifact, find_artifact, open_artifact
from data.errors import BadNumbers
from data.numerics import numerics_class
from data.plugins import OWN
from data.store import RunRecord, Store
from generators.registry import FAMILY as GENERATORS
from generators.registry import Generator, find_generator
from rewards.registry import FAMILY as REWARDS
from rewards.registry import Reward, find_reward
from tasks.places import Fingerprints, Place, model_place
from tasks.settings import RunConfig, parse_config

FloatArray = npt.NDArray[np.float64]
Value = TypeVar("Value")


def numerics_of(config: RunConfig) -> dict[str, Any]:
    """Numerics class of a run with this configuration on this machine."""
    kind = find_generator(config.generator.kind)
    return numerics_class(config.runtime.device, config.runtime.threads, kind.libraries)


def package_version() -> str:
    """Version of the installed distribution."""
    return metadata.version("pluralist")


class RunContext:
    """One run of a store, as its stages see it."""

    def __init__(self, store: Store, record: RunRecord) -> None:
        self.store = store
        self.record = record
        self.run = record.run
        self.config: RunConfig = parse_config(record.config)
        self.fingerprints = Fingerprints(self.config)
        self._folders: dict[Place, Path] = {}
        self._committed: dict[Place, Artifact] = {}
        self._tables: dict[tuple[Place, str], pa.Table] = {}
        self._remembered: dict[str, Any] = {}
        self._accumulated: list[pa.Table] = []
        self._last_model: tuple[int, Generator] | None = None

    @classmethod
    def open(cls, store: Path, run: str) -> "RunContext":
        """Context of `run` in the store at `store`; raises `MissingArtifact` for neither."""
        opened = Store(store)
        return cls(opened, opened.read_run(run))

    @cached_property
    def numerics(self) -> dict[str, Any]:
        """Numerics class of this run on this machine."""
        return numerics_of(self.config)

    def accepts(self, numerics: dict[str, Any]) -> bool:
        """Whether a stage computed in that numerics class may be part of this run."""
        return numerics in (self.record.numerics, *self.record.accepted_numerics)

    def origins(self) -> Iterator[str]:
        """The run this one was forked from, the one that was forked from, and so on."""
        origin = self.record.forked_from
        while origin is not None:
            yield origin
            record = self.store.find_run(origin)
            origin = record.forked_from if record else None

    @cached_property
    def versions(self) -> dict[str, str]:
        """Version of this package, and origin of every reward and generator that is not ours."""
        used = [(GENERATORS, self.config.generator.kind)]
        used += [(REWARDS, reward.kind) for reward in self.config.rewards]
        origins = {f"{family.noun} {kind}": family.origin(kind) for family, kind in used}
        foreign = {what: origin for what, origin in origins.items() if origin != OWN}
        return {"pluralist": package_version()} | foreign

    def folder(self, place: Place) -> Path:
        """Folder of a stage; the initial model's is shared by all runs that ask for it."""
        if place not in self._folders:
            if place.stage == "initial":
                folder = self.store.initial_folder(self.fingerprints.of(place))
            else:
                folder = self.store.stage_folder(self.run, place.iteration, place.stage)
            self._folders[place] = folder
        return self._folders[place]

    def find(self, place: Place, *, look_again: bool = False) -> Artifact | None:
        """The committed stage, or None. What is committed stays, so it is looked up once.

        `look_again` is for the stage about to run, which may have been set aside meanwhile.
        """
        if look_again or place not in self._committed:
            artifact = find_artifact(self.folder(place))
            if artifact is None:
                self._committed.pop(place, None)
                return None
            self._committed[place] = artifact
        return self._committed[place]

    def open_place(self, place: Place) -> Artifact:
        """The committed stage; raises `MissingArtifact` when there is none."""
        return self.find(place) or open_artifact(self.folder(place))

    def table(self, iteration: int, stage: str, name: str) -> pa.Table:
        """Verified table of a committed stage; those of one iteration are read once."""
        place = Place(iteration, stage)
        if any(kept.iteration != iteration for kept, _ in self._tables):
            self._tables.clear()
        if (place, name) not in self._tables:
            self._tables[place, name] = self.open_place(place).table(name)
        return self._tables[place, name]

    def rows(self, iteration: int, stage: str, name: str, start: int, stop: int) -> pa.Table:
        """Rows `start` .. `stop` of a committed table, of which a shard needs no others."""
        place = Place(iteration, stage)
        held = self._tables.get((place, name))
        if held is not None:
            return held.slice(start, stop - start)
        return self.open_place(place).rows(name, start, stop)

    @cached_property
    def initial_model(self) -> Generator:
        """p_0, kept beside the last model."""
        kind = find_generator(self.config.generator.kind)
        folder = self.open_place(model_place(0)).verified_folder("model")
        return kind.load(folder, self.config.generator)

    def remember(self, name: str, compute: Callable[["RunContext"], Value]) -> Value:
        """`compute(self)`, once a process; for what depends on the configuration alone."""
        if name not in self._remembered:
            self._remembered[name] = compute(self)
        value: Value = self._remembered[name]
        return value

    def accumulated(
        self, iteration: int, rows_of: Callable[["RunContext", int], pa.Table]
    ) -> pa.Table:
        """`rows_of` of the iterations 0 .. `iteration`; those before are kept, not read again."""
        for t in range(len(self._accumulated), iteration + 1):
            self._accumulated.append(rows_of(self, t))
        return pa.concat_tables(self._accumulated[: iteration + 1])

    def model(self, k: int) -> Generator:
        """The model p_k, always as committed, so that a resumed run sees the same bits."""
        if self._last_model is None or self._last_model[0] != k:
            folder = self.open_place(model_place(k)).verified_folder("model")
            kind = find_generator(self.config.generator.kind)
            self._last_model = (k, kind.load(folder, self.config.generator))
        return self._last_model[1]

    @cached_property
    def rewards(self) -> list[Reward]:
        """One reward for each configured one, (R,)."""
        return [find_reward(config.kind)(config) for config in self.config.rewards]

    def scores(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n, R)
        """Every reward of every row, computed `runtime.batch_size` rows at a time.

        Raises `BadNumbers` naming reward and row for a wrong length, NaN or infinity.
        """
        batch = self.config.runtime.batch_size
        scores = np.empty((samples.num_rows, len(self.rewards)))
        for column, (reward, name) in enumerate(
            zip(self.rewards, self.config.reward_names, strict=True)
        ):
            for start in range(0, samples.num_rows, batch):
                rows = samples.slice(start, batch)
                # An overflow becomes an infinity, which is refused right below.
                with np.errstate(over="ignore", invalid="ignore"):
                    values = np.asarray(reward(rows), dtype=np.float64)
                if values.shape != (rows.num_rows,):
                    raise BadNumbers(
                        f"reward {name!r}: expected {rows.num_rows} scores, got shape "
                        f"{values.shape}; return one number a row"
                    )
                bad = np.flatnonzero(~np.isfinite(values))
                if len(bad):
                    raise BadNumbers(
                        f"reward {name!r}: expected finite scores, got {values[bad[0]]} for row "
                        f"{start + int(bad[0])} ({len(bad)} such in this batch); correct the reward"
                    )
                scores[start : start + rows.num_rows, column] = values
        return scores
