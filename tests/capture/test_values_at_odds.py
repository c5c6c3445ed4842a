"""Values that contradict themselves, nest without end or change under the reader: no read leaves an object's memory."""

import json
from typing import Any

from conftest import RunProgram

PRELUDE = """
import collections, functools, gc, os, sys, types
from calltape import SmartSerializer, monitor, register

@monitor
def keep(value): return None

def end():  # an object that nests deeply is not taken down, which might take the interpreter's own stack
    import calltape
    calltape.stop()
    os._exit(0)
"""


def kept(run_program: RunProgram, program: str, function: str = "keep") -> list[Any]:
    tape = run_program(PRELUDE + program).tape
    return [json.loads(call["args"]) for call in tape.calls(function)]


def test_callables_and_proxies_within_one_another_are_followed_so_far(run_program: RunProgram) -> None:
    program = """
method, proxy = keep.__wrapped__, {"a": 1}
for _ in range(3): method, proxy = types.MethodType(method, 1), types.MappingProxyType(proxy)
keep(method); keep(proxy)
for _ in range(300_000): method, proxy = types.MethodType(method, 1), types.MappingProxyType(proxy)
keep(method); keep(proxy)
end()
"""
    near_method, near_proxy, method, proxy = kept(run_program, program)
    assert near_method == {"value": "[method __main__.keep]"}
    assert near_proxy == {"value": {"a": 1}}
    assert method == {"value": "[method]"}
    assert proxy == {"value": "[mappingproxy]"}


def test_one_key_may_stand_twice_in_an_ordered_dict(run_program: RunProgram) -> None:
    program = """
class Key:
    hashes = iter(range(1000))
    def __hash__(self): return next(self.hashes) * 7919
key = Key()
ordered = collections.OrderedDict()
ordered[key], ordered["last"] = 1, 3
ordered[key] = 2
ordered.move_to_end("last", last=False)
keep(ordered)
"""
    assert kept(run_program, program) == [{"value": {"last": 3, "[Key]": 2}}]


def test_a_function_may_be_given_other_defaults_while_they_are_captured(run_program: RunProgram) -> None:
    program = """
class Changing:
    def __calltape__(self):
        called.__defaults__, called.__kwdefaults__ = ("new",) * 3, dict.fromkeys("def", "new")
        gc.collect()
        self.taken = [tuple(object() for _ in range(3)) for _ in range(1000)]
        return "changing"
def called(a, b, c, *, d, e, f): return a, b, c, d, e, f
recorded = monitor(called)
for n in range(200):
    called.__defaults__ = (Changing(), (f"b{n}" * 50,), [n])
    called.__kwdefaults__ = {"d": Changing(), "e": {"n": n}, "f": [n]}
    recorded()
called.__defaults__, called.__kwdefaults__ = tuple("12345"), {"d": 1, "e": 2, "f": 3}
assert recorded() == ("3", "4", "5", 1, 2, 3)
"""
    *changed, plain = kept(run_program, program, "called")
    assert len(changed) == 200
    # The time may be over by then.
    assert all(args["c"] in ([n], "[list with 1 item]") for n, args in enumerate(changed))
    assert plain == {"a": "3", "b": "4", "c": "5", "d": 1, "e": 2, "f": 3, "(defaults)": list("abcdef")}


def test_own_code_may_serialize_the_object_that_it_shows(run_program: RunProgram) -> None:
    program = """
class Itself:
    def __init__(self): self.a = 1
    def __calltape__(self): return SmartSerializer().serialize(self)
class Another:
    def __calltape__(self): return SmartSerializer(max_repr=10_000).serialize([Another()])
sys.setrecursionlimit(100_000)
keep(Itself()); keep(Another())
"""
    itself, another = kept(run_program, program)
    assert json.loads(itself["value"]) == {"__class__": "Itself", "a": 1}
    assert "[Another]" in another["value"]
