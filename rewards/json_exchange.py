"""JSON posted to a server, again and again while it is out of reach."""

import json
import time
from types import TracebackType
from typing import Any, Self, final
from urllib.parse import urlsplit

import numpy as np

from data.errors import EnvironmentProblem

LONGEST_WAIT = 30.0
# Beside the server errors from 500 on: it asks to be called again.
CALL_AGAIN = (408, 425, 429)
SHOWN = 200
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NoAnswer(Exception):
    """No attempt reached the server, or none found it well; the text says what came last."""


@final
class Exchange:
    """A connection to one address, to be used in a `with`.

    `user` starts every message. A lost connection, a late answer and a server error are tried
    again, `num_attempts` times in all, after waits that double and differ between processes.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str,
        token: str | None,
        timeout_seconds: float,
        num_attempts: int,
        first_wait_seconds: float,
    ) -> None:
        import httpx

        self._url, self._user = url, user
        self._num_attempts, self._first_wait = num_attempts, first_wait_seconds
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # No redirects: another address would get the texts, and perhaps the token.
        # A proxy of the environment does not know this machine's own addresses.
        proxies = urlsplit(url).hostname not in LOOPBACK
        self._client = httpx.Client(timeout=timeout_seconds, headers=headers, trust_env=proxies)
        # Without a seed: only waits depend on it, and many workers must not come back at once.
        self._jitter = np.random.default_rng()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def post(self, question: Any) -> Any:
        """The server's answer.

        Raises `NoAnswer` after the last attempt, `EnvironmentProblem` for a refusal, for an
        answer that is not JSON and for an address that can be none.
        """
        import httpx

        last = ""
        for attempt in range(self._num_attempts):
            if attempt:
                time.sleep(self._wait(attempt))
            try:
                answer = self._client.post(self._url, json=question)
            except httpx.RequestError as error:
                last = f"{type(error).__name__}: {error}"
                continue
            except (httpx.InvalidURL, UnicodeError) as error:  # the latter of names of hosts
                raise EnvironmentProblem(
                    f"{self._user}: expected an address that can be reached, got {self._url} "
                    f"({error}); correct the url"
                ) from error
            if answer.status_code < 500 and answer.status_code not in CALL_AGAIN:
                return self._content(answer)
            last = f"status {answer.status_code}: {_shown(answer.text)}"
        raise NoAnswer(last)

    def _wait(self, attempt: int) -> float:
        longest = min(self._first_wait * 2.0 ** (attempt - 1), LONGEST_WAIT)
        return longest * float(self._jitter.uniform(0.5, 1.0))

    def _content(self, answer: Any) -> Any:
        if answer.status_code != 200:
            raise EnvironmentProblem(
                f"{self._user}: expected status 200 of {self._url}, got {answer.status_code} "
                f"({_shown(answer.text)}); check the address, the token and what the server takes"
            )
        try:
            return json.loads(answer.content)
        except ValueError as error:
            raise EnvironmentProblem(
                f"{self._user}: expected JSON of {self._url}, got {_shown(answer.text)!r}; check "
                "that the address is the reward server's"
            ) from error


def _shown(text: str) -> str:
    return " ".join(text.split())[:SHOWN]
