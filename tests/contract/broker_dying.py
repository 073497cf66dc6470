"""What every broker does with what nobody can use."""

from dataclasses import replace

import pytest

from shared.broker.port import Broker, Cause, Delivery
from shared.topology import Binding, Queue, QueueKind, Topology
from tests.broker_house import KEY, TIMEOUT_S, Consumer, House, message, publish
from tests.contract.broker_fixtures import BrokerTest


class DeadLetterContract(BrokerTest):
    """Rejection, delivery limit, expiry, full queues."""

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
