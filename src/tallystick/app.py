"""Entry point: run the command line; map errors to messages and exit codes."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from typing import Any

from tallystick.errors import TallystickError

__all__ = ["main"]

INTERRUPTED = 130  # as shells do for Ctrl-C: 128 + SIGINT
GC_THRESHOLD = 20_000  # newly allocated objects
STOPPED = "\nStopped. Nothing half-written was left behind.\n"


def main() -> None:
    """Run the command line and exit with its exit code."""
    # SIGTERM (from a scheduler, say) ends as Ctrl-C does: partial output is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Imported objects live on; collecting garbage at the default rate takes a tenth of the start.
    gc.set_threshold(GC_THRESHOLD)
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    import typer
    import typer.exceptions
    from typer.main import get_command

    from tallystick.cli import app

    try:
        code = get_command(app).main(args=arguments, prog_name="tallystick", standalone_mode=False)
    except typer.Exit as error:
        code = error.exit_code
    except typer.exceptions.TyperException as error:
        usage_error: Any = error  # a mistake in the arguments; Typer types only the base class
        usage_error.show()
        return int(usage_error.exit_code)
    except TallystickError as error:
        from tallystick.cli.terminal import print_error

        print_error(error)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write(STOPPED)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has closed it; the interpreter must not flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError:
        sys.stderr.write("Error: out of memory.\nTry a smaller --set batch_rows=1024, or a larger machine.\n")
        return 1
    except Exception as error:  # unexpected: a message for the user, the trace for the log
        logging.getLogger("tallystick").debug("unexpected", exc_info=True)
        sys.stderr.write(
            f"Error: unexpected {type(error).__name__}: {error}\n"
            "Please report it. For the stack trace: TALLYSTICK_LOG_LEVEL=debug\n"
        )
        return 1
    if code == INTERRUPTED:  # Typer makes an exit code of Ctrl-C
        sys.stderr.write(STOPPED)
    return code if isinstance(code, int) else 0
