"""The nth system call or allocation of the recorder fails. Filled in with the fault shim of `tests/faults`."""

from .fault import Fault

FAULTS: list[Fault] = []
