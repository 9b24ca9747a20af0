"""A reward server to start from: put your own model into `score`. Needs Python alone.

    python examples/reward_server.py --port 8080

and in the configuration of a run

    rewards:
      - kind: reward-server
        url: http://127.0.0.1:8080/
        model: word-count-1

Each request is a JSON object {"model", "prompts", "texts"}; `prompts` is null in a domain without
prompts. The answer has one finite number for each text: {"model": ..., "scores": [...]}. Texts may
be empty. So may the lists: by that a run finds out, before it starts, whether the server is there.
Equal questions have to get equal answers: a run that is resumed may ask again.
"""

import argparse
import hmac
import json
import os
import sys
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeGuard

# What the scores are of. The client checks it: change it whenever `score` changes.
MODEL = "word-count-1"
LARGEST_REQUEST = 64 * 2**20


def score(prompts: Sequence[str] | None, texts: Sequence[str]) -> list[float]:
    """One finite number for each text, larger is better: here the number of its words."""
    return [float(len(text.split())) for text in texts]


class RewardHandler(BaseHTTPRequestHandler):
    """Answers one batch after the other."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Score the texts of a request; 401 without the token, 400 for anything else."""
        body = self.read_body()
        if body is None:
            self.answer(413, {"error": f"expected at most {LARGEST_REQUEST} bytes with a length"})
        elif not self.is_allowed():
            self.answer(401, {"error": "expected the bearer token of REWARD_SERVER_TOKEN"})
        else:
            try:
                prompts, texts = question_of(body)
            except ValueError as error:
                self.answer(400, {"error": str(error)})
            else:
                self.answer(200, {"model": MODEL, "scores": score(prompts, texts)})

    def read_body(self) -> bytes | None:
        """What was posted; nothing where it is too long or says no length."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_REQUEST:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def is_allowed(self) -> bool:
        """Whether no token is asked for, or the right one was sent."""
        token = os.environ.get("REWARD_SERVER_TOKEN")
        sent = self.headers.get("Authorization", "")
        return token is None or hmac.compare_digest(sent.encode(), f"Bearer {token}".encode())

    def answer(self, status: int, content: object) -> None:
        """Send a JSON answer."""
        encoded = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)


def question_of(body: bytes) -> tuple[list[str] | None, list[str]]:
    """Prompts and texts of a request; raises `ValueError` for anything else."""
    question = json.loads(body)
    if not isinstance(question, dict):
        raise ValueError(f"expected an object, got {type(question).__name__}")
    if question.get("model", MODEL) != MODEL:
        raise ValueError(f"expected the model {MODEL!r}, got {question['model']!r}")
    texts, prompts = question.get("texts"), question.get("prompts")
    if not is_strings(texts):
        raise ValueError("expected a list of strings as texts")
    if prompts is not None and not (is_strings(prompts) and len(prompts) == len(texts)):
        raise ValueError("expected as many prompts as texts, or null")
    return prompts, texts


def is_strings(value: object) -> TypeGuard[list[str]]:
    """Whether it is a list of strings."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def main() -> None:
    """Serve until interrupted; prints the address, which tells a port of 0 apart."""
    parser = argparse.ArgumentParser(description="Serve scores of texts.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="its port; 0 for a free one")
    options = parser.parse_args()
    with ThreadingHTTPServer((options.host, options.port), RewardHandler) as server:
        print(f"http://{options.host}:{server.server_address[1]}/", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.exit(0)


if __name__ == "__main__":
    main()
