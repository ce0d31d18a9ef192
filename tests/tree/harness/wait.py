"""Bounded waiting. Sanitizers and valgrind are slow: CONDUITFS_SLOW multiplies every bound."""

import os
import select
import time

SLOW = float(os.environ.get("CONDUITFS_SLOW", "1"))


def seconds(value):
    """A bound in seconds on this build."""
    return value * SLOW


def until(predicate, bound, what):
    """Returns the first true value of predicate(); for what no event tells of."""
    end = time.monotonic() + seconds(bound)
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds(bound):g} s in vain: {what}")
        time.sleep(0.02)


def is_mounted(path):
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return any(line.split()[4] == str(path) for line in file)


def mounts_change(predicate, bound, what):
    """Waits for predicate() to become true, looking at each change of the mount table."""
    end = time.monotonic() + seconds(bound)
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        table = select.poll()
        table.register(file, select.POLLPRI | select.POLLERR)
        while not predicate():
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"waited {seconds(bound):g} s in vain: {what}")
            table.poll(min(left, 0.2) * 1000)


def flat_state(path):
    """The value of `state` in a file of flat `key value` lines; None while there is none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((line[6:] for line in lines if line.startswith("state ")), None)
