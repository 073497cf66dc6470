"""The store's Lua scripts, run many at a time in one round trip."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final

import redis
from redis.exceptions import NoScriptError

from services.fusion.store.commands import Command

_PRELUDE: Final = "prelude.lua"


class Scripts:
    """Runs the scripts of this folder by their digests; safe to use from several threads.

    The client's own ``register_script`` asks before every pipeline whether Redis still has the scripts. Here that is
    only found out where it has them no longer.

    Args:
        client: A client of Redis.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._redis: Any = client
        self._texts = _texts()
        self._digests = {name: hashlib.sha1(text.encode()).hexdigest() for name, text in self._texts.items()}  # noqa: S324  (the name that Redis gives a script)
        self._loaded = False

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands in order, and return what each script returns.

        Raises:
            redis.RedisError: If Redis is away; some may be done.
        """
        if not self._loaded:
            self._load()
        try:
            return self._run(commands)
        except NoScriptError:  # Redis was started again; none of the scripts is there, so that nothing was done.
            self._load()
            return self._run(commands)

    def _run(self, commands: Sequence[Command]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            digest = self._digests[command.script]
            pipeline.evalsha(digest, len(command.keys), *command.keys, *command.arguments)
        results: list[Any] = pipeline.execute()
        return results

    def _load(self) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for text in self._texts.values():
            pipeline.script_load(text)
        pipeline.execute()
        self._loaded = True


def _texts() -> dict[str, str]:
    """Return the scripts by their file names; each begins with the prelude."""
    texts = {
        path.name: path.read_text(encoding="utf-8")
        for path in files("services.fusion.store").iterdir()
        if path.name.endswith(".lua")
    }
    prelude = texts.pop(_PRELUDE)
    return {name: prelude + text for name, text in texts.items()}
