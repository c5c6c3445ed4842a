"""Exceptions of libraries whose messages are made by code of their own say what is stored instead."""

from conftest import RunProgram


def test_a_validation_error_says_how_many_and_of_what(run_program: RunProgram) -> None:
    program = """
import pydantic, requests
from calltape import monitor
class User(pydantic.BaseModel):
    id: int
    name: str
@monitor
def make(values): return User(**values)
@monitor
def connect(): raise requests.ConnectionError(OSError(111, "refused"))
for function, arguments in ((make, [{"id": "x"}]), (make, [{"id": 1}]), (connect, [])):
    try: function(*arguments)
    except Exception: pass
"""
    messages = [call["error_message"] for call in run_program(program).tape.calls()]
    assert messages == [
        "2 validation errors for User",
        "1 validation error for User",
        "[ConnectionRefusedError: [Errno 111] refused]",
    ]
