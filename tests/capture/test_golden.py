"""What some 800 values of every kind read like, on the tape and from `SmartSerializer`, against the golden file.

`CALLTAPE_WRITE_GOLDEN=1 pytest tests/capture/test_golden.py` writes golden.txt anew; then each changed line is to be
read: is it what an engineer wants to see? A line is `kind: expression -> text`, with `(from 3.12)` behind the kind
where only some interpreters make the value. Repetitions are folded: `<"ab" * 300>` stands for `ab` 300 times.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROGRAM_TIMEOUT, Tape
from corpus.expressions import fits

HERE = Path(__file__).resolve().parent
GOLDEN = HERE / "golden.txt"
KINDS = sorted(path.stem for path in (HERE / "corpus").glob("[a-z]*.py") if path.stem != "expressions")

# What a kind needs beyond requirements-dev.txt; `make test-heavy` installs it.
HEAVY = {"heavy": "torch"}

WRITING = os.environ.get("CALLTAPE_WRITE_GOLDEN") == "1"

# Of each value: its line up to the arrow, the tape's text, the serializer's.
Captured = list[tuple[str, str, str]]


def folded(text: str) -> str:
    """The text with repetitions counted instead of written out, and what cannot be seen as JSON escapes."""
    text = "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)
    return re.sub(
        r"(.{1,8}?)\1{15,}",
        lambda found: f"<{json.dumps(found[1], ensure_ascii=False)} * {len(found[0]) // len(found[1])}>",
        text,
    )


def captured(kind: str, environment: dict[str, str], tape: Tape) -> Captured:
    """Each value of a kind, captured in a program of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "corpus", kind],
        # What the libraries say of themselves is not looked at; their sets of text have one order; nothing is left out
        # because the machine is busy.
        env=environment | {"PYTHONWARNINGS": "ignore", "PYTHONHASHSEED": "0", "CALLTAPE_MAX_CAPTURE_TIME": "10s"},
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROGRAM_TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, f"corpus {kind} failed:\n{done.stdout[-1000:]}\n{done.stderr}"
    found = []
    for line, call in zip(done.stdout.splitlines(), tape.calls("keep"), strict=True):
        mark, expression, serialized = json.loads(line)
        name = f"{kind} ({mark}): {expression}" if mark else f"{kind}: {expression}"
        assert call["status"] == "ok"
        assert call["result"] == "null"
        on_tape = call["args"].removeprefix('{"value":').removesuffix("}")
        if mark == "in any order":
            on_tape, serialized = (json.dumps(json.loads(text), sort_keys=True) for text in (on_tape, serialized))
        found.append((name, on_tape, serialized))
    return found


def lines_of_golden() -> list[str]:
    return GOLDEN.read_text(encoding="utf-8").split("\n")[:-1] if GOLDEN.exists() else []


def golden(kind: str) -> dict[str, str]:
    """The golden file's lines of a kind, by what stands before the arrow."""
    lines = lines_of_golden()
    pairs = [line.split(" -> ", 1) for line in lines if re.match(rf"{kind}( \(|:)", line)]
    return dict(pairs)


def of_this_interpreter(name: str) -> bool:
    mark = re.match(r"\w+ \((.*?)\): ", name)
    return fits(mark[1] if mark else "")


def write(kind: str, lines: dict[str, str]) -> None:
    """Puts a kind's lines into the golden file; those of other interpreters stay."""
    others = lines_of_golden()
    kept = [line for line in others if not re.match(rf"{kind}( \(|:)", line)]
    kept += [f"{name} -> {text}" for name, text in golden(kind).items() if not of_this_interpreter(name)]
    GOLDEN.write_text(
        "\n".join(sorted(kept + [f"{name} -> {text}" for name, text in lines.items()])) + "\n", encoding="utf-8"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_reads_as_the_golden_file_says(kind: str, environment: dict[str, str], tape_path: Path) -> None:
    if kind in HEAVY and importlib.util.find_spec(HEAVY[kind]) is None:
        pytest.skip(f"{HEAVY[kind]} is not installed: make test-heavy installs it")
    values = captured(kind, environment, Tape(tape_path))
    for name, on_tape, serialized in values:
        assert serialized == on_tape, f"{name}: the serializer and the tape differ"
        json.loads(on_tape)
    texts = {name: folded(on_tape) for name, on_tape, _ in values}
    assert len(texts) == len(values), "an expression stands twice in the corpus"
    if WRITING:
        write(kind, texts)
    secrets = [f"{name}: {text}" for name, text in texts.items() if "hidden" in text]
    assert not secrets, "secrets are on the tape:\n" + "\n".join(secrets)
    expected = {name: text for name, text in golden(kind).items() if of_this_interpreter(name)}
    differing = [
        f"{name}\n    golden: {expected.get(name, '(no such line)')}\n    now:    {texts.get(name, '(no such value)')}"
        for name in sorted(expected.keys() | texts.keys())
        if expected.get(name) != texts.get(name)
    ]
    assert not differing, "read each, then write the golden file:\n" + "\n".join(differing)


def test_the_golden_file_is_sorted_and_holds_no_more_than_the_corpus() -> None:
    lines = lines_of_golden()
    assert lines == sorted(lines)
    assert {re.split(r"[ :]", line)[0] for line in lines} <= set(KINDS)
    assert len(lines) >= 300


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_in_the_golden_file_exceeds_its_budget(kind: str) -> None:
    budget = 60 if kind == "small_budgets" else 1000
    for name, text in golden(kind).items():
        whole = re.sub(r'<("(?:[^"\\]|\\.)*") \* (\d+)>', lambda found: json.loads(found[1]) * int(found[2]), text)
        assert len(whole.encode("utf-8", "surrogatepass")) <= budget, f"{name}: {len(whole)}"
