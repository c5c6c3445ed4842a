"""calltape for pytest: ``pytest --calltape`` records each test, and a failure's report shows the calls that led to it.

    ---------------------------- calltape: calls of this test ----------------------------
     12 ms  shop.place(order={"id": 3})  PaymentError: no card for order 3
      8 ms  ├─ shop.check(order={"id": 3})
      3 ms  └─ shop.charge(order={"id": 3})  PaymentError: no card for order 3  <- raised here

Each test, with its set-up and tear-down, has a tape of its own in memory (see :mod:`calltape.testing`). The fixture
``calltape_tape`` is that tape, and one of the test's own where the option is absent::

    def test_an_order_is_charged_once(calltape_tape):
        shop.place({"id": 1})
        assert len(list(calltape_tape.calls("charge"))) == 1

``--calltape-keep=FOLDER`` keeps the tapes of the tests that fail, for the ``calltape`` command. pytest loads this
package by itself in every environment that has calltape; it imports nothing of calltape until it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from calltape.testing import RecordedTape

__all__ = ["calltape_tape"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("calltape", "calltape, a flight recorder for function calls")
    group.addoption(
        "--calltape",
        action="store_true",
        help="record the monitored calls of each test; the report of a failure shows those that led to it",
    )
    group.addoption(
        "--calltape-keep",
        metavar="FOLDER",
        help="keep the tapes of tests that fail in this folder, a file a test, to be read with the calltape command",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begins only where it is asked to."""
    folder = config.getoption("calltape_keep")
    if config.getoption("calltape") or folder:
        from pytest_calltape._recording import Recording

        config.pluginmanager.register(Recording(folder), "calltape-recording")


@pytest.fixture
def calltape_tape(request: pytest.FixtureRequest) -> Iterator[RecordedTape]:
    """The tape of this test, which has every call of a monitored function made before it is asked."""
    recording = request.config.pluginmanager.get_plugin("calltape-recording")
    if recording is not None:
        yield recording.tape_of(request.node)
        return
    from calltape.testing import record

    with record() as tape:
        yield tape
