"""A signal ends a stream, and never a query that one of its threads happens to run."""

import subprocess
import sys

CODE = """
import io, os, signal, sys, threading, time
from tallystick.jobs.stream import _stopped_by_signals

class Running:
    def stop(self): stopped.append(True)

stopped, raised, end = [], [], threading.Event()

def query():
    from polars import DataFrame  # as a sink does it, once the first decisions are written
    frame = DataFrame({"a": ["x" * 20] * 100_000})
    while not end.is_set():
        try:
            frame.write_ndjson(io.BytesIO())
        except BaseException as error:
            raised.append(type(error).__name__)

with _stopped_by_signals(Running()):
    thread = threading.Thread(target=query)
    thread.start()
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.5)
    end.set()
    thread.join()
print(stopped, raised)
"""


def test_a_query_in_a_thread_survives_the_signal() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("[True] []\n", "", 0)
