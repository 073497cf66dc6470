"""The worker over the broker in memory, with a scorer that judges loudness and breaks on silence."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.broker.memory import MemoryBroker
from shared.emotions import Modality
from shared.media.flac import read_speech
from shared.messages import Judgement, Message, SpeechChunk, Status
from shared.scoring import SpeechWindow
from shared.topology import DEAD_QUEUE, FUSION_QUEUE, MEDIA_QUEUES
from shared.worker import Worker
from tests.loudness import PATIENCE_S, LoudnessScorer, chunk, collect, publish, scores_of


def test_every_chunk_becomes_one_score_in_its_place(broker: MemoryBroker) -> None:
    arrived = collect(broker, FUSION_QUEUE)
    worker = Worker(broker, LoudnessScorer(), read_speech)
    worker.start()
    for seq in range(20):
        publish(broker, chunk(seq, level=(seq + 1) / 21).to_message())
    scores = scores_of(arrived, 20)
    worker.stop()
    assert set(scores) == set(range(20))
    assert all(score.mood == pytest.approx(1 + 4 * (seq + 1) / 21, abs=0.01) for seq, score in scores.items())
    assert scores[7].start_s == 7
    assert scores[7].model.name == "loudness"
    assert scores[7].queue_s >= 0
    assert broker.depth(MEDIA_QUEUES[Modality.AUDIO]) == 0


def test_waiting_messages_are_judged_together(broker: MemoryBroker) -> None:
    for seq in range(16):
        publish(broker, chunk(seq).to_message())
    arrived = collect(broker, FUSION_QUEUE)
    scorer = LoudnessScorer()
    worker = Worker(broker, scorer, read_speech, batch_size=8, linger_s=1.0)
    worker.start()
    scores_of(arrived, 16)
    worker.stop()
    assert scorer.batches == [8, 8]


def test_window_that_breaks_the_scorer_fails_alone(broker: MemoryBroker) -> None:
    for seq in range(4):
        publish(broker, chunk(seq, level=0.0 if seq == 2 else 0.5).to_message())
    arrived = collect(broker, FUSION_QUEUE)
    worker = Worker(broker, LoudnessScorer(), read_speech)
    worker.start()
    scores = scores_of(arrived, 4)
    worker.stop()
    assert {seq: score.status for seq, score in scores.items()} == {
        0: Status.SCORED, 1: Status.SCORED, 2: Status.FAILED, 3: Status.SCORED,
    }  # fmt: skip
    assert scores[2].reason == "internal_error"


def test_what_cannot_be_read_is_dead_lettered_and_the_rest_goes_on(broker: MemoryBroker) -> None:
    good = chunk(0).to_message()
    dead, arrived = collect(broker, DEAD_QUEUE), collect(broker, FUSION_QUEUE)
    worker = Worker(broker, LoudnessScorer(), read_speech)
    worker.start()
    foreign = [
        replace(good, type="greeting"),
        replace(good, body=b"not a sound"),
        replace(good, headers={**good.headers, "seq": -1}),
    ]
    for message in [*foreign, good]:
        publish(broker, message)
    assert set(scores_of(arrived, 1)) == {0}
    worker.stop()
    deaths = [dead.get(timeout=PATIENCE_S).death for _ in foreign]
    assert [(death.queue, death.cause) for death in deaths if death] == [("mien.audio", "rejected")] * 3


def test_a_decoder_that_stumbles_costs_one_message(broker: MemoryBroker) -> None:
    def read(message: Message) -> tuple[SpeechChunk, SpeechWindow]:
        if message.headers["seq"] == 0:
            raise ZeroDivisionError("of a library")
        return read_speech(message)

    dead, arrived = collect(broker, DEAD_QUEUE), collect(broker, FUSION_QUEUE)
    worker = Worker(broker, LoudnessScorer(), read)
    worker.start()
    for seq in range(2):
        publish(broker, chunk(seq).to_message())
    assert set(scores_of(arrived, 1)) == {1}
    assert dead.get(timeout=PATIENCE_S).message.headers["seq"] == 0
    worker.stop()


def test_a_worker_tells_how_long_its_batch_takes(broker: MemoryBroker) -> None:
    begun, may_end = threading.Event(), threading.Event()

    class SlowScorer(LoudnessScorer):
        def score(self, windows: Sequence[SpeechWindow]) -> list[Judgement]:
            begun.set()
            assert may_end.wait(PATIENCE_S)
            return super().score(windows)

    arrived = collect(broker, FUSION_QUEUE)
    worker = Worker(broker, SlowScorer(), read_speech)
    worker.start()
    assert worker.busy_s == 0
    publish(broker, chunk(0).to_message())
    assert begun.wait(PATIENCE_S)
    first = worker.busy_s
    assert worker.busy_s > first > 0
    may_end.set()
    scores_of(arrived, 1)
    worker.stop()
    assert worker.busy_s == 0


def test_stop_finishes_what_is_in_hand_and_leaves_the_rest(broker: MemoryBroker) -> None:
    for seq in range(100):
        publish(broker, chunk(seq).to_message())
    scorer = LoudnessScorer()
    worker = Worker(broker, scorer, read_speech, batch_size=4)
    worker.start()
    worker.stop()
    left = broker.depth(MEDIA_QUEUES[Modality.AUDIO])
    assert sum(scorer.batches) == broker.depth(FUSION_QUEUE)
    assert left + broker.depth(FUSION_QUEUE) == 100


def test_trace_context_goes_from_chunk_to_score(broker: MemoryBroker) -> None:
    arrived = collect(broker, FUSION_QUEUE)
    worker = Worker(broker, LoudnessScorer(), read_speech)
    worker.start()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    publish(broker, chunk(0).model_copy(update={"traceparent": trace}).to_message())
    assert scores_of(arrived, 1)[0].traceparent == trace
    worker.stop()
