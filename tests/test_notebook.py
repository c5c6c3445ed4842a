"""examples/reading_a_tape.ipynb runs from top to bottom in a real kernel, and its cells show what they should."""

import json
import os
from pathlib import Path

import nbclient
import nbformat
import pytest
from conftest import REPOSITORY

NOTEBOOK = REPOSITORY / "examples" / "reading_a_tape.ipynb"

# What the output of a cell holds, by the beginning of the cell.
SHOWN = {
    "tape = calltape.open()": ["sampled out", "shop.charge", "<svg"],
    'tape.calls("charge", status="error")': ["no card for order", "<table"],
    "slow = ": ["'paid'"],
    "failed = ": ["PaymentError", "no card for order", "***"],
    "tape.tree(failed)": ["├─", "shop.check", "<svg"],
    "tape.errors()": ["PaymentError", "shop.charge"],
    'tape.functions(sort="p99")': ["shop.place", "<svg"],
    'tape.latency("shop.place")': ["100 calls", "<svg"],
    "frame = ": ["shop.charge", "count"],
    "tape.accounting()": ["all calls", "300"],
}


@pytest.fixture(scope="module")
def run_notebook(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """The notebook with its outputs."""
    home = tmp_path_factory.mktemp("jupyter")
    # The kernel's own files go nowhere else, and no setting of the outside reaches it.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CALLTAPE_")}
    environment |= {"HOME": str(home), "IPYTHONDIR": str(home), "JUPYTER_RUNTIME_DIR": str(home)}
    notebook = nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    return client.execute(cwd=str(home), env=environment)


def output(cell: nbformat.NotebookNode) -> str:
    """All that a cell shows."""
    data = [entry.get("data", {}) for entry in cell["outputs"]]
    return "".join(text for shown in data for kind, text in shown.items() if kind in ("text/plain", "text/html"))


@pytest.mark.parametrize("beginning", SHOWN)
def test_a_cell_shows_what_it_should(run_notebook: nbformat.NotebookNode, beginning: str) -> None:
    (cell,) = [cell for cell in run_notebook["cells"] if cell["source"].startswith(beginning)]
    shown = output(cell)
    assert [words for words in SHOWN[beginning] if words not in shown] == []
    assert "a secret" not in shown


def test_no_cell_fails_or_writes_to_the_error_stream(run_notebook: nbformat.NotebookNode) -> None:
    outputs = [entry for cell in run_notebook["cells"] if cell["cell_type"] == "code" for entry in cell["outputs"]]
    assert [entry for entry in outputs if entry["output_type"] == "error" or entry.get("name") == "stderr"] == []
    if folder := os.environ.get("CALLTAPE_KEEP_NOTEBOOK"):
        Path(folder, "reading_a_tape.ipynb").write_text(json.dumps(run_notebook), encoding="utf-8")


def test_the_notebook_is_committed_without_outputs() -> None:
    notebook = nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
