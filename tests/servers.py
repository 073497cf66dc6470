"""Private RabbitMQ and Redis servers for the tests, on free loopback ports, in a folder of their own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

import pika
import trustme
from pika.exceptions import AMQPError

AMQP_URL_VARIABLE: Final = "MIEN_TEST_AMQP_URL"
REDIS_URL_VARIABLE: Final = "MIEN_TEST_REDIS_URL"
START_TIMEOUT_S: Final = 200.0
POLL_S: Final = 0.2
CTL_TIMEOUT_S: Final = 60.0

# Debian's program on the PATH changes to a user of its own, who may not read our folder; this is what it runs.
DEBIAN_RABBITMQ_PROGRAMS: Final = Path("/usr/lib/rabbitmq/bin")


class NoServerError(Exception):
    """There is no way to get a server here; the message says how to provide one."""


@dataclass(frozen=True, slots=True)
class RabbitMqServer:
    """A running RabbitMQ.

    Attributes:
        url: Its URL.
        environment: What its command-line tools need, or None where the server is not ours.
        tls_port: Where it listens for TLS, or None where the server is not ours.
        ca_file: The authority that vouches for it there, as ``localhost``.
    """

    url: str
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    tls_port: int | None = None
    ca_file: Path | None = None

    def ctl(self, *arguments: str) -> None:
        """Run ``rabbitmqctl``; only where the server is ours."""
        subprocess.run(
            [_program("rabbitmqctl"), *arguments],
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=CTL_TIMEOUT_S,
        )


@contextmanager
def rabbitmq() -> Iterator[RabbitMqServer]:
    """Give the RabbitMQ of ``MIEN_TEST_AMQP_URL``, or start a private one.

    Raises:
        NoServerError: If there is neither.
    """
    if url := os.environ.get(AMQP_URL_VARIABLE):
        yield RabbitMqServer(url)
        return
    if shutil.which("rabbitmq-server") is None:
        raise NoServerError(f"rabbitmq-server is not on the PATH and {AMQP_URL_VARIABLE} is not set")
    with ExitStack() as stack:
        yield _start_rabbitmq(stack)


def _start_rabbitmq(stack: ExitStack) -> RabbitMqServer:
    """Start a server that the stack ends; a port that was free a moment ago may be taken, so that it is tried twice."""
    with suppress(RuntimeError):
        return _new_rabbitmq(stack)
    return _new_rabbitmq(stack)


def _new_rabbitmq(stack: ExitStack) -> RabbitMqServer:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mien-", ignore_cleanup_errors=True)))
    port, tls_port = free_port(), free_port()
    environment = _rabbitmq_environment(folder, port, tls_port)
    if epmd := shutil.which("epmd"):
        stack.enter_context(_running([epmd, "-port", environment["ERL_EPMD_PORT"]], folder, environment))
    server = stack.enter_context(_running([_program("rabbitmq-server")], folder, environment))
    url = f"amqp://guest:guest@127.0.0.1:{port}/%2F"
    _await(server, lambda: _speaks_amqp(url), folder)
    return RabbitMqServer(url, environment, tls_port, folder / "ca.pem")


class Restartable:
    """A server of our own that a test may stop, kill and start again; what it keeps on its disk stays.

    Attributes:
        url: Its URL, the same after each start.
        folder: What it keeps.
        environment: What its command-line tools need.
    """

    def __init__(
        self, url: str, command: list[str], folder: Path, environment: Mapping[str, str], is_ready: Callable[[], bool]
    ) -> None:
        self.url, self.folder, self.environment = url, folder, environment
        self._command, self._is_ready = command, is_ready
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Start it, with further arguments and variables, and wait until it answers."""
        command, variables = [*self._command, *arguments], {**self.environment, **(environment or {})}
        self._process = self._stack.enter_context(_running(command, self.folder, variables))
        _await(self._process, self._is_ready, self.folder)

    def stop(self) -> None:
        """Let it end in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_TIMEOUT_S)
        self._stack.close()

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._stack.close()


@contextmanager
def restartable_rabbitmq(*addresses: str, config: str = "") -> Iterator[Restartable]:
    """Give a RabbitMQ of our own that can be started again; it runs.

    Args:
        addresses: What it listens on beside the loopback address.
        config: Further lines of ``rabbitmq.conf``.

    Raises:
        NoServerError: If it is not installed.
    """
    if shutil.which("rabbitmq-server") is None:
        raise NoServerError("rabbitmq-server is not on the PATH")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mien-", ignore_cleanup_errors=True)))
        port = free_port()
        environment = _rabbitmq_environment(folder, port, free_port())
        more = "".join(f"listeners.tcp.{2 + i} = {address}:{port}\n" for i, address in enumerate(addresses))
        with (folder / "rabbitmq.conf").open("a") as file:
            file.write(more + config)
        if epmd := shutil.which("epmd"):
            stack.enter_context(_running([epmd, "-port", environment["ERL_EPMD_PORT"]], folder, environment))
        url = f"amqp://guest:guest@127.0.0.1:{port}/%2F"
        server = Restartable(url, [_program("rabbitmq-server")], folder, environment, lambda: _speaks_amqp(url))
        stack.callback(server.kill)
        server.start()
        yield server


@contextmanager
def restartable_redis(*options: str) -> Iterator[Restartable]:
    """Give a Redis of our own that keeps every write (AOF, synced always) and can be started again; it runs.

    Args:
        options: Further options of its command.

    Raises:
        NoServerError: If it is not installed.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise NoServerError("redis-server is not on the PATH")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mien-", ignore_cleanup_errors=True)))
        port = free_port()
        command = [program, "--bind", "127.0.0.1", "--port", str(port), *options]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes"]
        url = f"redis://127.0.0.1:{port}/0"
        server = Restartable(url, command, folder, os.environ, lambda: _speaks_redis(port))
        stack.callback(server.kill)
        server.start()
        yield server


@contextmanager
def redis() -> Iterator[str]:
    """Give the URL of ``MIEN_TEST_REDIS_URL``, or of a private Redis.

    Raises:
        NoServerError: If there is neither.
    """
    if url := os.environ.get(REDIS_URL_VARIABLE):
        yield url
        return
    program = shutil.which("redis-server")
    if program is None:
        raise NoServerError(f"redis-server is not on the PATH and {REDIS_URL_VARIABLE} is not set")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mien-", ignore_cleanup_errors=True)))
        port = free_port()
        command = [program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
        server = stack.enter_context(_running(command, folder, os.environ))
        _await(server, lambda: _speaks_redis(port), folder)
        yield f"redis://127.0.0.1:{port}/0"


def free_port() -> int:
    """Return a TCP port on the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _program(name: str) -> str:
    debian = DEBIAN_RABBITMQ_PROGRAMS / name
    return str(debian) if debian.exists() else name


def _certificate(folder: Path) -> str:
    """Have an authority of the tests' own vouch for ``localhost``, and return what RabbitMQ is to be told of it."""
    authority, certificate, private = trustme.CA(), folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(certificate))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(private))
    return f"ssl_options.certfile = {private}\nssl_options.keyfile = {private}\n"


def _rabbitmq_environment(folder: Path, port: int, tls_port: int | None = None) -> dict[str, str]:
    configuration = f"listeners.tcp.1 = 127.0.0.1:{port}\n"
    if tls_port is not None:
        configuration += f"listeners.ssl.1 = 127.0.0.1:{tls_port}\n" + _certificate(folder)
    for name, text in (("plugins", "[]."), ("rabbitmq.conf", configuration), ("env", "")):
        (folder / name).write_text(text)
    return {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder),  # the Erlang cookie
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(free_port()),
        "RABBITMQ_NODENAME": f"mien-{os.getpid()}-{port}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "env"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
    }


@contextmanager
def _running(command: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
        )
        try:
            yield process
        finally:
            # Nothing in there outlives the tests, so that no server needs time to say goodbye.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _await(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], folder: Path) -> None:
    deadline = monotonic() + START_TIMEOUT_S
    while not is_ready():
        try:
            process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            if monotonic() < deadline:
                continue
        logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in folder.glob("*.log"))
        raise RuntimeError(f"{process.args!r} did not start within {START_TIMEOUT_S:.0f} s:\n{logs}")


def _speaks_amqp(url: str) -> bool:
    try:
        pika.BlockingConnection(pika.URLParameters(url)).close()
    except (AMQPError, OSError):
        return False
    return True


def _speaks_redis(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
