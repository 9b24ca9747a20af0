"""Small HTTP servers on loopback in the place of Prefect's."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

Answers = dict[str, tuple[int, str]]
Serve = Callable[[Answers], str]


@contextmanager
def serving(answers: Answers) -> Iterator[str]:
    """Address of a server that gives status and text by path, and 404 elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, text = answers.get(self.path, (404, "not found"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815 - the name is http.server's

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            del format, arguments

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve({"/health": (200, "true")})` starts a server for this test; returns its address."""
    with ExitStack() as servers:
        yield lambda answers: servers.enter_context(serving(answers))


@pytest.fixture
def nobody(serve: Serve) -> str:
    """Address at which nothing listens."""
    with serving({}) as url:
        pass
    return url
