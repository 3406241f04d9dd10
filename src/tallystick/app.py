"""Entry point: run the command line, turn what went wrong into words and an exit code."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from typing import Any

from tallystick.errors import TallystickError

__all__ = ["main"]

INTERRUPTED = 130  # what shells give for Ctrl-C: 128 + SIGINT
LOOK_EVERY = 20_000  # objects more than before
STOPPED = "\nStopped. Nothing half-written was left behind.\n"


def main() -> None:
    """Run the command line and leave with its exit code."""
    # Asked to end, by a scheduler say, it ends as with Ctrl-C: what is half-written is taken away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # What is imported stays: to look for garbage among it as often as Python does takes a tenth of a start.
    gc.set_threshold(LOOK_EVERY)
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code that interface.md and the README list."""
    import typer
    import typer.exceptions
    from typer.main import get_command

    from tallystick.cli import app

    try:
        code = get_command(app).main(args=arguments, prog_name="tallystick", standalone_mode=False)
    except typer.Exit as error:
        code = error.exit_code
    except typer.exceptions.TyperException as error:
        shown: Any = error  # what went wrong in the words typed; Typer types only the base
        shown.show()
        return int(shown.exit_code)
    except TallystickError as error:
        from tallystick.cli.terminal import print_error

        print_error(error)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write(STOPPED)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not try to flush it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError:
        sys.stderr.write("Error: out of memory.\nTry a smaller --set batch_rows=1024, or a larger machine.\n")
        return 1
    except Exception as error:  # the last stop: users get words, the log gets the trace
        logging.getLogger("tallystick").debug("unexpected", exc_info=True)
        sys.stderr.write(
            f"Error: something that should not happen did: {type(error).__name__}: {error}\n"
            "Please report it. For the whole story: TALLYSTICK_LOG_LEVEL=debug\n"
        )
        return 1
    if code == INTERRUPTED:  # Typer makes an exit code of Ctrl-C
        sys.stderr.write(STOPPED)
    return code if isinstance(code, int) else 0
