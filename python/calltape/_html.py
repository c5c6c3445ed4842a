"""What notebooks show: calls as a table, a tree, figures with histograms, as HTML with inline SVG.

Called by the `_repr_html_` of rows, trees and tapes. Whatever stands on a tape is escaped: arguments are anybody's.
Colours are those of the page around (`currentColor`) and middle tones, so that it reads in light and dark; it asks for
nothing from elsewhere and runs no script.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from calltape import _text
from calltape._figures import duration, one_line, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from calltape._diff import Diff
    from calltape._latency import Latency
    from calltape._lists import Functions
    from calltape._rows import Accounting, Call, ErrorGroup, Failure, FunctionStats
    from calltape._sql import SqlAnswer
    from calltape._tree import Tree, TreeLine

__all__ = ["accounting", "call", "calls", "diff", "errors", "functions", "latency", "sql", "tape", "tree"]

_STYLE = """<style>
.calltape { font: 13px/1.45 system-ui, sans-serif; color: inherit; max-width: 100%; overflow-x: auto; }
.calltape table { border-collapse: collapse; margin: 0; color: inherit; }
.calltape th, .calltape td { padding: 2px 10px 2px 0; text-align: left; vertical-align: top; border: 0; color: inherit;
  background: none; white-space: nowrap; }
.calltape th { font-weight: 600; opacity: .65; }
.calltape tbody tr { background: none !important; border-top: 1px solid rgba(128, 128, 128, .25); }
.calltape .n { text-align: right; font-variant-numeric: tabular-nums; }
.calltape code, .calltape pre { font: 12px/1.45 ui-monospace, monospace; background: none; color: inherit; padding: 0;
  margin: 0; border: 0; }
.calltape .w { white-space: normal; overflow-wrap: anywhere; max-width: 48ch; }
.calltape .q { opacity: .65; }
.calltape .ok { color: #2f9e5f; } .calltape .bad { color: #e0564b; } .calltape .mid { color: #c98a1b; }
.calltape .me { font-weight: 600; }
.calltape p { margin: 0 0 4px; }
.calltape pre { margin-top: 6px; }
.calltape svg { vertical-align: middle; }
</style>"""

_TONES = {"ok": "ok", "error": "bad", "interrupted": "bad", "running": "mid", "cancelled": "mid"}

# Characters of one captured value in a table, and in the table of one call.
_IN_A_TABLE = 120
_IN_FULL = 4000


def _page(*parts: str) -> str:
    return f'<div class="calltape">{_STYLE}{"".join(parts)}</div>'


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already; a name that ends in a blank heads a column of figures."""
    heads = "".join(f"<th{' class=n' if name.endswith(' ') else ''}>{name.strip()}</th>" for name in names)
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str, kind: str = "") -> str:
    """A cell of a text of the tape's."""
    return f'<td class="{kind}">{escape(one_line(text))}</td>'


def _code(text: str | None, most: int = _IN_A_TABLE) -> str:
    if text is None:
        return '<td class="q">-</td>'
    return f'<td class="w"><code>{escape(shortened(one_line(text), most))}</code></td>'


def _status(status: str) -> str:
    return _cell(status, _TONES.get(status, "q"))


def _raised(error_type: str | None, message: str | None) -> str:
    text = one_line(error_type or "") + (f": {one_line(message)}" if message else "")
    return f'<td class="w bad">{escape(shortened(text, _IN_A_TABLE))}</td>'


def _outcome(row: Call) -> str:
    return _code(row.result_json) if row.error_type is None else _raised(row.error_type, row.error_message)


def calls(shown: Sequence[Call], note: str) -> str:
    """A table of calls; ``note`` stands above it, plain text."""
    rows = (
        [
            _cell(str(row.id), "n q"),
            _cell(f"{row.started_at:%Y-%m-%d %H:%M:%S.%f}"[:-3]),
            _cell(row.function),
            _status(row.status),
            _cell(duration(row.duration_ns), "n"),
            _code(_text.arguments(row)),
            _outcome(row),
        ]
        for row in shown
    )
    heads = ["id ", "started (UTC)", "function", "status", "duration ", "arguments", "result"]
    return _page(f'<p class="q">{escape(note)}</p>', _table(heads, rows) if shown else "")


def call(row: Call) -> str:
    """One call: what it was called with, what came of it."""
    failure: Failure | None = getattr(row, "failure", None)
    facts = [
        ("call", f"{row.id}" + ("" if row.parent_id is None else f", made by {row.parent_id}")),
        ("started", f"{row.started_at:%Y-%m-%d %H:%M:%S.%f} UTC"),
        ("duration", duration(row.duration_ns)),
        ("where", f"{row.thread}{'' if row.task is None else f', task {row.task}'}, pid {row.pid}, {row.host}"),
    ]
    body = [[_cell(name, "q"), _cell(value)] for name, value in facts]
    body += [[_cell(name, "q"), _code(_spoken(value), _IN_FULL)] for name, value in row.args.items()]
    if row.result_json is not None:
        body.append([_cell("returned", "q"), _code(row.result_json, _IN_FULL)])
    title = f'<p><span class="me">{escape(one_line(row.function))}</span> {escape(row.kind)} {_word(row.status)}</p>'
    raised = f"<pre class='bad'>{escape(_text.failure(failure))}</pre>" if failure is not None else ""
    return _page(title, _table(["", ""], body), raised)


def _spoken(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _word(status: str) -> str:
    return f'<span class="{_TONES.get(status, "q")}">{escape(status)}</span>'


def tree(shown: Tree) -> str:
    """A tree of calls, a bar for each call's share of the root's time."""
    whole = max((line.call.duration_ns or 0 for line in shown.lines if line.call is not None), default=0)
    rows = [_tree_line(line, guide, whole) for line, guide in zip(shown.lines, _text.guides(shown), strict=True)]
    missing = ""
    if shown.missing_caller is not None:
        missing = f'<p class="q">made by call {shown.missing_caller}, which is not on the tape</p>'
    return _page(missing, _table(["duration ", "", "call", "arguments", "result"], rows))


def _tree_line(line: TreeLine, guide: str, whole: int) -> list[str]:
    guide = f'<code class="q">{guide.replace(" ", "&nbsp;")}</code>'
    row = line.call
    if row is None:
        return [
            '<td class="n"></td><td></td>',
            f'<td>{guide}<span class="q">{escape(line.words)}</span></td>',
            "<td></td>" * 2,
        ]
    name = escape(one_line(row.function))
    if line.is_asked_for:
        name = f'<span class="me">{name}</span>'
    kind = "" if row.kind == "function" else f' <span class="q">{escape(row.kind)}</span>'
    status = "" if row.status == "ok" else f" {_word(row.status)}"
    return [
        _cell(duration(row.duration_ns), "n"),
        f"<td>{_share(row.duration_ns or 0, whole)}</td>",
        f"<td>{guide}{name}{kind}{status}</td>",
        _code(_text.arguments(row)),
        _outcome(row),
    ]


def _share(part: int, whole: int) -> str:
    width = 60 * part / whole if whole else 0.0
    return (
        '<svg width="60" height="8" role="img"><rect width="60" height="8" fill="currentColor" fill-opacity=".1"/>'
        f'<rect width="{width:.1f}" height="8" fill="currentColor" fill-opacity=".5"/></svg>'
    )


def tape(path: Path, books: Accounting, busiest: Functions) -> str:
    """A tape at a glance: where it is, whether its books balance, where the time went."""
    total = books.total
    missing = [f"{total.dropped:,} dropped"] if total.dropped else []
    missing += (
        ["unknown how many more"] if total.unknown is None else [f"{total.unknown:,} unknown"] * bool(total.unknown)
    )
    parts = [f"{total.calls:,} calls", f"{total.stored:,} stored", f"{total.sampled_out:,} sampled out"]
    books_line = f"{escape(' · '.join(parts))}{''.join(f' · <span class=bad>{what}</span>' for what in missing)}"
    title = (
        f'<p><span class="me">tape</span> <code>{escape(one_line(str(path)))}</code></p><p class="q">{books_line}</p>'
    )
    table = _function_table(busiest, busiest.latencies(busiest))
    return _page(title, table, _left_out(len(busiest), len(books.functions), "function"))


def functions(shown: Sequence[FunctionStats], latencies: Sequence[Latency | None], total: int) -> str:
    """Functions with their figures."""
    return _page(_function_table(shown, latencies), _left_out(len(shown), total, "function"))


def _left_out(shown: int, total: int, what: str) -> str:
    if total == 0:
        return f'<p class="q">no {what}</p>'
    return f'<p class="q">… {total - shown:,} more</p>' if total > shown else ""


def _function_table(shown: Sequence[FunctionStats], latencies: Sequence[Latency | None]) -> str:
    rows = (
        [
            _cell(row.function),
            _cell(f"{row.calls:,}", "n"),
            _cell(f"{row.errors:,}", "n bad" if row.errors else "n q"),
            _cell(duration(row.p50_ns), "n"),
            _cell(duration(row.p95_ns), "n"),
            _cell(duration(row.p99_ns), "n"),
            _cell(duration(row.max_ns), "n"),
            _cell(duration(row.estimated_total_ns), "n"),
            f"<td>{'' if times is None else _histogram(times, 24, 120, 18)}</td>",
        ]
        for row, times in zip(shown, latencies, strict=True)
    )
    heads = ["function", "calls ", "errors ", "p50 ", "p95 ", "p99 ", "max ", "total ", "durations"]
    return _table(heads, rows) if shown else ""


def latency(times: Latency) -> str:
    """A histogram with its scale and its percentiles."""
    figures = f"{times.count:,} calls · p50 {duration(times.p50_ns)} · p95 {duration(times.p95_ns)}"
    note = f'<p class="q">{escape(figures)} · p99 {escape(duration(times.p99_ns))}</p>'
    return _page(note, _histogram(times, 48, 480, 110, scale=True) if times.count else "")


def _histogram(times: Latency, bars: int, width: int, height: int, *, scale: bool = False) -> str:
    """Bars over a logarithmic scale of durations; what is slower than 95 % of the calls in another colour."""
    binned = times.rebinned(bars)
    tallest = max((bar.count for bar in binned), default=0)
    if not tallest:
        return ""
    step, room = width / bars, height - (16 if scale else 0)
    parts = []
    for at, bar in enumerate(binned):
        if bar.count:
            tall = max(bar.count / tallest * room, 1.0)
            tone = "#c98a1b" if times.p95_ns is not None and bar.lower_ns > times.p95_ns else "currentColor"
            title = f"{duration(bar.lower_ns)} to {duration(bar.upper_ns)}: {bar.count:,}"
            parts.append(
                f'<rect x="{at * step:.1f}" y="{room - tall:.1f}" width="{max(step - 1, 1):.1f}" height="{tall:.1f}" '
                f'fill="{tone}" fill-opacity=".6"><title>{escape(title)}</title></rect>'
            )
    if scale:
        for at in range(0, bars, bars // 4):
            label = escape(duration(binned[at].lower_ns))
            parts.append(
                f'<text x="{at * step:.1f}" y="{height - 3}" font-size="11" fill="currentColor" fill-opacity=".65">'
                f"{label}</text>"
            )
    return f'<svg width="{width}" height="{height}" role="img">{"".join(parts)}</svg>'


def errors(shown: Sequence[ErrorGroup], total: int) -> str:
    """Groups of errors."""
    rows = (
        [
            _cell(f"{row.count:,}", "n"),
            _cell(f"{row.last_seen_at:%Y-%m-%d %H:%M:%S}"),
            _cell("-" if row.last_call_id is None else str(row.last_call_id), "n q"),
            _raised(row.error_type, None if row.last is None else row.last.message),
            _cell(row.function),
            _cell(f"{row.file}:{row.line}" if row.file else "-", "q"),
        ]
        for row in shown
    )
    heads = ["count ", "last seen (UTC)", "last call ", "error", "in", "raised at"]
    return _page(_table(heads, rows) if shown else "", _left_out(len(shown), total, "error"))


def accounting(books: Accounting) -> str:
    """The books: of all calls first, then of each function."""
    named = [("all calls", books.total), *((entry.function, entry.account) for entry in books.functions)]
    rows = (
        [
            _cell(name, "" if position else "me"),
            *(_cell(f"{figure:,}", "n") for figure in (row.calls, row.stored, row.sampled_out)),
            _cell(f"{row.dropped:,}", "n bad" if row.dropped else "n"),
            _cell(f"{row.in_flight:,}", "n"),
            _cell("?" if row.unknown is None else f"{row.unknown:,}", "n" if row.unknown == 0 else "n bad"),
        ]
        for position, (name, row) in enumerate(named)
    )
    heads = ["function", "calls ", "stored ", "sampled out ", "dropped ", "in flight ", "unknown "]
    return _page(_table(heads, rows))


def sql(answer: SqlAnswer) -> str:
    """The first rows of a statement."""
    rows = ([_cell(value) for value in row] for row in answer.shown())
    table = _table([escape(one_line(column)).rstrip() for column in answer.columns], rows) if answer.rows else ""
    more = '<p class="q">cut here</p>' if answer.cut else ""
    return _page(table, _left_out(len(answer.shown()), len(answer), "row"), more)


def diff(compared: Diff) -> str:
    """Two sides, function by function."""
    tones = {"new": "mid", "gone": "mid", "fails more": "bad", "slower": "bad", "fails less": "ok", "faster": "ok"}
    rows = (
        [_cell(row[0]), *(_cell(figure, "n") for figure in row[1:-1]), _cell(row[-1], tones.get(row[-1], "q"))]
        for row in compared.shown()
    )
    heads = ["function", "calls ", "errors ", "p50 ", "p95 ", "p95 ratio ", "stands out"]
    shown = _table(heads, rows) if len(compared) else ""
    more = _left_out(len(compared.shown()), len(compared), "function")
    return _page(f'<p class="q">{escape(compared.words)}</p>', shown, more)
