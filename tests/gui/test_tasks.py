"""Work outside the Qt thread."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from puppet.errors import PuppetError
from puppet.gui.tasks import Tasks


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def tasks(told):
    made = Tasks(told.append)
    yield made
    made.close()


def fail(error: Exception) -> None:
    raise error


def test_work_is_done_elsewhere_and_answered_here(tasks, qtbot):
    threads = []
    tasks.run(threading.current_thread, then=lambda worker: threads.extend([worker, threading.current_thread()]))

    qtbot.waitUntil(lambda: tasks.poll() or len(threads) == 2)
    assert threads[0] is not threads[1] is threading.main_thread()


def test_what_is_slow_holds_nothing_else_up(tasks, qtbot):
    gate, answers = threading.Event(), []
    tasks.run(gate.wait, then=answers.append, is_slow=True)
    tasks.run(lambda: "quick", then=answers.append)

    qtbot.waitUntil(lambda: tasks.poll() or answers == ["quick"])
    gate.set()
    qtbot.waitUntil(lambda: tasks.poll() or answers == ["quick", True])


def test_a_failure_is_told_in_one_sentence(tasks, told, qtbot):
    tasks.run(lambda: fail(PuppetError("broken; mend it")), then=lambda _: told.append("never"))

    qtbot.waitUntil(lambda: tasks.poll() or bool(told))
    assert told == ["broken; mend it"]


def test_a_fault_of_the_program_is_not_hidden(tasks):
    future: Future[None] = Future()
    tasks.watch(future, then=lambda _: None)
    future.set_exception(KeyError("x"))

    with pytest.raises(KeyError):
        tasks.poll()
    tasks.poll()


def test_what_was_cancelled_or_comes_too_late_is_forgotten(tasks, told):
    future: Future[None] = Future()
    tasks.watch(future, then=told.append)
    future.cancel()
    tasks.poll()
    tasks.close()
    tasks.run(lambda: "late", then=told.append)
    tasks.poll()

    assert told == []
