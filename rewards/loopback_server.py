"""A reward server inside this process, as an example that needs no other machine."""

import atexit
import functools
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@functools.cache
def word_count_server() -> str:
    """Address of a server that scores a text by its number of words; it ends with the process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _CountWords)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    atexit.register(server.server_close)
    return f"http://127.0.0.1:{server.server_address[1]}/"


class _CountWords(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        scores = [len(text.split()) for text in asked["texts"]]
        content = json.dumps({"model": asked["model"], "scores": scores}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
        """Say nothing: stderr is the run's."""
