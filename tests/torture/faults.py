"""The list of faults, in the order of the table."""

from . import (
    cgroups,
    corruption,
    crash_points,
    deaths,
    disk,
    forks,
    live_damage,
    locks,
    power_loss,
    servers,
    system_calls,
)
from .fault import Fault

FAULTS: list[Fault] = [
    *deaths.FAULTS,
    *crash_points.FAULTS,
    *cgroups.FAULTS,
    *disk.FAULTS,
    *system_calls.FAULTS,
    *corruption.FAULTS,
    *live_damage.FAULTS,
    *locks.FAULTS,
    *forks.FAULTS,
    *servers.FAULTS,
    *power_loss.FAULTS,
]
