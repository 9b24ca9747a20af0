"""Reward `reward-server`: scores from a server behind a URL, one JSON exchange a batch.

Request: {"model": ..., "prompts": [...] or null, "texts": [...]}; answer: {"scores": [...]}, one
finite number a text, and perhaps "model", which then has to be the one asked for.
"""

import os
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self, final
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import field_validator

from data.configuration import setting
from data.errors import BadNumbers, EnvironmentProblem, StageFailed
from data.texts import PROMPT, prompts_of, texts_of
from rewards.json_exchange import Exchange, NoAnswer
from rewards.registry import Reward, RewardConfig
from rewards.row_names import row_name
from rewards.text_examples import random_conversations

FloatArray = npt.NDArray[np.float64]

USER = "reward reward-server"


class RewardServerConfig(RewardConfig):
    """Where a reward server is, what it scores with, and how patient to be with it.

    A token is never part of it: `token_variable` names an environment variable.
    """

    kind: Literal["reward-server"] = setting("reward-server", "kind of reward", "O")
    url: str = setting(
        ..., "address that batches are posted to", "O", location=True, pattern=r"^[!-~]+$"
    )
    model: str = setting(
        ..., "what the server scores with, name and version; another is another reward", "O",
        min_length=1,
    )  # fmt: skip
    gamma: float = setting(1.0, "strength; multiplies the server's score", "O", gt=0)
    batch_size: int = setting(64, "texts posted at once", "O", ge=1)
    token_variable: str | None = setting(
        None,
        "environment variable with a bearer token, where the server asks for one",
        "O",
        location=True,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
    )
    timeout_seconds: float = setting(
        60.0, "how long the server may be silent", "O", location=True, gt=0
    )
    num_attempts: int = setting(
        5, "times a batch is posted before the stage fails", "O", location=True, ge=1, le=100
    )
    first_wait_seconds: float = setting(
        0.5, "wait after the first failure; it doubles each time, up to 30 s", "O",
        location=True, ge=0,
    )  # fmt: skip

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        parts = urlsplit(url)
        _ = parts.port  # raises for one out of range
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url: expected an address http://... or https://..., got {url!r}")
        # The address is recorded and printed: what is secret must not be in it.
        if parts.username or parts.password or parts.query or parts.fragment:
            shown = f"{parts.scheme}://{parts.hostname}{parts.path}"
            raise ValueError(
                f"url: expected no user, password or query in it, got some in that of {shown}; put "
                "a token into an environment variable and name it in token_variable"
            )
        return url


@final
class RewardServerReward:
    """r(y) = gamma times the server's score of the text (and its prompt, where there are any)."""

    Config: ClassVar[type[RewardConfig]] = RewardServerConfig

    def __init__(self, config: RewardServerConfig) -> None:
        self.config = config

    def __call__(
        self,
        samples: pa.Table,  # n rows
    ) -> FloatArray:  # (n,)
        """Scores of texts.

        Raises `ConfigError` for other samples, `StageFailed` for a server that gives no answer,
        `EnvironmentProblem` for one that answers something else, `BadNumbers` for NaN or infinity.
        """
        texts = texts_of(samples, USER)
        prompts = prompts_of(samples, USER) if PROMPT in samples.column_names else None
        scores = np.empty(len(texts))
        if not texts:
            return scores
        with self._exchange() as exchange:
            for start in range(0, len(texts), self.config.batch_size):
                rows = slice(start, start + self.config.batch_size)
                part = None if prompts is None else prompts[rows]
                try:
                    answer = self._ask(exchange, texts[rows], part)
                except NoAnswer as error:
                    raise StageFailed(
                        f"{USER}: expected an answer of {self.config.url}, got none in "
                        f"{self.config.num_attempts} attempts ({error}); start the server again, "
                        "then resume"
                    ) from error
                names = [row_name(samples, row) for row in range(len(texts))[rows]]
                scores[rows] = checked_scores(answer, names, self.config.url)
        return self.config.gamma * scores

    def fetch(self) -> None:
        """Ask the server to score no texts; raises `EnvironmentProblem` if it does not answer."""
        try:
            with self._exchange() as exchange:
                checked_scores(self._ask(exchange, [], None), [], self.config.url)
        except NoAnswer as error:
            raise EnvironmentProblem(
                f"{USER}: expected a server at {self.config.url}, got no answer in "
                f"{self.config.num_attempts} attempts ({error}); start it (an example is "
                "examples/reward_server.py), or correct the url"
            ) from error

    def _exchange(self) -> Exchange:
        config = self.config
        return Exchange(
            config.url,
            user=USER,
            token=self._token(),
            timeout_seconds=config.timeout_seconds,
            num_attempts=config.num_attempts,
            first_wait_seconds=config.first_wait_seconds,
        )

    def _token(self) -> str | None:
        name = self.config.token_variable
        if name is None:
            return None
        token = os.environ.get(name, "")
        # Anything else would break the header that carries it.
        if not re.fullmatch(r"[!-~]+", token):
            raise EnvironmentProblem(
                f"{USER}: expected a token in the environment variable {name}, got none that can "
                "be sent; set it to the token without spaces or line ends"
            )
        return token

    def _ask(self, exchange: Exchange, texts: list[str], prompts: list[str] | None) -> Any:
        question = {"model": self.config.model, "prompts": prompts, "texts": texts}
        answer = exchange.post(question)
        if isinstance(answer, dict) and answer.get("model", self.config.model) != self.config.model:
            raise EnvironmentProblem(
                f"{USER}: expected {self.config.url} to score with {self.config.model!r}, got "
                f"{answer['model']!r}; start that model there, or configure the other as `model`"
            )
        return answer

    @classmethod
    def example(cls) -> Self:
        """A server of this process that counts words."""
        from rewards.loopback_server import word_count_server

        return cls(RewardServerConfig(url=word_count_server(), model="word-count", batch_size=7))

    @classmethod
    def example_samples(cls, num_samples: int, *, seed: int) -> pa.Table:
        """Random texts with prompts."""
        return random_conversations(num_samples, seed=seed)


def checked_scores(answer: Any, names: Sequence[str], url: str) -> FloatArray:  # (n,)
    """The scores of a server's answer to n texts, which messages call by their `names`.

    Raises `EnvironmentProblem` for an answer of another form or length, `BadNumbers` for a score
    that is not finite.
    """
    scores = answer.get("scores") if isinstance(answer, dict) else None
    if not isinstance(scores, list):
        raise EnvironmentProblem(
            f'{USER}: expected {{"scores": [...]}} of {url}, got {type(answer).__name__} without '
            "a list of scores; correct the server's answer"
        )
    if len(scores) != len(names):
        raise EnvironmentProblem(
            f"{USER}: expected {len(names)} scores of {url}, one a text, got {len(scores)}; "
            "correct the server's answer"
        )
    for name, score in zip(names, scores, strict=True):
        # A bool is an int to Python, and no score.
        if isinstance(score, bool) or not isinstance(score, int | float):
            raise EnvironmentProblem(
                f"{USER}: expected numbers as scores of {url}, got {score!r} for {name}; correct "
                "the server's answer"
            )
    found = np.array([_as_float(score) for score in scores], dtype=np.float64)
    if not np.isfinite(found).all():
        row = int(np.argmin(np.isfinite(found)))
        raise BadNumbers(
            f"{USER}: expected finite scores of {url}, got {found[row]} for {names[row]}; "
            "correct what the server computes"
        )
    return found


def _as_float(score: float) -> float:
    try:
        return float(score)
    except OverflowError:  # an integer beyond the largest float
        return float("inf")


REWARD: type[Reward] = RewardServerReward
