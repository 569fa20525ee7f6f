"""Puts the sandbox's EC2 and SSM in the place of moto's: the one module that changes moto. Imports
moto.

For moto 5.2, whose backends live in module-level tables, so that one cloud at a time is live
in a process:

- `BackendDict.backend` is what makes a Region's backend; ours takes the cloud's state.
- `url_paths` is where moto's server finds the dispatching method of a service.

And for speed: what moto finds out again for each request, although it stays as it is, is kept. That
is a third of all the time that a request takes.
"""

from __future__ import annotations

import functools
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import moto.core.responses
import moto.ec2.urls
from botocore.model import Shape
from moto.core.base_backend import BackendDict
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.core.utils import method_names_from_class
from moto.ec2.models import ec2_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.ssm.models import ssm_backends

from fleet.sandbox.cloud.ec2.backend import SandboxEc2
from fleet.sandbox.cloud.ec2.response import SandboxEc2Response
from fleet.sandbox.cloud.ssm import SandboxSsm

if TYPE_CHECKING:
    from fleet.sandbox.cloud.state import CloudState


def install(state: CloudState) -> Any:
    """moto's WSGI application with the sandbox's services in it."""
    forget()
    ec2_backends.backend = functools.partial(SandboxEc2, state=state)  # type: ignore[assignment]
    ssm_backends.backend = functools.partial(SandboxSsm, state=state)  # type: ignore[assignment]
    moto.ec2.urls.url_paths = {"{0}/": SandboxEc2Response.dispatch}
    moto.core.responses.method_names_from_class = functools.cache(  # type: ignore[attr-defined]
        method_names_from_class
    )
    moto.core.responses.XFormedAttributePicker = _Picker  # type: ignore[attr-defined]
    app = DomainDispatcherApplication(create_backend_app)
    # It lists its own folders.
    app.get_backend_for_host = functools.lru_cache(app.get_backend_for_host)  # type: ignore[method-assign]
    return app


_NAMES: dict[tuple[type, str, Shape], tuple[str, ...]] = {}


class _Picker(XFormedAttributePicker):
    """Finds a value of an answer in an object, by names that follow from the object's class."""

    def get_possible_keys(self, context: AttributePickerContext) -> Generator[str]:
        place = type(context.obj), context.key, context.shape
        if place not in _NAMES:
            _NAMES[place] = tuple(super().get_possible_keys(context))
        yield from _NAMES[place]


def regions_in_use(state: CloudState) -> list[SandboxEc2]:
    """The EC2 backends that were touched so far."""
    backends = ec2_backends[state.settings.account_id].values()
    return [backend for backend in backends if isinstance(backend, SandboxEc2)]


def forget() -> None:
    """Drop all of moto's resources; EC2's and SSM's first, because moto's reset would build them
    anew.
    """
    ec2_backends.clear()
    ssm_backends.clear()
    BackendDict.reset()
