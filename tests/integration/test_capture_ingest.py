"""The agent inside another process: what it takes, and that nobody who feeds it waits for ever."""

from collections.abc import Iterator
from concurrent.futures import Future

import numpy as np
import pytest

from services.capture.ingest import BrokerIngest, LiveAgent
from services.capture.sources.port import VideoFrame
from services.capture.sources.push import PushSource
from shared.broker.memory import MemoryBroker
from shared.errors import BadInputError, MienError, PublishError
from shared.media.jpeg import encode_jpeg
from shared.messages import FrameChunk, Message, SessionEnded
from shared.sessions import new_session
from shared.topology import TOPOLOGY

PICTURE = encode_jpeg(np.zeros((48, 64, 3), dtype=np.uint8))


class Stumbling(MemoryBroker):
    """A broker that stumbles over messages of one type."""

    def __init__(self) -> None:
        super().__init__()
        self.declare(TOPOLOGY)
        self.types: list[str] = []
        self.over: str | None = None
        self.error: Exception = PublishError("the broker did not take it")

    def publish(self, exchange: str, routing_key: str, message: Message) -> Future[None]:
        self.types.append(message.type)
        if message.type == self.over:
            raise self.error
        return super().publish(exchange, routing_key, message)


@pytest.fixture
def broker() -> Iterator[Stumbling]:
    broker = Stumbling()
    yield broker
    broker.close()


def live(broker: MemoryBroker) -> LiveAgent:
    started, _ = new_session()
    return BrokerIngest(broker).live(started)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("error", [PublishError("no room"), RuntimeError("nobody thought of this")])
def test_a_session_that_cannot_go_on_says_so_and_takes_the_rest_without_use(
    broker: Stumbling, error: Exception
) -> None:
    broker.over, broker.error = FrameChunk.TYPE, error
    agent = live(broker)
    agent.see(0.0, PICTURE)
    with pytest.raises(MienError, match=r"no room|create another"):
        for number in range(1000):
            agent.hear(number / 10, bytes(3200))
    with pytest.raises(MienError, match=r"no room|create another"):
        agent.end()
    assert broker.types[-1] == SessionEnded.TYPE


@pytest.mark.timeout(30)
def test_a_session_whose_end_is_refused_ends_all_the_same(broker: Stumbling) -> None:
    broker.over = SessionEnded.TYPE
    agent = live(broker)
    agent.hear(0.0, bytes(3200))
    for _ in range(2):
        with pytest.raises(PublishError):
            agent.end()


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_a_small_picture_that_claims_to_be_large_is_refused_before_it_is_decoded(side: int) -> None:
    jpeg = bytearray(PICTURE)
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = 2 * side.to_bytes(2)
    source = PushSource(has_audio=True, has_video=True)
    with pytest.raises(BadInputError, match="over the limit"):
        source.see(0.0, bytes(jpeg))


@pytest.mark.parametrize(
    ("shape", "fits"),
    [((1080, 1920), (360, 640)), ((1, 10_000), (1, 640)), ((10_000, 1), (640, 1)), ((48, 64), (48, 64))],
)
def test_pictures_of_any_shape_are_made_to_fit_a_message(shape: tuple[int, int], fits: tuple[int, int]) -> None:
    source = PushSource(has_audio=True, has_video=True)
    source.see(1.0, encode_jpeg(np.full((*shape, 3), (200, 100, 50), dtype=np.uint8)))
    source.end()
    (frame,) = source
    assert isinstance(frame, VideoFrame)
    assert frame.image.shape == (*fits, 3)
    assert np.abs(frame.image.astype(int) - (200, 100, 50)).max() <= 4


def test_sound_that_was_lost_is_a_gap_and_none_goes_back() -> None:
    source = PushSource(has_audio=True, has_video=False)
    for at_s in (0.0, 0.1, 2.0, 1.0):
        source.hear(at_s, bytes(3200))
    source.end()
    blocks = list(source)
    assert [block.start_s for block in blocks] == pytest.approx([0.0, 0.1, 2.0, 2.1])
    assert [block.end_s for block in blocks] == pytest.approx([0.1, 0.2, 2.1, 2.2])
