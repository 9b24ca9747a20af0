"""What a stage needs to know of its run: store, configuration, committed stages, models."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.artifact import Artifact, find_artifact, open_artifact
from data.compute import Compute, computing
from data.errors import ConfigError
from data.images import images_of
from data.plugins import OWN
from data.store import RunRecord, Store
from data.torch_session import torch_session
from generators.registry import FAMILY as GENERATORS
from generators.registry import Generator, find_generator
from rewards.classification import Classification
from rewards.registry import FAMILY as REWARDS
from rewards.registry import Reward, find_reward, known_suprema, with_classifier
from tasks.places import SHARED_STAGES, Fingerprints, Place, all_places, model_place
from tasks.run_numerics import numerics_of, shared_numerics_of
from tasks.scoring import LastBatches, raw_scores
from tasks.settings import RunConfig, parse_config
from tasks.stand_ins import stand_ins

if TYPE_CHECKING:
    from rewards.classifier import Classifier

FloatArray = npt.NDArray[np.float64]
Value = TypeVar("Value")

CONSTANTS_FILE = "constants.parquet"
# Batches of images of which the run remembers what its classifier said.
FEWEST_REMEMBERED = 16


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
        self._accumulated: dict[str, list[pa.Table]] = {}
        self._last_model: tuple[int, Generator] | None = None
        batches = -(-self.config.evaluation.num_samples // self.config.runtime.batch_size)
        self._classified = LastBatches(max(batches, FEWEST_REMEMBERED))

    @classmethod
    def open(cls, store: Path, run: str) -> "RunContext":
        """Context of `run` in the store at `store`; raises `MissingArtifact` for neither."""
        opened = Store(store)
        return cls(opened, opened.read_run(run))

    @cached_property
    def numerics(self) -> dict[str, Any]:
        """Numerics class of this run on this machine."""
        return numerics_of(self.config)

    def numerics_at(self, place: Place) -> dict[str, Any]:
        """Numerics class under which a place is committed now."""
        is_shared = place.iteration is None and place.stage in SHARED_STAGES
        return shared_numerics_of(self.config, place.stage) if is_shared else self.numerics

    def accepts(self, numerics: dict[str, Any]) -> bool:
        """Whether a stage computed in that numerics class may be part of this run.

        What runs share says less than the run does: fewer libraries, perhaps no precision.
        """
        mine = (self.record.numerics, *self.record.accepted_numerics)
        return any(numerics.items() <= one.items() for one in mine)

    @cached_property
    def stand_ins(self) -> tuple[str, ...]:
        """What stands in for a part of the paper, for every manifest."""
        return stand_ins(self.config)

    @contextmanager
    def session(self) -> Iterator[None]:
        """Device, threads and determinism of this run while one of its stages computes."""
        runtime = self.config.runtime
        on = Compute(runtime.device, runtime.threads, runtime.deterministic)
        with torch_session(on) if "torch" in self.numerics else computing(on):
            yield

    def upstream(self, place: Place) -> tuple[Place, ...]:
        """The places a stage of this run reads."""
        return self.fingerprints.upstream(place)

    def places(self) -> Iterator[Place]:
        """Every place of this run, in the order in which they are committed."""
        return all_places(self.config.iterations, self.fingerprints.shared)

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
        """Folder of a stage; that of a shared one is the same for all runs that ask for it."""
        if place not in self._folders:
            if place.iteration is None and place.stage in SHARED_STAGES:
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
        self, what: str, iteration: int, rows_of: Callable[["RunContext", int], pa.Table]
    ) -> pa.Table:
        """`rows_of` of the iterations 0 .. `iteration`; those before are kept, not read again.

        `what` names the rows, of which several kinds may be accumulated.
        """
        kept = self._accumulated.setdefault(what, [])
        for t in range(len(kept), iteration + 1):
            kept.append(rows_of(self, t))
        return pa.concat_tables(kept[: iteration + 1])

    def model(self, k: int) -> Generator:
        """The model p_k, always as committed, so that a resumed run sees the same bits."""
        if self._last_model is None or self._last_model[0] != k:
            folder = self.open_place(model_place(k)).verified_folder("model")
            kind = find_generator(self.config.generator.kind)
            self._last_model = (k, kind.load(folder, self.config.generator))
        return self._last_model[1]

    @cached_property
    def classifier(self) -> "Classifier":
        """The run's classifier of images; raises `ConfigError` for a run without one."""
        from rewards.classifier import Classifier

        config = self.config.classifier
        if config is None:
            raise ConfigError(
                f"run {self.run!r}: expected a classifier of images, got none; set `classifier`"
            )
        folder = self.open_place(Place(None, "classifier")).verified_folder("model")
        return Classifier.load(folder, config)

    def classify(
        self,
        samples: pa.Table,  # n rows
    ) -> Classification:
        """What the classifier says of images, in the batches in which they are scored.

        The last ones are remembered, at least those of an evaluation, so that several rewards
        and all metrics share one pass.
        """
        size = self.config.runtime.batch_size
        starts = range(0, max(samples.num_rows, 1), size)
        parts = [self._classify_batch(samples.slice(start, size)) for start in starts]
        return Classification(
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.features for part in parts]),
        )

    def _classify_batch(self, batch: pa.Table) -> Classification:
        return self._classified.find(
            batch, lambda: self.classifier.classify(images_of(batch, "classifier"))
        )

    @cached_property
    def rewards(self) -> list[Reward]:
        """One reward for each configured one, (R,)."""
        made = [find_reward(config.kind)(config) for config in self.config.rewards]
        classify = None if self.config.classifier is None else self.classify
        return [with_classifier(reward, classify) for reward in made]

    @cached_property
    def suprema(self) -> FloatArray:  # (R,)
        """The largest score any sample can have under each reward; NaN where none is known."""
        means, deviations = self.constants
        suprema: FloatArray = (known_suprema(self.rewards) - means) / deviations
        return suprema

    @cached_property
    def constants(self) -> tuple[FloatArray, FloatArray]:  # (R,), (R,)
        """Mean and deviation that scores are standardised with; 0 and 1 where they are not."""
        means, deviations = np.zeros(len(self.rewards)), np.ones(len(self.rewards))
        chosen = [i for i, one in enumerate(self.config.rewards) if one.standardise]
        if chosen:
            table = self.open_place(Place(None, "constants")).table(CONSTANTS_FILE)
            means[chosen], deviations[chosen] = table["mean"], table["deviation"]
        return means, deviations

    def scores(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n, R)
        """Every reward of every row, as `raw_scores`, standardised where that is asked for."""
        means, deviations = self.constants
        raw = raw_scores(
            self.rewards, self.config.reward_names, samples, self.config.runtime.batch_size
        )
        scores: FloatArray = (raw - means) / deviations
        return scores
