"""A WSGI application on a socket that listens already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    import socket

    from _typeshed.wsgi import WSGIApplication


def server_on(listening: socket.socket, app: WSGIApplication) -> BaseWSGIServer:
    """Give a server with a thread for each connection; it has a copy of the socket."""
    address, port = listening.getsockname()
    server = make_server(
        address, port, app, threaded=True, fd=listening.fileno(), request_handler=_Handler
    )
    listening.close()
    return server


class _Handler(WSGIRequestHandler):
    """Keeps connections open, writes no line per request, and asks no name server who the caller is."""

    protocol_version = "HTTP/1.1"
    timeout = 60.0

    def log_request(self, *_: Any) -> None:
        """Nothing."""

    def address_string(self) -> str:
        """The address."""
        return str(self.client_address[0])
