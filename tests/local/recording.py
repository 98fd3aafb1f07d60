"""What the SDK sends: its own clients and transports, speaking to a server that only writes down what comes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from azure.batch import BatchClient
from azure.batch.aio import BatchClient as AsyncBatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError

from fastbatch.local import signature
from fastbatch.local.server import reading


@dataclass(frozen=True)
class Recorded:
    """A request, as it was on the wire."""

    method: str
    target: str
    headers: dict[str, str]

    def request(self) -> signature.Request:
        """Give what of it is signed, as the server sees it."""
        path, query = reading.split(self.target)
        return signature.Request(self.method, path, query, self.headers)


class Recorder:
    """Records what clients send; every answer is that there is nothing."""

    def __init__(self, endpoint: str, credential: AzureNamedKeyCredential) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self.heard: list[Recorded] = []

    def client(self) -> Any:  # bodies may be plain dicts, though the SDK's types say otherwise
        """Give a client that is heard."""
        return BatchClient(self._endpoint, self._credential, use_env_settings=False, retry_total=0)

    def async_client(self) -> Any:
        """Give an asynchronous client that is heard."""
        return AsyncBatchClient(self._endpoint, self._credential, use_env_settings=False, retry_total=0)

    def of(self, client: Any, call: Callable[[Any], Any]) -> Recorded:
        """Give what a call sends."""
        try:
            answer = call(client)
            next(answer)  # a list asks when it is read
        except HttpResponseError:
            pass
        return self.heard.pop()

    async def of_async(self, client: Any, call: Callable[[Any], Any]) -> Recorded:
        """Give what an asynchronous call sends."""
        try:
            answer = call(client)
            await (anext(answer) if hasattr(answer, "__anext__") else answer)
        except HttpResponseError:
            pass
        return self.heard.pop()


@contextmanager
def recorder(account: str, key: str) -> Iterator[Recorder]:
    """Have a recorder for a while."""
    found: Recorder

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.heard.append(Recorded(self.command, self.path, headers))
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the base class looks for them

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Recorder(f"http://127.0.0.1:{server.server_port}", AzureNamedKeyCredential(account, key))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
