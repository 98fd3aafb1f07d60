"""From a request to an answer."""

import inspect
import logging
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from fastbatch.local import hosts, signature
from fastbatch.local.clock import SystemClock
from fastbatch.local.errors import Refused
from fastbatch.local.faults import calls
from fastbatch.local.faults.kinds import Dropped, misbehaving
from fastbatch.local.operations.call import Answer, Call
from fastbatch.local.server import reading, routes, writing
from fastbatch.local.service.core import Core
from fastbatch.local.store import is_full

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose requests are heard."""

    name: str
    key: bytes


class Handler:
    """Answers requests that come to a port of this machine."""

    def __init__(self, core: Core, account: Account, port: int) -> None:
        self._core = core
        self._account = account
        self._port = port
        self._machine = SystemClock()  # which clients go by when they sign, however the service's clock is turned

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request; whatever goes wrong is an answer too."""
        request_id = writing.new_request_id()
        url = f"http://{request.headers.get('Host', '')}"
        try:
            hosts.check_host(request.headers.get("Host"), self._port)
            said = await self._operate(request, url)
            return await writing.answer(request, said, url, writing.Stamp(request_id, self._core.clock.shown()))
        except Refused as refused:
            return self._refuse(request, refused, request_id)
        except Dropped:
            return _drop(request)
        except ConnectionError:  # the client has gone: no failure of ours, and nobody hears what is said
            return self._refuse(request, Refused("InternalError", "The connection is lost."), request_id)
        except Exception as error:  # noqa: BLE001 - the one boundary: a client is told, whatever it is
            _log.exception("request %s failed", request_id)
            why = "The disk is full; free some space." if is_full(error) else "The service failed; its log says how."
            return self._refuse(request, Refused("InternalError", why), request_id)

    def _refuse(self, request: web.BaseRequest, refused: Refused, request_id: str) -> web.StreamResponse:
        url = f"http://127.0.0.1:{self._port}"
        stamp = writing.Stamp(request_id, self._core.clock.shown())
        response = writing.refusal(request, refused, url, stamp)
        if request.can_read_body:
            response.force_close()  # what is left of the body is not a next request
        return response

    async def _operate(self, request: web.BaseRequest, url: str) -> Answer:
        target = request.raw_path
        path, pairs = reading.split(target)
        headers = {name.lower(): value for name, value in request.headers.items()}
        signed = signature.Request(request.method, path, pairs, headers)
        reading.authenticate(signed, self._account.name, self._account.key, self._machine.now())
        route, ids = routes.find(request.method, path)
        query = reading.query(route, pairs)
        call = Call(self._core, url, path, ids, query, headers, await reading.body(request, route))
        return await self._perform(route, call)

    async def _perform(self, route: routes.Route, call: Call) -> Answer:
        turns = self._core.faults.draw(route.name)
        return await misbehaving(calls.KINDS, turns, partial(_do, route))(call)


async def _do(route: routes.Route, call: Call) -> Answer:
    if inspect.iscoroutinefunction(route.does):
        lasting: Answer = await route.does(call)
        return lasting
    with call.core.store.transaction():
        answer = route.does(call)
    assert isinstance(answer, Answer)  # noqa: S101 - only coroutine functions give anything else
    return answer


def _drop(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection; what is answered goes nowhere."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
