"""What every broker promises to those who publish."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import pytest

from shared.broker.port import Broker
from shared.errors import BrokerError, PublishError, UnroutableError
from tests.broker_house import KEY, TIMEOUT_S, Consumer, House, message, publish
from tests.contract.broker_fixtures import BrokerTest


class PublishingContract(BrokerTest):
    """Properties, routing, confirms, declarations."""

    def test_it_says_whether_it_can_be_reached(self, broker: Broker, house: House) -> None:
        broker.declare(house.topology())
        assert broker.connected
        assert not broker.blocked
        broker.close()
        assert not broker.connected

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
        with pytest.raises(UnroutableError, match="no queue takes"):
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

    def test_close_waits_for_confirms(self, connect: Callable[[], Broker], house: House) -> None:
        broker, other = connect(), connect()
        broker.declare(house.topology())
        futures = [broker.publish(house.exchange, KEY, message()) for _ in range(300)]
        broker.close()
        assert wait(futures, timeout=0).not_done == set()
        assert [future.exception() for future in futures] == [None] * 300
        assert other.depth(house.queue) == 300
