"""Containers and objects that other threads change while they are captured: each time valid JSON within its budget."""

from conftest import RunProgram

PROGRAM = """
import collections, json, random, sys, threading, time, types
import calltape

class Plain:
    pass

def items(): return [{"n": n, "text": "x" * n} for n in range(random.randint(0, 40))]

def change_list(value):
    value[:] = items()
    value.clear()
    value.extend(items())
    del value[::2]
def change_dict(value):
    for n in range(60): value[str(random.getrandbits(6))] = items()
    for key in list(value)[::2]: value.pop(key, None)
    value.clear()
def change_set(value):
    value.update(range(random.randint(0, 3000)))
    value.clear()
def change_deque(value):
    value.extend(items())
    while value: value.popleft()
def change_object(value):
    for n in range(30): setattr(value, f"a{n}", items())
    vars(value).clear()
    if type(value) is Plain: value.__dict__ = {"other": items()}
def change_array(value):
    value.extend(b"x" * random.randint(0, 5000))
    del value[:]

SHARED = [
    (change_list, []), (change_dict, {}), (change_dict, collections.OrderedDict()), (change_set, set()),
    (change_deque, collections.deque()), (change_object, Plain()), (change_object, types.SimpleNamespace()),
    (change_array, bytearray()), (change_dict, collections.UserDict()),
]
sys.setswitchinterval(1e-6)
END = time.monotonic() + 3
failures = []

def change(how, value):
    while time.monotonic() < END:
        try: how(value)
        except (RuntimeError, BufferError): pass  # the program's own race: changed during its own iteration
        except BaseException as error: failures.append(error); raise

@calltape.monitor(max_repr=700)
def keep(value): return value

def look(serializer):
    while time.monotonic() < END:
        for _, value in SHARED:
            text = serializer.serialize([value, value])
            json.loads(text)
            assert len(text.encode()) <= 700, text
            assert keep(value) is value

def looking():
    try: look(calltape.SmartSerializer(max_repr=700))
    except BaseException as error: failures.append(error); raise

calltape.start(on_full="drop")
threads = [threading.Thread(target=change, args=one) for one in SHARED]
threads += [threading.Thread(target=looking) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failures, failures
"""


def test_what_other_threads_change_is_captured_as_valid_json(run_program: RunProgram) -> None:
    tape = run_program(PROGRAM).tape
    assert tape.rows("SELECT count(*) AS bad FROM calls WHERE NOT json_valid(args) OR NOT json_valid(result)") == [
        {"bad": 0}
    ]
    [kept] = tape.rows("SELECT count(*) AS calls FROM calls WHERE function LIKE '%keep'")
    assert kept["calls"] > 100
