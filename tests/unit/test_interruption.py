"""Signals are noted instead of ending the program, and afterwards all is as it was."""

from __future__ import annotations

import os
import signal

import pytest

from puppet.interruption import SIGNALS, Interruption

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no such signals")


@pytest.fixture
def hang_up():
    """Puts back what was done about SIGHUP."""
    before = signal.getsignal(signal.SIGHUP)
    yield signal.SIGHUP
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted_and_the_next_one_counts_as_ever(number):
    before = signal.getsignal(number)
    with Interruption() as interruption:
        os.kill(os.getpid(), number)

        assert interruption.signal == number
        assert signal.getsignal(number) is before


def test_a_program_that_shall_outlive_its_terminal_does(hang_up):
    signal.signal(hang_up, signal.SIG_IGN)
    with Interruption() as interruption:
        os.kill(os.getpid(), hang_up)

        assert interruption.signal is None
    assert signal.getsignal(hang_up) is signal.SIG_IGN
