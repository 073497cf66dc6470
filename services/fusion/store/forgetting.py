"""Takes back what overlaps a stretch that is to be forgotten; what comes later is not added in the first place."""

from collections.abc import Sequence
from typing import Any, Final

import redis

from services.fusion.store.commands import Command, command_again, is_forgotten
from services.fusion.store.keys import Keys
from services.fusion.store.scripts import Scripts
from shared.emotions import MODALITIES
from shared.messages.session import SessionForget
from shared.messages.speech import MAX_SPEECH_SECONDS

_AT_ONCE: Final = 500


class Forgetting:
    """Forgets stretches of sessions; doing it again is harmless, and goes on where it broke off.

    Args:
        client: A client with ``decode_responses=True``.
        scripts: The store's scripts.
    """

    def __init__(self, client: "redis.Redis", scripts: Scripts) -> None:
        self._redis: Any = client
        self._scripts = scripts

    def take_back(self, stretch: SessionForget, unknown_s: int) -> None:
        """Take back the scores that overlap a stretch, which the store knows already to be forgotten.

        Args:
            stretch: What is to be forgotten.
            unknown_s: Seconds that things of a session are kept whose start has not been heard.
        """
        keys = Keys(stretch.session_id)
        fields = self._fields_around(keys, stretch)
        for at in range(0, len(fields), _AT_ONCE):
            values = self._redis.hmget(keys.evidence, fields[at : at + _AT_ONCE])
            kept = [value for value in values if value is not None and not is_forgotten(value)]
            self._scripts.run([command_again(value, unknown_s) for value in kept])
        self._drop_events(keys)
        arguments: list[str | int | float] = ["kind", "forgotten"]
        arguments += ["start_s", stretch.start_s, "end_s", stretch.end_s]
        names = [keys.tombstone, keys.meta, keys.events]
        self._scripts.run([Command(script="tell.lua", keys=names, arguments=arguments)])

    def _fields_around(self, keys: Keys, stretch: SessionForget) -> list[str]:
        """Return the scores that may overlap; the script says which do."""
        fields: list[str] = []
        for modality in MODALITIES:
            first_s = stretch.start_s - MAX_SPEECH_SECONDS
            members: Sequence[str] = self._redis.zrangebyscore(keys.order(modality), first_s, f"({stretch.end_s}")
            fields += [f"{modality}:{int(member)}" for member in members]
        return fields

    def _drop_events(self, keys: Keys) -> None:
        """Drop what the events say of how forgotten chunks were judged."""
        told = [
            (event_id, f"{fields['modality']}:{fields['seq']}")
            for event_id, fields in self._redis.xrange(keys.events)
            if fields.get("outcome", "forgotten") != "forgotten"
        ]
        if not told:
            return
        values = self._redis.hmget(keys.evidence, [field for _, field in told])
        gone = [event_id for (event_id, _), value in zip(told, values, strict=True) if is_forgotten(value)]
        if gone:
            self._redis.xdel(keys.events, *gone)
