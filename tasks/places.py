"""The places of a run in order, what each reads, and the fingerprint of each.

k counts models: p_0 is `initial`, iteration t turns p_t into p_{t+1}.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from data.canonical import digest_of
from generators.registry import find_generator
from tasks.settings import RunConfig

ITERATION_STAGES = ("sample", "draw", "select", "retrain", "evaluate")
# Made once and used by every run that asks for the same, in the order they are made: the
# classifier of images, p_0, features of the real images, what rewards and features of p_0 are.
SHARED_STAGES = ("classifier", "initial", "reference", "constants")
ONLY_INITIAL = ("initial",)

# Raise a number whenever the algorithm of the stage changes what it writes.
STAGE_VERSIONS = {
    "initial": 1,
    "sample": 1,
    "draw": 1,
    "select": 1,
    "retrain": 1,
    "evaluate": 2,
    "classifier": 1,
    "reference": 1,
    "constants": 1,
}


class Place(NamedTuple):
    """One stage of a run; `iteration` is None before the first iteration."""

    iteration: int | None
    stage: str

    def __str__(self) -> str:
        if self.iteration is None:
            return "initial" if self.stage == "initial" else f"initial/{self.stage}"
        return f"iteration-{self.iteration:04d}/{self.stage}"


def model_place(k: int) -> Place:
    """Where the model p_k is committed."""
    return Place(k - 1, "retrain") if k else Place(None, "initial")


def evaluation_place(k: int) -> Place:
    """Where the evaluation of p_k is committed."""
    return Place(k - 1 if k else None, "evaluate")


def shared_stages(config: RunConfig) -> tuple[str, ...]:
    """Those of `SHARED_STAGES` that a run with this configuration has, in order."""
    wanted = {
        "classifier": config.classifier is not None,
        "initial": True,
        "reference": config.classifier is not None,
        "constants": config.classifier is not None
        or getattr(find_generator(config.generator.kind), "gives_texts", False)
        or any(reward.standardise for reward in config.rewards),
    }
    return tuple(stage for stage in SHARED_STAGES if wanted[stage])


def opening_places(shared: Sequence[str] = ONLY_INITIAL) -> list[Place]:
    """Places before the first iteration: what runs share, and the evaluation of p_0."""
    return [*(Place(None, stage) for stage in shared), evaluation_place(0)]


def iteration_places(iteration: int) -> list[Place]:
    """The five stages of one iteration, in order."""
    return [Place(iteration, stage) for stage in ITERATION_STAGES]


def all_places(iterations: int, shared: Sequence[str] = ONLY_INITIAL) -> Iterator[Place]:
    """Every place of a run with these shared stages, in the order in which they are committed."""
    yield from opening_places(shared)
    for iteration in range(iterations):
        yield from iteration_places(iteration)


def upstream(
    place: Place, shared: Sequence[str] = ONLY_INITIAL, *, pooled: bool = False
) -> tuple[Place, ...]:
    """The places a stage reads.

    Where rounds share a growing pool (`pooled`), a choice also reads the choice before it.
    """
    t = place.iteration
    if place.stage in ("classifier", "initial"):
        return ()
    classifier, reference, constants = (
        tuple(Place(None, stage) for stage in shared if stage == wanted)
        for wanted in ("classifier", "reference", "constants")
    )
    if t is None:
        return {
            "reference": classifier,
            "constants": (model_place(0), *classifier),
            "evaluate": (model_place(0), *classifier, *reference, *constants),
        }[place.stage]
    sample, draw, select = (Place(t, stage) for stage in ("sample", "draw", "select"))
    before = (Place(t - 1, "select"),) if pooled and t else ()
    return {
        "sample": (model_place(t),),
        "draw": (sample, *classifier, *constants),
        "select": (sample, draw, *before),
        "retrain": (model_place(t), sample, select),
        "evaluate": (model_place(t + 1), sample, select, *classifier, *reference, *constants),
    }[place.stage]


class Fingerprints:
    """Fingerprints of all places of a run with this configuration, computed once each."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._known: dict[Place, str] = {}
        self.shared = shared_stages(config)

    def upstream(self, place: Place) -> tuple[Place, ...]:
        """The places a stage of such a run reads."""
        return upstream(place, self.shared, pooled=self._config.pool is not None)

    def of(self, place: Place) -> str:
        """SHA-256 over the stage, its version, the configuration that matters, seed, upstream."""
        for earlier in self._unknown(place):
            self._known[earlier] = digest_of(
                {
                    "stage": earlier.stage,
                    "version": STAGE_VERSIONS[earlier.stage],
                    "config": self._relevant[earlier.stage],
                    "upstream": [self._known[source] for source in self.upstream(earlier)],
                    "iteration": earlier.iteration,
                }
            )
        return self._known[place]

    def of_scores(self, place: Place) -> str:
        """Fingerprint of scores.parquet alone: weights and draws do not enter."""
        return digest_of(
            {
                "stage": "scores",
                "version": STAGE_VERSIONS["draw"],
                "config": self._relevant["scores"],
                "upstream": [self.of(source) for source in self.upstream(place)],
            }
        )

    def _unknown(self, place: Place) -> list[Place]:
        # Upstream first; a loop, since a thousand iterations are too deep for recursion. A place
        # is entered once: the ways back to p_0 multiply with every iteration.
        order: dict[Place, None] = {}
        waiting = [] if place in self._known else [place]
        while waiting:
            missing = [
                source
                for source in self.upstream(waiting[-1])
                if source not in self._known and source not in order
            ]
            if missing:
                waiting.extend(missing)
            else:
                order[waiting.pop()] = None
        return list(order)

    @cached_property
    def _relevant(self) -> dict[str, dict[str, Any]]:
        config = self._config
        plain = config.fingerprint_part()
        runtime = {name: plain["runtime"][name] for name in ("threads", "batch_size", "shard_rows")}
        generator = plain["generator"]
        scoring = [
            {name: value for name, value in reward.items() if name != "weight"}
            for reward in plain["rewards"]
        ]
        selection = dict(plain["selection"])
        active_reward = selection.pop("active_reward")
        common = {"seed": config.seed, "runtime": runtime}
        # Absent unless set, as in releases that did not have them.
        schedule = {key: plain[key] for key in ("weight_schedule",) if key in plain}
        training = {key: plain[key] for key in ("training",) if key in plain}
        prompts = {key: plain[key] for key in ("prompts",) if key in plain}
        pool = {key: plain[key] for key in ("pool",) if key in plain}
        # Who competes, not how the winner is chosen: only `expected` changes what is sampled.
        whole = {"scheme": "expected"} if selection["scheme"] == "expected" else {}
        scored = {**whole, **common}
        return {
            "classifier": {
                "classifier": plain.get("classifier"),
                "threads": config.runtime.threads,
            },
            "reference": {
                "real data": plain["initial"].get("data"),
                "inception": plain["evaluation"].get("inception"),
                "runtime": runtime,
            },
            "constants": {
                "rewards": [one for one in scoring if one.get("standardise")],
                "seed": config.initial.seed,
                "generator": generator,
                "runtime": runtime,
                # Held-out prompts in turn: how many a round answers does not matter.
                **({"prompts": prompts["prompts"]["source"]} if prompts else {}),
            },
            "initial": {
                "generator": config.generator.initial_part(),
                "initial": plain["initial"],
                "threads": config.runtime.threads,
            },
            "sample": {
                "num_candidates": config.num_candidates,
                "generator": generator,
                **prompts,
                **pool,
                **(self._real_rows() if pool else {}),
                **scored,
            },
            "scores": {"rewards": scoring, **common},
            "draw": {
                "rewards": scoring,
                "weights": config.weights,
                "active_reward": active_reward,
                "num_curated": selection["num_curated"],
                **schedule,
                **pool,
                **scored,
            },
            "select": {"selection": selection, **pool, **common},
            "retrain": {
                "generator": generator,
                **training,
                **(self._real_rows() if config.training.real_share else {}),
                **pool,
                **common,
            },
            "evaluate": {
                "evaluation": plain["evaluation"],
                "num_candidates": config.num_candidates,
                "generator": generator,
                "rewards": plain["rewards"],
                "selection": plain["selection"],
                "initial": plain["initial"],
                **schedule,
                **training,
                **prompts,
                **pool,
                **common,
            },
        }

    def _real_rows(self) -> dict[str, Any]:
        """Real rows enter through the configuration of p_0, whose seed makes them."""
        return {"initial": self._config.initial.fingerprint_part()}
