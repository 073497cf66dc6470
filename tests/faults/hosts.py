"""Another host: a network namespace, with a wire to this one that a test can cut."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """A host of its own.

    Attributes:
        address: Its address.
        ours: The address of this host, as seen from there.
        inside: The command that runs another one there.
        device: Our end of the wire.
    """

    address: str
    ours: str
    inside: tuple[str, ...]
    device: str

    def cut(self) -> None:
        """Cut the wire: what is sent is lost, and nobody is told."""
        _ip("link", "set", self.device, "down")

    def mend(self) -> None:
        """Put the wire together again."""
        _ip("link", "set", self.device, "up")


@contextmanager
def other_host() -> Iterator[Host | str]:
    """Give another host, or the reason why there can be none here."""
    number = os.getpid()
    name, near, far = f"mien-{number}", f"mien{number % 10**7}a", f"mien{number % 10**7}b"
    net = f"10.231.{number % 250}"
    host = Host(f"{net}.2", f"{net}.1", ("ip", "netns", "exec", name), near)
    try:
        _ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError) as error:
        yield f"no network namespace may be made here ({error})"
        return
    try:
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
        _ip("addr", "add", f"{host.ours}/30", "dev", near)
        _ip("link", "set", near, "up")
        for arguments in (("addr", "add", f"{host.address}/30", "dev", far), ("link", "set", far, "up")):
            _ip("-n", name, *arguments)
        _ip("-n", name, "link", "set", "lo", "up")
        yield host
    except subprocess.CalledProcessError as error:
        yield f"no two hosts can be connected here ({error})"
    finally:
        _ip("netns", "del", name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=30)
