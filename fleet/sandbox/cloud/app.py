"""`Cloud`: one WSGI application that is EC2, SSM, STS, IAM, S3, Service Quotas and the Price List.

A request goes: `GET /checkip` -> gate -> our JSON services, or moto under the cloud's lock -> an
AWS document, always, unless a fault or a test cuts the connection.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from botocore.model import OperationNotFoundError

from fleet.sandbox.cloud.call import Call, Environ, read_call
from fleet.sandbox.cloud.call_faults import CallFaults
from fleet.sandbox.cloud.denials import DECODE, decode
from fleet.sandbox.cloud.documents import Answer, ApiError, error_answer
from fleet.sandbox.cloud.gate import ConnectionCut, Gate
from fleet.sandbox.cloud.hooks import Hooks
from fleet.sandbox.cloud.metadata import InstanceMetadata, describe
from fleet.sandbox.cloud.moto_call import through_moto
from fleet.sandbox.cloud.service_quotas import ServiceQuotas
from fleet.sandbox.cloud.settings import CloudSettings
from fleet.sandbox.cloud.state import CloudState

if TYPE_CHECKING:
    from fleet.sandbox.cloud.ec2.backend import SandboxEc2
    from fleet.sandbox.cloud.ec2.instance import SandboxInstance
    from fleet.sandbox.driver import HostDriver

log = logging.getLogger(__name__)

StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class Cloud:
    """An AWS account in a process, over hosts that `driver` boots.

    `addresses` gives a loopback address that it never gave before. One `Cloud` at a time lives
    in a process, because moto keeps its resources in modules.
    """

    def __init__(
        self,
        *,
        driver: HostDriver,
        addresses: Callable[[], str],
        settings: CloudSettings | None = None,
    ) -> None:
        from fleet.sandbox.cloud import wiring
        from fleet.sandbox.cloud.faults import CloudFaults

        self._wiring = wiring
        self.state = CloudState(
            driver=driver, addresses=addresses, settings=settings or CloudSettings()
        )
        self.faults = CloudFaults(self.state, lambda: wiring.regions_in_use(self.state))
        self.hooks = Hooks()
        self.gate = self._make_gate()
        self._quotas = ServiceQuotas(self.state)
        self._moto: WsgiApp = wiring.install(self.state)

    def _make_gate(self) -> Gate:
        """What befalls a call, in order: a test's act, the credentials, the faults."""
        gate = Gate()
        by_name = CallFaults(self.state.faults, self.state.settings.account_id)
        gate.checks = [self.hooks.check, *gate.checks, by_name.check]
        gate.witnesses = [self.hooks.witness, by_name.witness]
        return gate

    @property
    def app(self) -> WsgiApp:
        """The WSGI application; safe to call from several threads."""
        return self._answer

    def host_powered_off(self, instance_id: str) -> None:
        """The host powered itself off: the instance is stopped, or terminated, as its shutdown
        behavior says.
        """
        with self.state.lock:
            for backend in self._wiring.regions_in_use(self.state):
                instance = backend.instance_by_id(instance_id)
                if instance is not None:
                    backend.lives.host_powered_off(instance)

    def instance_metadata(self, address: str) -> InstanceMetadata | None:
        """What the running instance at an address may know of itself."""
        with self.state.lock:
            for backend, instance in self._running():
                if instance.address == address:
                    return describe(
                        instance,
                        account_id=self.state.settings.account_id,
                        region=backend.region_name,
                        notice=self.state.spot_notices.get(instance.id),
                        rebalance=self.state.rebalance_notices.get(instance.id),
                    )
        return None

    def running_hosts(self) -> list[dict[str, str]]:
        """Every running instance: instance_id, address, fleet and member (empty where it is nobody's)."""
        with self.state.lock:
            found = [(i, {t["key"]: t["value"] for t in i.get_tags()}) for _, i in self._running()]
        return [
            {
                "instance_id": instance.id,
                "address": instance.address,
                "fleet": tags.get("fleet:name", ""),
                "member": tags.get("fleet:member", ""),
            }
            for instance, tags in found
        ]

    def instances_named(self, name: str) -> list[str]:
        """Ids of the running instances with that id, address, member, or fleet and member (`FLEET/MEMBER`)."""
        return [
            host["instance_id"]
            for host in self.running_hosts()
            if name in {*host.values(), f"{host['fleet']}/{host['member']}"} - {"", host["fleet"]}
        ]

    def _running(self) -> Iterator[tuple[SandboxEc2, SandboxInstance]]:
        for backend in self._wiring.regions_in_use(self.state):
            for instance in backend.sandbox_instances():
                if instance.state == "running":
                    yield backend, instance

    def reset(self) -> None:
        """Destroy all hosts and forget all resources, capacities, quotas, tokens, faults and hooks."""
        self.hooks.restart()
        with self.state.lock:
            regions = self._wiring.regions_in_use(self.state)
            for backend in regions:
                backend.lives.end()
            self._wiring.forget()
            self.state.clear()
            self._quotas.clear()
        for backend in regions:
            backend.lives.destroy_hosts()

    def close(self) -> None:
        """Reset, and close the driver."""
        self.reset()
        self.state.driver.close()

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._check_ip(environ) or self._aws(environ)
        except ConnectionCut as lost:
            raise _cut(environ) from lost
        status = HTTPStatus(answer.status)
        headers = [("Content-Type", answer.content_type), *answer.headers]
        if not any(name.lower() == "content-length" for name, _ in headers):
            headers.append(("Content-Length", str(len(answer.body))))
        start_response(f"{status.value} {status.phrase}", headers)
        return [answer.body]

    @staticmethod
    def _check_ip(environ: Environ) -> Answer | None:
        """The caller's address, as checkip.amazonaws.com gives it."""
        if environ.get("PATH_INFO") != "/checkip" or environ.get("REQUEST_METHOD") != "GET":
            return None
        return Answer(
            200, f"{environ.get('REMOTE_ADDR', '')}\n".encode(), "text/plain;charset=UTF-8"
        )

    def _aws(self, environ: Environ) -> Answer:
        call = self.hooks.arrived(read_call(environ))
        with self.state.faults.one_call():
            refused = self.gate.refuse(call)
            if refused is not None:
                return error_answer(call.protocol, refused)
            answer = self._carried_out(call, environ)
            self.gate.release(call, answer)
            return answer

    def _carried_out(self, call: Call, environ: Environ) -> Answer:
        try:
            return self._dispatch(call, environ)
        except ApiError as error:
            return error_answer(call.protocol, error)
        except NotImplementedError as error:
            text = f"The sandbox does not implement {call.service}:{call.action}. {error}".strip()
            return error_answer(call.protocol, ApiError("UnsupportedOperation", text))
        except OperationNotFoundError:
            text = f"The action {call.action} is not valid for this web service."
            return error_answer(call.protocol, ApiError("InvalidAction", text))
        except Exception as error:
            log.exception("%s:%s failed", call.service, call.action)
            text = (
                f"The sandbox failed in {call.service}:{call.action}: {type(error).__name__}: "
                f"{error}"
            )
            return error_answer(call.protocol, ApiError("InternalError", text, status=500))

    def _dispatch(self, call: Call, environ: Environ) -> Answer:
        if call.service == "pricing":
            from fleet.sandbox.cloud import pricing

            return pricing.handle(call)
        if call.service == "sts" and call.action == DECODE:
            return decode(call)
        with self.state.lock:
            if call.service == "servicequotas":
                return self._quotas.handle(call)
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = self.state.settings.account_id
            return through_moto(self._moto, call, environ)


def _cut(environ: Environ) -> ConnectionError:
    """End the caller's connection, and the error at which werkzeug leaves it at that."""
    caller = environ.get("werkzeug.socket")
    if isinstance(caller, socket.socket):
        caller.shutdown(socket.SHUT_RDWR)
    return ConnectionAbortedError("a fault of the sandbox cuts the connection")
