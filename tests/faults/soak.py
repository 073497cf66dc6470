"""The whole system under the load of a few live sessions for an hour: ``make soak`` (``MINUTES=5`` for a short one).

Prints the memory and the file handles of every process, minute by minute, and ends with 1 where one of them grows.
"""

import argparse
import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Final

import httpx
import psutil

from shared.emotions import MODALITIES, Modality
from tests.faults.session import Session
from tests.faults.system import System
from tests.servers import restartable_rabbitmq, restartable_redis

SESSIONS: Final = 3
SESSION_S: Final = 45
FRAMES_PER_S: Final = 5
SPEECH_EVERY_S: Final = 5
SETTLED: Final = 0.25
"""Share of the run that is warming up: caches fill, allocators grow."""

BURST: Final = 16
"""Speech chunks that a session ends with in the warm-up: the largest micro-batches come then, with their memory."""

LAG_S: Final = 900.0
"""Seconds that a busy machine may lag behind: memory is looked at, not speed."""

MAY_GROW_MB: Final = 15.0
MAY_GROW: Final = 0.05
MAY_GROW_HANDLES: Final = 3

Sample = tuple[float, int]


class Follower(Thread):
    """A client that follows a session to its end."""

    def __init__(self, system: System, session: Session) -> None:
        super().__init__(daemon=True)
        self._url, self._headers = f"http://127.0.0.1:{system.api_port}{session.path}/events", session.headers

    def run(self) -> None:
        with (
            suppress(httpx.TransportError),
            httpx.stream("GET", self._url, headers=self._headers, timeout=60) as answer,
        ):
            for _ in answer.iter_lines():
                pass


class Soak:
    """Runs sessions one after another, side by side, and watches the processes.

    Args:
        system: The system; all its services run.
        minutes: How long.
    """

    def __init__(self, system: System, minutes: float) -> None:
        self._system = system
        self._begun = monotonic()
        self._settled_at = self._begun + 60 * minutes * SETTLED
        self._ends_at = self._begun + 60 * minutes
        self._samples: dict[str, list[Sample]] = defaultdict(list)
        self._tick = Event()
        self._running: dict[Session, int] = {}
        self._ending: list[Session] = []
        self.sessions = 0

    def run(self) -> bool:
        """Run to the end, print what was seen, and return whether everything stayed flat."""
        seconds, due = 0, monotonic()
        while monotonic() < self._ends_at:
            self._tick.wait(max(0.0, due - monotonic()))
            # A system that lags behind is not given in a burst what it has missed, nor more sessions than it completes.
            due = max(due + 1.0, monotonic())
            if len(self._running) + len(self._ending) < SESSIONS and seconds % (SESSION_S // SESSIONS) == 0:
                self._running[self._begin()] = seconds
            self._step(seconds)
            if seconds % 10 == 0:
                self._look()
            if seconds % 60 == 0:
                self._print()
            seconds += 1
        for session in self._running:
            session.end()
        for session in [*self._ending, *self._running]:
            self._check(session)
        return self._judge()

    def _begin(self) -> Session:
        session = Session(self._system, *MODALITIES)
        session.confirm()
        self._system.wait_until(lambda: bool(session.read()), lambda: "the session does not begin")
        Follower(self._system, session).start()
        return session

    def _step(self, seconds: int) -> None:
        """Let every session go on by a second, end those whose time is over, and check those that are complete."""
        for session, since in list(self._running.items()):
            session.look(FRAMES_PER_S)
            if (seconds - since) % SPEECH_EVERY_S == 0:
                session.speak(1)
            if seconds - since >= SESSION_S:
                del self._running[session]
                session.speak(BURST if monotonic() < self._settled_at else 0)
                session.end()
                self._ending.append(session)
        for session in list(self._ending):
            if session.read().get("status") == "complete":
                self._ending.remove(session)
                self._check(session)

    def _check(self, session: Session) -> None:
        session.check()
        assert self._system.api.delete(session.path, headers=session.headers).status_code == 200
        self.sessions += 1

    def _look(self) -> None:
        for name, process in self._system.processes.items():
            seen = psutil.Process(process.pid)
            self._samples[name].append((seen.memory_info().rss / 1e6, seen.num_fds()))

    def _print(self) -> None:
        minute = (monotonic() - self._begun) / 60
        row = "  ".join(f"{name} {values[-1][0]:6.0f} MB {values[-1][1]:3d}" for name, values in self._samples.items())
        sys.stdout.write(f"{minute:4.1f} min  {row}\n")
        sys.stdout.flush()

    def _judge(self) -> bool:
        sys.stdout.write(f"{self.sessions} sessions, every one complete and exact. Medians after warming up:\n")
        flat = True
        for name, values in self._samples.items():
            settled = values[int(SETTLED * len(values)) :]
            third = max(1, len(settled) // 3)
            first, last = settled[:third], settled[-third:]
            memory = [statistics.median(each for each, _ in part) for part in (first, last)]
            handles = [statistics.median(each for _, each in part) for part in (first, last)]
            grown = memory[1] - memory[0]
            good = grown <= max(MAY_GROW_MB, MAY_GROW * memory[0]) and handles[1] - handles[0] <= MAY_GROW_HANDLES
            flat = flat and good
            sys.stdout.write(
                f"  {name:6s} {memory[0]:6.1f} MB -> {memory[1]:6.1f} MB, {handles[0]:.0f} -> {handles[1]:.0f} handles"
                f": {'flat' if good else 'GROWS'}\n"
            )
        return flat


def main() -> int:
    """Soak, and return 0 where everything stayed flat."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as logs, restartable_rabbitmq() as rabbitmq, restartable_redis() as redis:
        system = System(rabbitmq, redis, "not needed", Path(logs))
        try:
            system.patience_s = LAG_S
            system.start("fusion", *(str(modality) for modality in Modality))
            return 0 if Soak(system, arguments.minutes).run() else 1
        finally:
            system.close()


if __name__ == "__main__":
    sys.exit(main())
