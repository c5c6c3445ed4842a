"""What notebooks show: well-formed, escaped whatever is on the tape, and asking for nothing from elsewhere."""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

import calltape
from calltape.testing import record

# Names and values that would act in a page that does not escape them.
HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x00\u202e\u2028"

# What a page may hold, and no more.
ELEMENTS = {
    "div",
    "style",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "span",
    "code",
    "pre",
    "p",
    "svg",
    "rect",
    "text",
    "title",
}
ATTRIBUTES = {"class", "width", "height", "role", "x", "y", "fill", "fill-opacity", "font-size"}


class Page(HTMLParser):
    """Reads a page, and fails where an element or an attribute is none of ours, or is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.elements: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in ELEMENTS, tag
        assert {name for name, _ in attributes} <= ATTRIBUTES, attributes
        self.elements.append(tag)
        if not self.get_starttag_text_ends():
            self.open.append(tag)

    def get_starttag_text_ends(self) -> bool:
        return (self.get_starttag_text() or "").endswith("/>")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


@pytest.fixture
def tape() -> Iterator[calltape.Tape]:
    def fails(**values: object) -> None:
        raise ValueError(HOSTILE)

    monitored = calltape.monitor(fails, name=f"bad.{HOSTILE}", group=HOSTILE)
    with record() as tape, calltape.span(HOSTILE, **{HOSTILE: HOSTILE}):
        with pytest.raises(ValueError, match="script"):
            monitored(**{HOSTILE: [HOSTILE]})
        yield tape


def shown(value: object) -> Page:
    page = Page(value._repr_html_())  # type: ignore[attr-defined]
    assert "alert(1)" in page.text
    return page


def test_everything_of_the_tape_is_escaped(tape: calltape.Tape) -> None:
    failed = tape.calls(status="error").first()
    assert failed is not None
    shown(failed)
    shown(tape.call(failed.id))
    shown(tape.tree(failed))
    shown(tape.calls())
    shown(tape.slowest())
    shown(tape.functions())
    shown(tape.errors())
    shown(tape.accounting())
    shown(tape)


def test_what_a_prompt_shows_has_nothing_that_a_terminal_acts_on(tape: calltape.Tape) -> None:
    failed = tape.calls(status="error").first()
    assert failed is not None
    detail = tape.call(failed.id)
    assert detail is not None
    texts = [
        repr(failed),
        repr(detail),
        str(detail.failure),
        repr(detail.failure),
        repr(tape.errors()),
        repr(tape.slowest()),
    ]
    texts += [repr(tape.functions()), str(tape.tree(failed)), repr(tape.tree(failed)), repr(tape.errors()[0])]
    for text in texts:
        assert all(line.isprintable() for line in text.splitlines()), text
        assert "\u2028" not in text


def test_a_tree_has_a_bar_for_each_call_and_functions_a_histogram() -> None:
    @calltape.monitor(name="inner")
    def inner(n: int) -> int:
        return n

    @calltape.monitor(name="outer")
    def outer(n: int) -> int:
        return inner(n) + inner(n)

    with record() as tape:
        for n in range(20):
            outer(n)
    call = tape.calls("outer").first()
    tree = tape.tree(call) if call is not None else None
    assert tree is not None
    page = Page(tree._repr_html_())
    assert page.elements.count("svg") == len(tree.calls) == 3
    assert "├─" in page.text
    page = Page(tape.functions()._repr_html_())
    assert page.elements.count("svg") == 2
    assert page.elements.count("rect") >= 4
    page = Page(tape.latency()._repr_html_())
    assert "60 calls" in page.text
    assert page.elements.count("text") == 4
    assert Page(tape._repr_html_()).elements.count("svg") == 2


def test_a_long_list_is_cut_and_says_so() -> None:
    @calltape.monitor(name="work")
    def work(n: int) -> int:
        return n

    with record() as tape:
        for n in range(70):
            work(n)
    page = Page(tape.calls()._repr_html_())
    assert page.elements.count("tr") == 21
    assert "the first 20" in page.text
    page = Page(tape.slowest(60)._repr_html_())
    assert "the first 50 of 60" in page.text
    assert "no call" in Page(tape.calls("other")._repr_html_()).text
    tree = tape.tree(tape.slowest(1)[0], children=0)
    assert tree is not None
    Page(tree._repr_html_())
