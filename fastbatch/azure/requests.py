"""
Requests to Azure Batch, and its answers.

The SDK signs and sends, through as few policies as that takes: the others would read each answer a second time, and
choke on one that is not from Batch. Bodies and answers are plain JSON, as the SDK's models take 3.1 ms to read back a
hundred tasks where JSON takes 0.06 ms. Its retries would not pace what is sent beside them, nor repeat a refused POST.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlsplit

from azure.batch._patch import BatchSharedKeyAuthPolicy
from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest

from fastbatch.azure.connections import session, transport
from fastbatch.azure.line import Line
from fastbatch.azure.refusals import Answer, refusal, without_answer
from fastbatch.errors import Refused, Unreachable
from fastbatch.settings import Account

Json = dict[str, Any]

_API_VERSION = "2025-06-01"
_JSON = "application/json; odata=minimalmetadata"
_ERRORS_FROM = 300
_READ_SECONDS = 45.0  # Batch itself takes 30 s at most
_SCOPE = "https://batch.core.windows.net//.default"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request."""

    what: str  # after "refused to"
    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Sender:
    """Sends requests to an account of Azure Batch, along the line that all requests to it go."""

    def __init__(self, account: Account, credential: Any, line: Line) -> None:
        self.line = line
        self._account = account
        self._credential = credential
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        over = await self._stack.enter_async_context(session(self._account.batch_endpoint, _READ_SECONDS))
        client = BatchClient(
            self._account.batch_endpoint,
            self._credential,
            policies=[policies.HeadersPolicy(), policies.UserAgentPolicy("fastbatch"), self._authentication()],
            transport=transport(over, _READ_SECONDS),
        )
        self._client = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _authentication(self) -> Any:
        if isinstance(self._credential, AzureNamedKeyCredential):
            return BatchSharedKeyAuthPolicy(self._credential)
        return policies.AsyncBearerTokenCredentialPolicy(self._credential, _SCOPE)

    async def json(self, ask: Ask) -> Json:
        """Give an answer, read."""
        return await self.line.send(ask.what, lambda: self._json(ask))

    async def content(self, ask: Ask) -> bytes:
        """Give an answer as it is."""
        response = await self.line.send(ask.what, lambda: self._answer(ask))
        content: bytes = response.content
        return content

    async def if_there(self, ask: Ask, *needed: str) -> Json | None:
        """Give what is asked for, with the fields that it needs to be an answer; None if it is not there."""
        try:
            found = await self.json(ask)
        except Refused as refused:
            if refused.not_found:
                return None
            raise
        if not found.keys() >= set(needed):
            raise _no_answer(ask)
        return found

    async def unless_gone(self, ask: Ask, or_else: Collection[str]) -> None:
        """Ask for the end of what may be gone; the errors that may come instead say as much."""
        try:
            await self.json(ask)
        except Refused as refused:
            if not refused.not_found and refused.code not in or_else:
                raise

    async def pages(self, ask: Ask) -> AsyncIterator[list[Json]]:
        """Give a list, a page at a time."""
        params: Mapping[str, str] | None = ask.params or {}
        while params is not None:
            answer = await self.json(replace(ask, params=params))
            yield answer.get("value", [])
            params = _next(answer.get("odata.nextLink"))

    async def every(self, ask: Ask) -> list[Json]:
        """Give a list, whole."""
        return [each async for page in self.pages(ask) for each in page]

    async def _json(self, ask: Ask) -> Json:
        return _read(ask, (await self._answer(ask)).content)

    async def _answer(self, ask: Ask) -> Any:
        """Give an answer that is no error."""
        request = HttpRequest(
            ask.method,
            f"{self._account.batch_endpoint}{ask.path}",
            # The SDK sends values as they are.
            params={"api-version": _API_VERSION, **{k: quote(v, safe="") for k, v in (ask.params or {}).items()}},
            headers={
                "Accept": "application/json",
                **({"Content-Type": _JSON} if ask.body is not None else {}),
                **ask.headers,
            },
            content=ask.body,
        )
        try:
            response = await self._client.send_request(request)
        except HttpResponseError as error:
            if error.response is None:
                raise without_answer("Batch", ask.what, error) from error
            raise _refusal(ask, error.response) from error
        except (ServiceRequestError, ServiceResponseError) as error:
            raise without_answer("Batch", ask.what, error) from error
        if response.status_code >= _ERRORS_FROM:  # should the SDK let it pass
            raise _refusal(ask, response)
        self.line.clock.hear(response.headers.get("Date"))
        return response


def _read(ask: Ask, content: bytes) -> Json:
    """Read an answer; what is none comes from something that stands between us and Batch."""
    try:
        answer = json.loads(content) if content else {}
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise _no_answer(ask)
    return answer


def _no_answer(ask: Ask) -> Unreachable:
    return Unreachable("Batch", ask.what, "what came was no answer of Batch")


def _refusal(ask: Ask, response: Any) -> Exception:
    code, message = _said(response)
    return refusal("Batch", ask.what, Answer(response.status_code, code, message, response.headers))


def _said(response: Any) -> tuple[str, str]:
    """Read an error's code and message, with the values that explain it."""
    try:
        body = json.loads(response.content)
        text = body["message"]["value"].partition("\n")[0]
        details = "; ".join(f"{value['key']}: {value['value']}" for value in body.get("values") or ())
        return body["code"], f"{text} ({details})" if details else text
    except (ValueError, KeyError, TypeError, AttributeError):
        return response.reason or "", ""


def _next(link: str | None) -> dict[str, str] | None:
    """Give the parameters of the next page; it is asked for where this one was, whatever host the link names."""
    if not link:
        return None
    return {name: value for name, value in parse_qsl(urlsplit(link).query) if name != "api-version"}
