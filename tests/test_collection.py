"""Garbage collection: what a monitored callable refers to is freed when it is, and no sooner."""

from conftest import RunProgram


def test_a_call_after_the_collector_has_cleared_the_cycle_still_finds_the_function(run_program: RunProgram) -> None:
    """A finaliser that runs while a cycle is cleared can bring a function of the cycle back (CPython's gh-91636). The
    wrapper had let go of its function by then, and the call crashed; it now keeps the function until it is freed."""
    program = """
import gc, weakref
from calltape import monitor

class LateFinaliser:
    __slots__ = ("reference",)
    def __del__(self):
        global function
        function = self.reference()
class Cycle(tuple):
    __slots__ = ()
    def __del__(self):
        self[1].reference = weakref.ref(self[0])
        global late
        del late

late = LateFinaliser()
@monitor
def function(): return 1
cycle = tuple.__new__(Cycle, (function, late))
function.cycle = cycle
del function, cycle
gc.collect()
assert function is None or function() == 1
"""
    run_program(program)


def test_what_a_monitored_partial_holds_is_freed_with_it(run_program: RunProgram) -> None:
    program = """
import functools, gc, weakref
from calltape import monitor

class Held: pass
def target(*args, **kwargs): pass

held = Held()
recorded = monitor(functools.partial(target, held, key=held))
recorded(1)
reference = weakref.ref(held)
del held, recorded
assert reference() is None

held = Held()
held.cycle = monitor(functools.partial(target, held))
held.cycle()
reference = weakref.ref(held)
del held
gc.collect()
assert reference() is None
"""
    run_program(program)
