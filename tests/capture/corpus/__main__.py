"""`python -m corpus KIND`: passes each value of a kind to a recorded function and to `SmartSerializer`.

Started by ../test_golden.py, with `CALLTAPE_DB` naming the tape. Prints one JSON document a value: the expression as it
stands in the module, and what the serializer made of it; the tape holds the other text, in the same order. Never
looks at what capture should say.
"""

import importlib
import json
import sys

import calltape
from corpus.expressions import expressions_of


def main(kind: str) -> None:
    module = importlib.import_module(f"corpus.{kind}")
    options = getattr(module, "OPTIONS", {})
    serializer = calltape.SmartSerializer(max_time=10, **options)

    @calltape.monitor(**options)
    def keep(value: object) -> None:
        """The recorded function."""

    for line in expressions_of(module.VALUES):
        value = eval(line.expression, vars(module))  # noqa: S307 - the corpus is this project's own
        keep(value)
        print(json.dumps([line.mark, line.expression, serializer.serialize(value)]))
        del value


if __name__ == "__main__":
    main(sys.argv[1])
