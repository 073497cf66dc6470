"""What every broker promises, stated once; each adapter's test inherits it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from queue import Queue as Inbox
from uuid import uuid4

import pytest

from shared.broker.port import Broker, Cause, Delivery
from shared.errors import BrokerError, PublishError
from shared.messages.message import Message
from shared.topology import Binding, Queue, QueueKind, Topology

TIMEOUT_S = 30.0
KEY = "speech.chunk"


class House:
    """Exchanges and queues whose names nobody else uses: one for live messages, one for dead ones."""

    def __init__(self) -> None:
        unique = uuid4().hex
        self.exchange = f"media.{unique}"
        self.dead_exchange = f"dead-exchange.{unique}"
        self.queue = f"work.{unique}"
        self.dead_queue = f"dead.{unique}"

    def topology(self, pattern: str = "#", **options: object) -> Topology:
        queue = Queue(
            name=self.queue,
            bindings=(Binding(exchange=self.exchange, pattern=pattern),),
            dead_letter_exchange=self.dead_exchange,
        )
        dead = Queue(
            name=self.dead_queue,
            bindings=(Binding(exchange=self.dead_exchange, pattern="#"),),
            dead_letter_exchange=None,
        )
        return Topology(
            exchanges=(self.exchange, self.dead_exchange),
            queues=(replace(queue, **options), dead),  # type: ignore[arg-type]
        )

    def plus(self, topology: Topology, suffix: str, *patterns: str) -> Topology:
        bindings = tuple(Binding(exchange=self.exchange, pattern=pattern) for pattern in patterns)
        queue = Queue(name=self.queue + suffix, bindings=bindings, dead_letter_exchange=None)
        return replace(topology, queues=(*topology.queues, queue))


class Consumer:
    """Keeps what comes until the test takes it."""

    def __init__(self, broker: Broker, queue: str, prefetch: int = 100) -> None:
        self.inbox: Inbox[Delivery] = Inbox()
        self.subscription = broker.consume(queue, self.inbox.put, prefetch)

    def take(self) -> Delivery:
        return self.inbox.get(timeout=TIMEOUT_S)

    def take_bodies(self, count: int) -> list[bytes]:
        """Take and acknowledge."""
        bodies = []
        for _ in range(count):
            delivery = self.take()
            bodies.append(delivery.message.body)
            delivery.ack()
        return bodies


def message(body: bytes = b"body", *, expiration_ms: int | None = None) -> Message:
    return Message(
        type=KEY,
        body=body,
        content_type="audio/flac",
        message_id=str(uuid4()),
        correlation_id="session-1",
        timestamp=datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC),
        headers={"seq": 7, "name": "Łódź ☺", "big": 2**53, "negative": -5, "yes": True, "no": False},
        expiration_ms=expiration_ms,
    )


def publish(broker: Broker, house: House, *bodies: bytes) -> None:
    """Publish and wait for the confirms."""
    for future in [broker.publish(house.exchange, KEY, message(body)) for body in bodies]:
        future.result(TIMEOUT_S)


class BrokerContract:
    """The behaviours; an adapter gives the fixture ``connect``."""

    @pytest.fixture
    def connect(self) -> Callable[[], Broker]:
        """A function that makes another connection to the same server; the fixture closes them all."""
        raise NotImplementedError

    @pytest.fixture
    def broker(self, connect: Callable[[], Broker]) -> Broker:
        return connect()

    @pytest.fixture
    def house(self) -> House:
        return House()

    def test_every_property_arrives(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        sent = message(bytes(range(256)) * 1000, expiration_ms=60_000)
        broker.publish(house.exchange, KEY, sent).result(TIMEOUT_S)
        delivery = Consumer(broker, house.queue).take()
        assert delivery.message == sent
        assert type(delivery.message.headers["yes"]) is bool
        assert type(delivery.message.headers["big"]) is int
        assert not delivery.redelivered
        assert delivery.death is None

    def test_a_float_header_arrives_as_its_exact_text(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        sent = replace(message(), headers={"start_s": 3600.123456789012, "end_s": 1e-12})
        broker.publish(house.exchange, KEY, sent).result(TIMEOUT_S)
        headers = Consumer(broker, house.queue).take().message.headers
        assert {name: float(value) for name, value in headers.items()} == sent.headers

    def test_a_message_that_does_not_fit_into_amqp_fails_alone(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        futures = [
            broker.publish(house.exchange, KEY, bad)
            for bad in (replace(message(), message_id="x" * 256), replace(message(), headers={"seq": 2**80}))
        ]
        futures.append(broker.publish(house.exchange, "x" * 256, message()))
        publish(broker, house, b"good")
        for future in futures:
            with pytest.raises(PublishError):
                future.result(TIMEOUT_S)

    @pytest.mark.parametrize(
        ("pattern", "taken"),
        [
            ("speech.chunk", {"speech.chunk"}),
            ("speech.*", {"speech.chunk", "speech.text"}),
            ("*.chunk", {"speech.chunk", "frame.chunk"}),
            ("speech.#", {"speech", "speech.chunk", "speech.text", "speech.chunk.long"}),
            ("#.long", {"speech.chunk.long"}),
            ("#", {"speech", "speech.chunk", "speech.text", "speech.chunk.long", "frame.chunk"}),
        ],
    )
    def test_a_queue_takes_what_its_pattern_matches(
        self, broker: Broker, house: House, pattern: str, taken: set[str]
    ) -> None:
        broker.declare(house.plus(house.topology(), ".picky", pattern))
        keys = ["speech", "speech.chunk", "speech.text", "speech.chunk.long", "frame.chunk"]
        for future in [broker.publish(house.exchange, key, message(key.encode())) for key in keys]:
            future.result(TIMEOUT_S)
        assert {body.decode() for body in Consumer(broker, house.queue + ".picky").take_bodies(len(taken))} == taken
        assert broker.depth(house.queue + ".picky") == 0

    def test_every_bound_queue_gets_one_copy(self, broker: Broker, house: House) -> None:
        broker.declare(house.plus(house.topology(), ".twice", KEY, "speech.#"))
        publish(broker, house, b"once")
        assert broker.depth(house.queue) == 1
        assert broker.depth(house.queue + ".twice") == 1

    def test_what_no_queue_takes_fails_alone(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology(pattern="speech.*"))
        good = [broker.publish(house.exchange, KEY, message()) for _ in range(10)]
        bad = broker.publish(house.exchange, "nobody.listens", message())
        good += [broker.publish(house.exchange, KEY, message()) for _ in range(10)]
        with pytest.raises(PublishError, match="no queue takes"):
            bad.result(TIMEOUT_S)
        for future in good:
            future.result(TIMEOUT_S)

    def test_an_unknown_exchange_fails_alone(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        good = [broker.publish(house.exchange, KEY, message(b"%d" % i)) for i in range(10)]
        bad = broker.publish(house.exchange + ".unknown", KEY, message())
        good += [broker.publish(house.exchange, KEY, message(b"%d" % i)) for i in range(10, 20)]
        with pytest.raises(PublishError):
            bad.result(TIMEOUT_S)
        for future in good:
            future.result(TIMEOUT_S)
        consumer, missing = Consumer(broker, house.queue), {b"%d" % i for i in range(20)}
        while missing:  # what was sent again may come twice
            missing -= set(consumer.take_bodies(1))

    def test_a_thousand_publishes_are_confirmed_and_arrive_in_order(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        consumer = Consumer(broker, house.queue)
        bodies = [b"%d" % i for i in range(1000)]
        publish(broker, house, *bodies)
        assert consumer.take_bodies(1000) == bodies

    def test_many_threads_may_publish(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(publish, broker, house, *[b"x"] * 20) for _ in range(8)]:
                done.result(TIMEOUT_S)
        assert broker.depth(house.queue) == 160

    def test_no_more_than_the_prefetch_is_in_hand(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        publish(broker, house, b"0", b"1", b"2", b"3", b"4")
        consumer = Consumer(broker, house.queue, prefetch=2)
        first, second = consumer.take(), consumer.take()
        assert broker.depth(house.queue) == 3
        assert consumer.inbox.empty()
        second.ack()
        third = consumer.take()
        assert [d.message.body for d in (first, second, third)] == [b"0", b"1", b"2"]
        assert broker.depth(house.queue) == 2

    def test_what_is_acknowledged_never_comes_again(self, connect: Callable[[], Broker], house: House) -> None:
        broker, other = connect(), connect()
        broker.declare(house.topology())
        publish(broker, house, b"0", b"1", b"2")
        consumer = Consumer(broker, house.queue)
        consumer.take_bodies(3)
        broker.close()
        publish(other, house, b"last")
        assert Consumer(other, house.queue).take().message.body == b"last"

    def test_what_is_in_hand_comes_again_when_its_consumer_goes(
        self, connect: Callable[[], Broker], house: House
    ) -> None:
        broker, other = connect(), connect()
        broker.declare(house.topology())
        publish(broker, house, b"0", b"1", b"2")
        consumer = Consumer(broker, house.queue)
        stale = [consumer.take() for _ in range(3)]
        broker.close()
        again = Consumer(other, house.queue)
        deliveries = [again.take() for _ in range(3)]
        assert [d.message.body for d in deliveries] == [b"0", b"1", b"2"]
        assert all(d.redelivered for d in deliveries)
        for delivery in stale:
            delivery.ack()

    def test_what_is_rejected_becomes_a_dead_letter(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        sent = message(b"bad")
        broker.publish(house.exchange, KEY, sent).result(TIMEOUT_S)
        Consumer(broker, house.queue).take().reject()
        dead = Consumer(broker, house.dead_queue).take()
        assert dead.message == sent
        assert dead.death is not None
        assert (dead.death.queue, dead.death.cause) == (house.queue, Cause.REJECTED)

    def test_a_dead_letter_remembers_its_first_death(self, broker: Broker, house: House) -> None:
        grave, last_exchange = f"{house.queue}.grave", f"{house.exchange}.last"
        topology = house.topology()
        dead = replace(topology.queues[1], dead_letter_exchange=last_exchange)
        last = Queue(name=grave, bindings=(Binding(exchange=last_exchange, pattern="#"),), dead_letter_exchange=None)
        exchanges = (*topology.exchanges, last_exchange)
        broker.declare(Topology(exchanges=exchanges, queues=(topology.queues[0], dead, last)))
        publish(broker, house, b"bad")
        Consumer(broker, house.queue).take().reject()
        Consumer(broker, house.dead_queue).take().reject()
        twice_dead = Consumer(broker, grave).take()
        assert twice_dead.death is not None
        assert (twice_dead.death.queue, twice_dead.death.cause) == (house.queue, Cause.REJECTED)

    def test_what_is_handed_back_comes_again_until_the_limit(self, broker: Broker, house: House) -> None:
        limit = 3
        broker.declare(house.topology(delivery_limit=limit))
        deliveries: list[bool] = []

        def hand_back(delivery: Delivery) -> None:
            deliveries.append(delivery.redelivered)
            delivery.requeue()

        broker.consume(house.queue, hand_back, 10)
        publish(broker, house, b"poison")
        dead = Consumer(broker, house.dead_queue).take()
        assert dead.death is not None
        assert (dead.death.queue, dead.death.cause) == (house.queue, Cause.DELIVERY_LIMIT)
        assert limit <= len(deliveries) <= limit + 1
        assert deliveries == [False] + [True] * (len(deliveries) - 1)

    def test_a_callback_that_raises_rejects(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())

        def stumble(_: Delivery) -> None:
            raise ZeroDivisionError

        broker.consume(house.queue, stumble, 10)
        publish(broker, house, b"0", b"1")
        assert sorted(Consumer(broker, house.dead_queue).take_bodies(2)) == [b"0", b"1"]

    def test_what_outlives_its_queues_time_becomes_a_dead_letter(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology(message_ttl_ms=20))
        dead_letters = Consumer(broker, house.dead_queue)
        publish(broker, house, b"late")
        dead = dead_letters.take()
        assert dead.death is not None
        assert (dead.death.queue, dead.death.cause) == (house.queue, Cause.EXPIRED)
        assert broker.depth(house.queue) == 0

    @pytest.mark.parametrize("kind", QueueKind)
    def test_what_outlives_its_own_time_becomes_a_dead_letter(
        self, broker: Broker, house: House, kind: QueueKind
    ) -> None:
        broker.declare(house.topology(kind=kind))
        dead_letters = Consumer(broker, house.dead_queue)
        broker.publish(house.exchange, KEY, message(b"late", expiration_ms=20)).result(TIMEOUT_S)
        broker.publish(house.exchange, KEY, message(b"in time", expiration_ms=600_000)).result(TIMEOUT_S)
        dead = dead_letters.take()
        assert dead.message.body == b"late"
        assert dead.death is not None
        assert (dead.death.queue, dead.death.cause) == (house.queue, Cause.EXPIRED)
        assert Consumer(broker, house.queue).take_bodies(1) == [b"in time"]

    def test_a_full_queue_drops_its_oldest_as_dead_letters(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology(kind=QueueKind.CLASSIC, max_length=3))
        dead_letters = Consumer(broker, house.dead_queue)
        publish(broker, house, b"0", b"1", b"2", b"3", b"4")
        dead = [dead_letters.take(), dead_letters.take()]
        assert [d.message.body for d in dead] == [b"0", b"1"]
        assert [d.death.cause for d in dead if d.death] == [Cause.MAXLEN, Cause.MAXLEN]
        assert Consumer(broker, house.queue).take_bodies(3) == [b"2", b"3", b"4"]

    def test_nothing_comes_after_cancel_and_what_is_in_hand_may_be_settled(
        self, connect: Callable[[], Broker], house: House
    ) -> None:
        broker, other = connect(), connect()
        broker.declare(house.topology())
        publish(broker, house, b"0", b"1")
        consumer = Consumer(broker, house.queue, prefetch=1)
        in_hand = consumer.take()
        consumer.subscription.cancel()
        in_hand.ack()
        consumer.subscription.cancel()
        assert Consumer(broker, house.queue).take_bodies(1) == [b"1"]
        assert consumer.inbox.empty()
        broker.close()
        assert other.depth(house.queue) == 0

    def test_a_callback_may_cancel_its_own_subscription(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        subscribed, cancelled = threading.Event(), threading.Event()

        def take_one(delivery: Delivery) -> None:
            delivery.ack()
            subscribed.wait(TIMEOUT_S)
            subscription.cancel()
            cancelled.set()

        subscription = broker.consume(house.queue, take_one, 1)
        subscribed.set()
        publish(broker, house, b"0", b"1")
        assert cancelled.wait(TIMEOUT_S)
        assert Consumer(broker, house.queue).take_bodies(1) == [b"1"]

    def test_a_delivery_may_be_settled_from_any_thread(self, connect: Callable[[], Broker], house: House) -> None:
        broker, other = connect(), connect()
        broker.declare(house.topology())
        consumer = Consumer(broker, house.queue, prefetch=10)
        publish(broker, house, *[b"x"] * 200)
        with ThreadPoolExecutor(8) as pool:
            for _ in range(200):
                pool.submit(consumer.take().ack)
        broker.close()
        assert other.depth(house.queue) == 0

    def test_a_second_settlement_has_no_effect(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        publish(broker, house, b"0", b"1")
        consumer = Consumer(broker, house.queue, prefetch=1)
        first = consumer.take()
        first.ack()
        first.ack()
        first.reject()
        first.requeue()
        second = consumer.take()
        assert (second.message.body, second.redelivered) == (b"1", False)
        assert broker.depth(house.dead_queue) == 0

    def test_two_consumers_share_a_queue(self, connect: Callable[[], Broker], house: House) -> None:
        broker, other = connect(), connect()
        broker.declare(house.topology())
        consumers = [Consumer(broker, house.queue, prefetch=1), Consumer(other, house.queue, prefetch=1)]
        publish(broker, house, b"0", b"1")
        assert sorted(consumer.take().message.body for consumer in consumers) == [b"0", b"1"]

    def test_depth_counts_what_waits(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        assert broker.depth(house.queue) == 0
        publish(broker, house, b"0", b"1", b"2")
        assert broker.depth(house.queue) == 3

    def test_declaring_again_keeps_what_waits(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        publish(broker, house, b"0")
        broker.declare(house.topology())
        assert broker.depth(house.queue) == 1

    def test_declaring_otherwise_is_refused(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        with pytest.raises(BrokerError):
            broker.declare(house.topology(message_ttl_ms=1000))
        publish(broker, house, b"still works")

    def test_an_unknown_queue_is_refused(self, broker: Broker, house: House) -> None:
        with pytest.raises(BrokerError):
            broker.depth(house.queue)
        with pytest.raises(BrokerError):
            broker.consume(house.queue, lambda _: None, 1)
        with pytest.raises(ValueError, match="prefetch"):
            broker.consume(house.queue, lambda _: None, 0)

    def test_close_waits_for_confirms(self, connect: Callable[[], Broker], house: House) -> None:
        broker, other = connect(), connect()
        broker.declare(house.topology())
        futures = [broker.publish(house.exchange, KEY, message()) for _ in range(300)]
        broker.close()
        assert wait(futures, timeout=0).not_done == set()
        assert [future.exception() for future in futures] == [None] * 300
        assert other.depth(house.queue) == 300

    def test_a_closed_broker_refuses_everything_but_close(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        broker.close()
        broker.close()
        with pytest.raises(BrokerError):
            broker.publish(house.exchange, KEY, message()).result(TIMEOUT_S)
        with pytest.raises(BrokerError):
            broker.declare(house.topology())
        with pytest.raises(BrokerError):
            broker.consume(house.queue, lambda _: None, 1)
        with pytest.raises(BrokerError):
            broker.depth(house.queue)

    def test_close_leaves_no_thread(self, connect: Callable[[], Broker], house: House) -> None:
        before = set(threading.enumerate())
        broker = connect()
        broker.declare(house.topology())
        Consumer(broker, house.queue)
        broker.close()
        assert set(threading.enumerate()) <= before
