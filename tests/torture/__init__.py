"""Breaks the recorder on purpose and compares what is on the tape with what an outside witness saw.

`python -m torture` (with `tests` on the path; `make torture`) runs every fault and prints one table. `numbered.py` says
what call number n is, `worker.py` makes such calls in a process of its own and reports each one that returned over a
pipe, `stage.py` starts and ends those processes, the faults break something meanwhile, and `oracle.py` compares the
tape with the pipe. Nothing here imports calltape but the worker, so the checker reads tapes with
the standard `sqlite3`.
"""
