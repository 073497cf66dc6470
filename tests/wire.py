"""A TCP connection that a test can cut."""

import selectors
import socket
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit, urlunsplit

TIMEOUT_S: Final = 30.0


class Wire:
    """A TCP connection to RabbitMQ that the test can cut: it relays between one listener and the server."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._upstream = (parts.hostname or "localhost", parts.port or 5672)
        self._listener = socket.create_server(("127.0.0.1", 0))
        credentials = f"{parts.username}:{parts.password}@" if parts.username else ""
        self.url = urlunsplit(parts._replace(netloc=f"{credentials}127.0.0.1:{self._listener.getsockname()[1]}"))
        self._wake, self._woken = socket.socketpair()
        self._lock = threading.Lock()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._commands: list[Callable[[], None]] = []
        self._selector = selectors.DefaultSelector()
        self._connected = threading.Event()
        self._relays, self._runs = True, True
        for ours in (self._listener, self._woken):
            self._selector.register(ours, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break every connection, and every new one until :meth:`mend`."""
        self._command(self._cut)

    def mend(self) -> None:
        """Let new connections through."""
        self._command(self._mend)

    def cut_once(self) -> None:
        """Break every connection; new ones get through at once."""
        self._command(self._break_all)

    def close(self) -> None:
        self._command(self._end)
        self._thread.join(TIMEOUT_S)
        for ours in (self._listener, self._wake, self._woken):
            ours.close()
        self._selector.close()

    def _command(self, work: Callable[[], None]) -> None:
        done = threading.Event()
        with self._lock:
            self._commands += [work, done.set]
        self._wake.send(b"!")
        assert done.wait(TIMEOUT_S)

    def _run(self) -> None:
        while self._runs:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._woken:
                    self._obey()
                elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._peers:
                    self._relay(key.fileobj)

    def _obey(self) -> None:
        self._woken.recv(100)
        with self._lock:
            commands, self._commands = self._commands, []
        for command in commands:
            command()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if not self._relays:
            client.close()
            return
        try:
            server = socket.create_connection(self._upstream)
        except OSError:  # the server is away: so is whoever asks for it
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _relay(self, source: socket.socket) -> None:
        try:
            data = source.recv(65536)
            if data:
                self._peers[source].sendall(data)
                return
        except OSError:
            pass
        self._break(source)

    def _break(self, one: socket.socket) -> None:
        for end in (one, self._peers[one]):
            self._selector.unregister(end)
            del self._peers[end]
            end.close()

    def _break_all(self) -> None:
        while self._peers:
            self._break(next(iter(self._peers)))

    def _cut(self) -> None:
        self._relays = False
        self._break_all()

    def _mend(self) -> None:
        self._relays = True

    def _end(self) -> None:
        self._break_all()
        self._runs = False
