"""Waiting for conditions. Nothing in the tests sleeps for a fixed time: a wait
ends the moment its condition holds, and its deadline is only the point at which
the test gives up."""
import os
import time

# Sanitizers make programs slower, not wrong: they stretch all deadlines.
SLOWNESS = float(os.environ.get("NIMBUS_TEST_SLOWNESS", "1"))
POLL_SECONDS = 0.02


class WaitFailed(AssertionError):
    """A condition did not come true before its deadline."""


def wait_until(condition, seconds, what, diagnosis=None):
    """Returns the first true value of condition().

    `what` finishes the sentence "waited in vain until …". `diagnosis`, if given,
    is called on failure and returns text: logs, the last state. A condition that
    raises AssertionError is over at once: that is how it says "never".
    """
    started = time.monotonic()
    deadline = started + seconds * SLOWNESS
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    text = f"waited in vain for {time.monotonic() - started:.1f} s until {what}"
    if diagnosis is not None:
        text += "\n" + diagnosis()
    raise WaitFailed(text)


def stays_true(condition, what, until, seconds=60):
    """Checks condition() again and again until until() holds; it must always be true.

    For "nothing happens": `until` is an event that proves that enough went on
    meanwhile, for instance ten more passes in the metrics, never a clock.
    """
    def step():
        if not condition():
            raise AssertionError(f"no longer true: {what}")
        return until()
    wait_until(step, seconds, f"it was observed long enough that {what}")
    if not condition():
        raise AssertionError(f"no longer true: {what}")
