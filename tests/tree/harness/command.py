"""`conduitfs provider …` as a person types it, with a home of the test's own."""

import os
import shlex

from harness.mount import PROGRAM, REPORTS, run


def provider(home, *arguments, cwd=None, bound=120, env=None, **options):
    """Runs a subcommand; its Result."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        **(env or {}),
    }
    wrapper = shlex.split(os.environ.get("CONDUITFS_WRAPPER", ""))
    command = [*wrapper, str(PROGRAM), "provider", *(str(argument) for argument in arguments)]
    result = run(command, bound=bound, env=environment, cwd=cwd or home, **options)
    assert not any(report.encode() in result.err for report in REPORTS), result
    return result
