"""What is refused, and with which errno."""

import pytest


def refused(action):
    """The errno that an action is refused with."""
    with pytest.raises(OSError) as caught:
        action()
    return caught.value.errno
