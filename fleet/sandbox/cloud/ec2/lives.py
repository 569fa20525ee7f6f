"""The lives of hosts: which state an instance is in, and what the driver does at each change.

A change happens under the cloud's lock; the driver is called outside of it, one call at a time
per instance, so that a slow host delays nobody else. Every thread here is a daemon and bounded
by what the driver bounds.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from fleet.sandbox.cloud.ec2 import catalog, instance_faults
from fleet.sandbox.driver import HostConfig
from fleet.sandbox.frameworks import framework_of

if TYPE_CHECKING:
    from fleet.sandbox.cloud.ec2.image import SandboxImage
    from fleet.sandbox.cloud.ec2.instance import SandboxInstance
    from fleet.sandbox.cloud.notices import SpotNotice
    from fleet.sandbox.cloud.state import CloudState

log = logging.getLogger(__name__)

_ENDS_AT_ONCE = 8
_USER = "Client.UserInitiatedShutdown"
_HOST = "Client.InstanceInitiatedShutdown"
_SPOT = "Server.SpotInstanceTermination"


class HostLives:
    """All instances of one Region."""

    def __init__(self, backend: Any, state: CloudState) -> None:
        self._backend = backend
        self._state = state
        self._timers: set[threading.Timer] = set()
        self._hosts: dict[str, SandboxInstance] = {}
        self._closed = False

    def begin(self, instance: SandboxInstance) -> None:
        """The instance is pending; it runs, and its host boots, a moment later. The lock is held.

        What the host boots with is fixed at the launch: a key pair may be deleted before the boot.
        """
        if instance.host is None:
            instance.host = self._config(instance)
        self._later(self._state.settings.pending_seconds, lambda: self._boot(instance))

    def stop(self, instance: SandboxInstance) -> None:
        """StopInstances. The lock is held."""
        if instance.state not in {"pending", "running"}:
            return
        instance.set_state("stopping")
        instance.set_reason(_USER, "User initiated shutdown")
        self._later(self._state.settings.shutting_down_seconds, lambda: self._power_off(instance))

    def start(self, instance: SandboxInstance) -> None:
        """StartInstances of a stopped instance. The lock is held."""
        instance.set_state("pending")
        instance.show_public_address()
        self.begin(instance)

    def reboot(self, instance: SandboxInstance) -> None:
        """RebootInstances: the state stays `running`. The lock is held."""
        self._later(0, lambda: self._restart(instance))

    def terminate(
        self,
        instance: SandboxInstance,
        *,
        code: str = _USER,
        message: str = "User initiated shutdown",
    ) -> None:
        """TerminateInstances, or an end with another StateReason. The lock is held."""
        if instance.state in {"shutting-down", "terminated"}:
            return
        self._state.spot_notices.pop(instance.id, None)
        self._state.rebalance_notices.pop(instance.id, None)
        instance.set_state("shutting-down")
        instance.set_reason(code, message)
        self._later(self._state.settings.shutting_down_seconds, lambda: self._destroy(instance))

    def keep(self, instance: SandboxInstance, image: SandboxImage, *, reboot: bool) -> None:
        """CreateImage: keep the host's disk for the image, which is `pending` until then. The lock is held."""
        self._later(0, lambda: self._keep(instance, image, reboot=reboot))

    def host_powered_off(self, instance: SandboxInstance) -> None:
        """The host powered itself off: InstanceInitiatedShutdownBehavior decides. The lock is held."""
        if instance.state != "running":
            return
        if instance.instance_initiated_shutdown_behavior == "terminate":
            self.terminate(instance, code=_HOST, message="Instance initiated shutdown")
            return
        instance.set_state("stopped")
        instance.set_reason(_HOST, "Instance initiated shutdown")
        instance.hide_public_address()

    def interrupt(self, instance: SandboxInstance, notice: SpotNotice, *, seconds: float) -> None:
        """EC2 takes a Spot Instance back so much later, unless it is called off. The lock is held."""
        self._state.spot_notices[instance.id] = notice
        self._later(seconds, lambda: self._take_back(instance, notice))

    def end(self) -> None:
        """No further change happens. The lock is held."""
        self._closed = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def destroy_hosts(self) -> None:
        """Destroy every host that the driver still has, after `end` and without the lock.

        A boot or an end that is under way is waited for, so that no host is left behind.
        """
        with ThreadPoolExecutor(_ENDS_AT_ONCE, thread_name_prefix="destroy") as pool:
            list(pool.map(self._destroy_host, list(self._hosts.values())))

    def _destroy_host(self, instance: SandboxInstance) -> None:
        with instance.driver_turn:
            if instance.id in self._hosts:
                self._state.driver.destroy(instance.id)
                self._hosts.pop(instance.id)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def run() -> None:
            with self._state.lock:
                self._timers.discard(timer)
                if self._closed:
                    return
            try:
                act()
            except Exception:  # a driver's failure is the host's, and must not end the cloud
                log.exception("a host's change of state failed")

        timer = threading.Timer(seconds, run)
        timer.daemon = True
        self._timers.add(timer)
        timer.start()

    def _boot(self, instance: SandboxInstance) -> None:
        with instance.driver_turn:
            with self._state.lock:
                if self._closed or instance.state != "pending" or instance.host is None:
                    return
                if not self._survives_pending(instance):
                    return
                instance.set_state("running")
                instance.dead = instance_faults.never_boots(self._state, instance)
                if instance.dead:
                    return
                if instance.id not in self._hosts:
                    born = instance_faults.ailments(self._state, instance)
                    instance.host = dataclasses.replace(instance.host, ailments=born)
                self._hosts[instance.id] = instance
            self._state.driver.boot(instance.host)

    def _survives_pending(self, instance: SandboxInstance) -> bool:
        death = instance_faults.death_while_pending(self._state, instance)
        if death is not None:
            self.terminate(instance, code=death[0], message=death[1])
        return death is None

    def _take_back(self, instance: SandboxInstance, notice: SpotNotice) -> None:
        with self._state.lock:
            if self._state.spot_notices.get(instance.id) is notice:
                instance.spot_end_code = notice.end_code
                self.terminate(instance, code=_SPOT, message="Spot instance termination")

    def _power_off(self, instance: SandboxInstance) -> None:
        with instance.driver_turn:
            if instance.id in self._hosts:
                self._state.driver.power_off(instance.id)
        with self._state.lock:
            if instance.state == "stopping":
                instance.set_state("stopped")
                instance.hide_public_address()

    def _restart(self, instance: SandboxInstance) -> None:
        with instance.driver_turn:
            if instance.state != "running" or instance.dead:
                return
            self._state.driver.power_off(instance.id)
            with self._state.lock:
                if self._closed or instance.state != "running" or instance.host is None:
                    return
            self._state.driver.boot(instance.host)

    def _keep(self, instance: SandboxInstance, image: SandboxImage, *, reboot: bool) -> None:
        with instance.driver_turn:
            reboot = reboot and instance.state == "running"
            try:
                if instance.id in self._hosts:
                    if reboot:
                        self._state.driver.power_off(instance.id)
                    self._state.driver.keep(instance.id, image.id)
                    self._hand_over(image)
                elif not instance.dead:
                    raise LookupError(f"{instance.id} has ended")
                image.is_kept()
            except Exception:
                image.state = "failed"
                raise
            finally:
                with self._state.lock:
                    again = reboot and not self._closed and instance.state == "running"
                if again and instance.host is not None and not instance.dead:
                    self._state.driver.boot(instance.host)

    def _hand_over(self, image: SandboxImage) -> None:
        """The kept disk is the image's; nobody's, where the image was deregistered in the meantime."""
        with self._state.lock:
            wanted = image.id in self._backend.amis
            image.kept_disk = image.id if wanted else ""
        if not wanted:
            self._state.driver.forget(image.id)

    def _destroy(self, instance: SandboxInstance) -> None:
        with instance.driver_turn:
            if instance.id in self._hosts:
                self._state.driver.destroy(instance.id)
                self._hosts.pop(instance.id)
            with self._state.lock:
                if self._closed:
                    return
                instance.set_state("terminated")
                instance.release()
                self._later(self._state.settings.terminated_seconds, lambda: self._forget(instance))

    def _forget(self, instance: SandboxInstance) -> None:
        with self._state.lock:
            for reservation in list(self._backend.reservations.values()):
                if instance in reservation.instances:
                    reservation.instances.remove(instance)
                if not reservation.instances:
                    self._backend.reservations.pop(reservation.id, None)
            self._backend.tags.pop(instance.id, None)

    def _config(self, instance: SandboxInstance) -> HostConfig:
        image = self._backend.amis.get(instance.image_id)
        key_pair = self._backend.key_pairs.get(instance.key_name)
        keys = (key_pair.public_key.strip(),) if key_pair else ()
        settings = self._state.settings
        return HostConfig(
            instance_id=instance.id,
            address=instance.address,
            ssh_port=settings.ssh_port,
            user=image.login_user if image else "ec2-user",
            authorized_keys=keys,
            gpus=catalog.gpus(instance.instance_type),
            framework=framework_of(image.name) if image else None,
            kept_disk=image.kept_disk if image else "",
            user_data=instance.user_data_bytes,
            boot_seconds=settings.boot_seconds,
        )
