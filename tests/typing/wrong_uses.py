"""Wrong uses of monitored functions, each of which type checkers report on its line, as they would without `monitor`.

Checked by mypy and pyright, never run. The comments name what each reports; `test_type_checkers.py` removes them and
looks whether every one of these lines is reported, and no other.
"""

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from calltape import monitor, unmonitor


@monitor
def plain(order: int, *, dry_run: bool = False) -> str:
    return f"{order}{dry_run}"


@monitor(group="orders")
async def coroutine(order: int) -> str:
    return str(order)


@monitor
def generator(order: int) -> Iterator[int]:
    yield order


@monitor()
async def async_generator(order: int) -> AsyncIterator[int]:
    yield order


class Shop:
    @monitor
    def method(self, order: int) -> str:
        return str(order)

    @monitor
    @staticmethod
    def static(order: int) -> str:
        return str(order)

    @property
    @monitor
    def title(self) -> str:
        return ""


@monitor
class Basket:
    def __init__(self, size: int) -> None: ...


plain("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
plain(1, dry=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
plain()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
number: int = plain(1)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
text: str = coroutine(1)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
items: list[int] = generator(1)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
async_generator("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Shop().method("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Shop.static("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Shop().title = "new"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
Basket("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
unmonitor(plain)("one")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
monitor(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
monitor(plain, rate=0.5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
monitor(keep_slower_than=[1])  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
monitor(sample_rate="half")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
assert_type(plain(1), bytes)  # type: ignore[assert-type]  # pyright: ignore[reportAssertTypeFailure]
