"""What a page shows of a command's output against what the command printed. Compares text; runs nothing.

Ids, times, durations and how they changed, sizes, bars, process ids, host and interpreter differ from run to run: any
will do where the page shows one. An id that stands twice must be the same both times, and stands for the real one in
the commands that follow. A line `...` is any number of lines, a histogram any other one. Widths of columns follow from
what stands in them, so a run of spaces is as good as another. All else must be as it is shown.
"""

import re

# The blocks of a bar or a sparkline. A short bar is none at all, so at a line's end one may be there or not.
_BARS = "[▁▂▃▄▅▆▇█▏▎▍▌▋▊▉]"

# A time that changed, and one that did not: which of them it is differs from run to run.
_CHANGE = r"\d+(?:\.\d+)?(?: (?:ns|µs|ms|s))? -> \d+(?:\.\d+)? (?:ns|µs|ms|s)"

# A line of a histogram, and any number of them: how long calls take is another time another.
_HISTOGRAM = re.compile(rf"\s*to \d+ (?:ns|µs|ms|s)\s+[\d,]+(?:\s+{_BARS}+)?\s*$")
_ANY_HISTOGRAM = r"(?:[ \t]*to \d+ (?:ns|µs|ms|s)[ \t].*\n)+"

# The part of a coroutine's time that it ran; said only where it is not nearly all of it.
_ACTIVE = re.compile(r" · \d+(?:\.\d+)? (?:ns|µs|ms|s) active")

# Longest first: what an alternative takes, the next ones do not see.
_VARYING = re.compile(
    r"(?P<id>\b\d{15,20}\b)"
    r"|(?P<when>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?|\b\d\d:\d\d:\d\d(?:\.\d+)?)"
    r"|(?P<pid>\bpid \d+|\b\d+ MainThread)"
    r"|(?P<task>\btask Task-\d+)"
    r"|(?P<host>\bhost \S+)"
    r"|(?P<python>\bPython 3\.\d+\.\d+\w*)"
    r"|(?P<run>\brun\s+[0-9a-f]{16}\b)"
    r"|(?P<size>\b\d+(?:\.\d+)? ?(?:[KMG]i)?B\b)"
    r"|(?P<ago>\bjust now\b|\b\d+ (?:s|min|h|d) ago\b)"
    rf"|(?P<change>{_CHANGE}\b)"
    r"|(?P<factor>\bx\d+\.\d+\b)"
    r"|(?P<time>(?<![\w.])\d+(?:\.\d+)? ?(?:ns|us|µs|ms|s|min|h|d)\b(?: \d+ ?(?:s|min|h)\b)*)"
    rf"|(?P<bar>[ \t]*{_BARS}+)"
    r"|(?P<rule>[─━═-]{3,})"
    r"|(?P<space>[ \t]+)"
)
_PATTERNS = {
    "when": r"[\d:.TZ+ -]+",
    "pid": r"(?:pid \d+|\d+ MainThread)",
    "task": r"task Task-\d+",
    "host": r"host \S+",
    "python": r"Python 3\.\d+\.\d+\w*",
    "run": r"run\s+[0-9a-f]{16}",
    "size": r"\d+(?:\.\d+)? ?(?:[KMG]i)?B",
    "time": rf"(?:{_CHANGE}|~?\d+(?:\.\d+)? ?(?:ns|us|µs|ms|s|min|h|d)(?: \d+ ?(?:s|min|h)\b)*)",
    "change": rf"(?:{_CHANGE}|\d+(?:\.\d+)? (?:ns|µs|ms|s))",
    "factor": r"x\d+(?:\.\d+)?",
    "bar": rf"(?:{_BARS}|[ \t])*",
    "ago": r"(?:just now|\d+ (?:s|min|h|d) ago)",
    "rule": r"[─━═-]+",
    "space": r"[ \t]+",
}


def pattern(shown: str) -> tuple[re.Pattern[str], list[str]]:
    """What matches an output that says what `shown` does, and the ids of `shown` in the order of its groups."""
    ids: list[str] = []
    parts: list[str] = []
    for line in _ACTIVE.sub("", shown).strip("\n").splitlines():
        if _HISTOGRAM.match(line):
            if parts[-1:] != [_ANY_HISTOGRAM]:
                parts.append(_ANY_HISTOGRAM)
            continue
        if line.strip() in ("...", "…"):
            parts.append(r"(?:.*\n)*?")
            continue
        text, end = "", 0
        stripped = line.strip()
        for found in _VARYING.finditer(stripped):
            text += re.escape(stripped[end : found.start()])
            end = found.end()
            if found.lastgroup != "id":
                text += _PATTERNS[str(found.lastgroup)]
            elif found[0] in ids:
                text += rf"\{ids.index(found[0]) + 1}"
            else:
                ids.append(found[0])
                text += r"(\d{15,20})"
        parts.append(rf"[ \t]*{text}{re.escape(stripped[end:])}(?:{_BARS}|[ \t])*\n")
    return re.compile("".join(parts)), ids


def compare(shown: str, printed: str) -> dict[str, str] | None:
    """The real id for each id shown; None where the output is another than the page shows."""
    expected, ids = pattern(shown)
    lines = [line.rstrip() for line in _ACTIVE.sub("", printed).strip("\n").splitlines()]
    found = expected.fullmatch("".join(f"{line}\n" for line in lines))
    return None if found is None else dict(zip(ids, found.groups(), strict=True))
