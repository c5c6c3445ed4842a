"""The pages on tests and on notebooks: their code runs as it stands."""

import pytest
from conftest import REPOSITORY, RunProgram
from documented import blocks

BLOCKS = {
    f"{page} {name}": block
    for page in ("testing", "notebooks")
    for name, block in blocks(REPOSITORY / "docs" / f"{page}.md").items()
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_of_code_runs(block: str, run_program: RunProgram) -> None:
    run_program(block)
