# SPDX-License-Identifier: ISC
"""Waiting for something to become true, with a deadline that is generous on purpose."""

import time

DEADLINE = 60


class Late(AssertionError):
    """What was waited for did not happen in time."""


def wait_until(condition, what, deadline=DEADLINE, pause=0.02):
    """Calls condition() until it returns something true, and returns that. Raises Late."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Late(f"waited {deadline} s for: {what}")
        time.sleep(pause)
