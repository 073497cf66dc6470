"""What every broker promises to those who consume."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.broker.port import Broker, Delivery
from shared.errors import BrokerError
from tests.broker_house import KEY, TIMEOUT_S, Consumer, House, await_consumers, message, publish
from tests.contract.broker_fixtures import BrokerTest


class ConsumingContract(BrokerTest):
    """Prefetch, settlement, cancelling, closing."""

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

    def test_each_of_a_batch_is_settled_as_it_says(self, connect: Callable[[], Broker], house: House) -> None:
        broker, other = connect(), connect()
        broker.declare(house.topology())
        publish(broker, house, *[b"%d" % number for number in range(8)])
        consumer = Consumer(broker, house.queue)
        zero, one, two, three, _in_hand, five, six, seven = (consumer.take() for _ in range(8))
        for delivery in (seven, zero, three, one, five):
            delivery.ack()
        two.reject()
        six.requeue()
        assert Consumer(other, house.dead_queue).take_bodies(1) == [b"2"]
        broker.close()
        assert sorted(Consumer(other, house.queue).take_bodies(2)) == [b"4", b"6"]
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

    def test_consumers_are_counted_wherever_they_are(self, connect: Callable[[], Broker], house: House) -> None:
        one, other = connect(), connect()
        one.declare(house.topology())
        await_consumers(one, house.queue, 0)
        subscriptions = [Consumer(broker, house.queue).subscription for broker in (one, other)]
        await_consumers(one, house.queue, 2)
        subscriptions[0].cancel()
        subscriptions[0].cancel()
        await_consumers(other, house.queue, 1)

    def test_an_unknown_queue_is_refused(self, broker: Broker, house: House) -> None:
        with pytest.raises(BrokerError):
            broker.depth(house.queue)
        with pytest.raises(BrokerError):
            broker.consume(house.queue, lambda _: None, 1)
        with pytest.raises(ValueError, match="prefetch"):
            broker.consume(house.queue, lambda _: None, 0)

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
