"""`python -m canaries exit|kill`: goes through every place, in a span of its name, and says which ones there are.

With `kill` it ends by SIGKILL. The look-alikes are passed last: they are to be found where the canaries are not.
"""

import asyncio
import importlib
import json
import logging
import os
import signal
import sys

import calltape
from canaries import PLACES, keep
from canaries.look_alikes import NAMES, TEXTS

KINDS = ("arguments", "objects", "shapes", "failures", "surroundings")


async def main(ending: str) -> None:
    logging.basicConfig(level=logging.DEBUG)
    for kind in KINDS:
        importlib.import_module(f"canaries.{kind}")
    for place in PLACES.values():
        with calltape.span(f"place {place.name}"):
            done = place.function(place.canary)
            if done is not None:
                await done
    for name in NAMES:
        keep({name: f"alike {name}"}, f"{name}=same-{name}")
    for text in TEXTS:
        keep(text)
    print(json.dumps({place.name: place.only_named for place in PLACES.values()}), flush=True)
    if ending == "kill":
        os.kill(os.getpid(), signal.SIGKILL)


asyncio.run(main(sys.argv[1]))
