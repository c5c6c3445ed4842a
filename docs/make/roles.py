"""A hook of mkdocs: docstrings name what they mean by `:func:` and its like, which Markdown would show as they stand.

Called by mkdocs for each page that is built; changes no file.
"""

import re
from typing import Any

_ROLE = re.compile(r":(?:func|class|meth|attr|exc|mod):<code>")


def on_page_content(html: str, **_: Any) -> str:
    """The page without the names of roles."""
    return _ROLE.sub("<code>", html)
