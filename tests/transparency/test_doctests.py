"""`doctest` finds and runs the examples of decorated functions where it finds those of bare ones."""

import doctest
import types
from typing import Any

from transparency.kinds import Decorate

SOURCE = '''
@decorate
def function(value):
    """Doubled.

    >>> function(2)
    4
    """
    return value * 2

@decorate
async def coroutine(value):
    """Doubled.

    >>> coroutine(2).close()
    """

@decorate
def generator(value):
    """Each.

    >>> list(generator(2))
    [0, 1]
    """
    yield from range(value)

class Holder:
    @decorate
    def method(self):
        """One.

        >>> Holder().method()
        1
        """
        return 1

    @decorate
    @staticmethod
    def static():
        """Wrong on purpose.

        >>> Holder.static()
        3
        """
        return 2

    @classmethod
    @decorate
    def of_class(cls):
        """Its name.

        >>> Holder.of_class()
        'Holder'
        """
        return cls.__name__

    @property
    @decorate
    def value(self):
        """Three.

        >>> Holder().value
        3
        """
        return 3
'''


def module_with(decorate: Decorate) -> Any:
    module = types.ModuleType("examined")
    module.__dict__["decorate"] = decorate
    exec(compile(SOURCE, "examined.py", "exec"), module.__dict__)  # noqa: S102
    del module.__dict__["decorate"]
    return module


def test_the_examples_are_found(decorate: Decorate) -> object:
    found = doctest.DocTestFinder().find(module_with(decorate))
    return [(test.name, test.lineno, test.filename, len(test.examples)) for test in found if test.examples]


def test_the_examples_run(decorate: Decorate) -> object:
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    results = [runner.run(test, out=said.append) for test in doctest.DocTestFinder().find(module_with(decorate))]
    return [(result.failed, result.attempted) for result in results], said


def test_examples_of_another_module_are_left_out(decorate: Decorate) -> object:
    module = module_with(decorate)
    module.function.__module__ = "elsewhere"
    found = doctest.DocTestFinder().find(module)
    return [test.name for test in found if test.examples]
