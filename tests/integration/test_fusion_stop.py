"""A signal that comes before the web server hears signals is not lost."""

import sys
from threading import Thread

from services.fusion.__main__ import listen
from services.fusion.api import Server, create_app
from services.fusion.settings import FusionSettings
from tests.stores import memory_store


def test_a_server_that_was_told_to_end_before_it_listened_ends_at_once() -> None:
    server = Server(create_app(memory_store(), FusionSettings()))
    interval = sys.getswitchinterval()
    try:
        with listen("127.0.0.1", 0) as bound:
            thread = Thread(target=server.run, args=([bound], lambda: True), daemon=True)
            thread.start()
            thread.join(20.0)
            ended = not thread.is_alive()
            server.should_exit = True
            thread.join(20.0)
    finally:
        sys.setswitchinterval(interval)
    assert ended
