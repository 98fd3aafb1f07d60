"""Asking a local Batch service for what the real one has not: its state, its clock, its faults."""

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from fastbatch.local import signature, wire
from fastbatch.local.clock import SystemClock
from fastbatch.local.errors import LocalError, Unavailable

_API_VERSION = "2025-06-01"
_JSON = "application/json; odata=minimalmetadata"
_FIRST_FAILURE = 400


class ControlRefused(LocalError):
    """Raised when the service refuses a control call; the message is the service's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Control:
    """A local Batch service, by the address and the key that its other clients have, too."""

    endpoint: str
    account: str
    key: str = field(repr=False)
    seconds: float = 60.0  # for one call

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Make a call, and give the answer; Unavailable if there is none."""
        content = None if body is None else json.dumps(body).encode()
        status, said = self._send(method, path, content)
        answer: Mapping[str, Any] = json.loads(said) if said else {}
        if status >= _FIRST_FAILURE:
            raise ControlRefused(answer["code"], answer["message"]["value"].partition("\nRequestId:")[0])
        return answer

    def _send(self, method: str, path: str, content: bytes | None) -> tuple[int, bytes]:
        where = urlsplit(self.endpoint)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=self.seconds)
        try:
            connection.request(
                method, f"{path}?api-version={_API_VERSION}", content, self._signed(method, path, content)
            )
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"The local Batch service at {self.endpoint} does not answer: {error}.") from error
        finally:
            connection.close()

    def _signed(self, method: str, path: str, content: bytes | None) -> dict[str, str]:
        headers = {"ocp-date": wire.http_date(SystemClock().now())}
        if content is not None:
            headers |= {"content-type": _JSON, "content-length": str(len(content))}
        request = signature.Request(method, path, (("api-version", _API_VERSION),), headers)
        return {**headers, "authorization": signature.sign(request, self.account, base64.b64decode(self.key))}
