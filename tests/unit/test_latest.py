"""The mailbox of one place."""

from __future__ import annotations

import threading
import time

import pytest

from puppet.latest import Closed, Latest


def test_newest_wins_and_older_ones_are_counted():
    box: Latest[int] = Latest()
    for value in (1, 2, 3):
        box.put(value)

    assert box.take(0) == 3
    assert box.dropped == 2


def test_nothing_is_given_twice():
    box: Latest[int] = Latest()
    box.put(1)

    assert box.take(0) == 1
    assert box.take(0.01) is None


def test_a_value_ends_the_wait_of_another_thread():
    box: Latest[str] = Latest()
    putter = threading.Thread(target=box.put, args=("news",))
    putter.start()

    assert box.take(20) == "news"
    putter.join()


def test_waking_ends_one_wait_without_a_value():
    box: Latest[int] = Latest()
    box.wake()

    assert box.take(20) is None
    assert box.take(0) is None
    box.put(5)
    box.wake()
    assert box.take(20) == 5


def test_closing_ends_the_wait_and_refuses_more():
    box: Latest[int] = Latest()
    box.put(1)
    closer = threading.Timer(0.02, box.close)
    box.take(0)
    closer.start()

    with pytest.raises(Closed):
        box.take(20)
    with pytest.raises(Closed):
        box.put(2)
    closer.join()


def test_between_two_threads_every_value_is_taken_or_counted():
    box: Latest[int] = Latest()
    taken: list[int] = []

    def take() -> None:
        while (value := box.take(20)) is not None and value >= 0:
            taken.append(value)

    taker = threading.Thread(target=take)
    taker.start()
    for value in range(2000):
        box.put(value)
    while box.dropped + len(taken) < 2000:
        time.sleep(0)  # gives the other thread its turn
    box.put(-1)
    taker.join()

    assert taken == sorted(set(taken))
    assert taken[-1] == 1999
