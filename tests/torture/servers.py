"""Real servers with worker processes: gunicorn, uWSGI, Celery. Filled in with the helpers of `tests/servers`."""

from .fault import Fault

FAULTS: list[Fault] = []
