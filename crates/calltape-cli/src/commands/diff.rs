//! `calltape diff`: what changed between two times or two runs, function by function; what stands out first.

use calltape_engine::query::{CallFilter, Diff as Differences, Figures, FunctionDiff, Tape, Why};
use comfy_table::Cell;

use super::diff_sides::{Named, sides};
use super::nothing;
use crate::arguments::Diff;
use crate::asked;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::{count, counted, duration, share};
use crate::text::fit;
use crate::text::plain::plain;
use crate::text::table::{self, Stand};

/// Columns a function's name gets at least.
const NARROWEST_NAME: usize = 20;

/// What goes so that names stay, first to last, by heading.
const DISPENSABLE: [&str; 3] = ["p99", "p50", "calls"];

pub(crate) fn run(diff: &Diff, tape: &Tape, json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let filter = asked::filter(diff.function.as_deref(), &diff.calls, output)?;
    let (a, b) = sides(diff, &filter, tape, output)?;
    let found = tape.diff(&a.side, &b.side, &filter)?;
    if found.functions.is_empty() {
        say_nothing([&a, &b], tape, &filter, output)?;
        return Ok(Found::Nothing);
    }
    let shown = &found.functions[..diff.limit.min(found.functions.len())];
    if json {
        for row in shown {
            output.line(&object(row).finish())?;
        }
        return Ok(Found::Something);
    }
    write_sides([(&a, &found.a), (&b, &found.b)], output)?;
    write_table(shown, output)?;
    write_more(&found, shown.len(), output)?;
    Ok(Found::Something)
}

fn say_nothing(sides: [&Named; 2], tape: &Tape, filter: &CallFilter, output: &mut Output<'_>) -> Result<(), Failure> {
    let [a, b] = sides.map(|side| side.name.as_str());
    nothing::say(&format!("no such call ended in {a} or in {b}"), tape, filter, output)
}

/// What is compared, and how much there is of it.
fn write_sides(sides: [(&Named, &Figures); 2], output: &mut Output<'_>) -> Result<(), Failure> {
    let width = sides.iter().map(|(side, _)| fit::width(&side.name)).max().unwrap_or(0);
    for ((side, figures), word) in sides.into_iter().zip(["a", "b"]) {
        let fill = " ".repeat(width - fit::width(&side.name));
        let calls = counted(figures.calls, "call", "calls");
        let head = output.paint(Tone::Strong, word);
        output.line(&format!("{head}  {}{fill}  {calls}, {} in error", side.name, count(figures.errors)))?;
    }
    Ok(output.line("")?)
}

fn write_more(found: &Differences, shown: usize, output: &mut Output<'_>) -> Result<(), Failure> {
    let left = &found.functions[shown..];
    if left.is_empty() {
        return Ok(());
    }
    let standing = left.iter().filter(|row| row.stands_out.is_some()).count();
    let of_these = match standing {
        0 => "none of them stands out".to_owned(),
        1 => "1 of them stands out".to_owned(),
        _ => format!("{} of them stand out", count(standing as u64)),
    };
    let text = format!("… {} more functions, {of_these}; --limit shows them", count(left.len() as u64));
    let text = output.paint(Tone::Faint, &text);
    Ok(output.line(&text)?)
}

/// A column: its heading, and its cell for each function.
struct Column {
    heading: &'static str,
    stand: Stand,
    cells: Vec<(Tone, String)>,
}

impl Column {
    fn of(heading: &'static str, rows: &[FunctionDiff], cell: impl Fn(&FunctionDiff) -> String) -> Self {
        let cells = rows.iter().map(|row| (Tone::Plain, cell(row))).collect();
        Self { heading, stand: Stand::Right, cells }
    }

    fn width(&self) -> usize {
        self.cells.iter().map(|(_, text)| fit::width(text)).max().unwrap_or(0).max(self.heading.len())
    }
}

fn write_table(rows: &[FunctionDiff], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut columns = columns(rows);
    let names: Vec<String> = rows.iter().map(|row| plain(&row.function).into_owned()).collect();
    let longest = names.iter().map(|name| fit::width(name)).max().unwrap_or(0);
    let left = |columns: &[Column]| {
        output.width.saturating_sub(columns.iter().map(|column| column.width() + table::GAP).sum())
    };
    for heading in DISPENSABLE {
        if output.fit && left(&columns) < longest.min(NARROWEST_NAME.max(longest / 2)) {
            columns.retain(|column| column.heading != heading);
        }
    }
    let room = if output.fit { left(&columns).max(NARROWEST_NAME) } else { longest };
    let mut headings = vec![("function", Stand::Left)];
    headings.extend(columns.iter().map(|column| (column.heading, column.stand)));
    let mut table = table::table(output, &headings);
    for (position, name) in names.iter().enumerate() {
        let name_tone = if rows[position].stands_out.is_some() { Tone::Strong } else { Tone::Plain };
        let mut cells: Vec<Cell> = vec![output.palette.cell(name_tone, fit::keep_end(name, room))];
        cells.extend(columns.iter().map(|column| {
            let (tone, text) = &column.cells[position];
            output.palette.cell(*tone, text)
        }));
        table.add_row(cells);
    }
    Ok(table::write(output, &table)?)
}

fn columns(rows: &[FunctionDiff]) -> Vec<Column> {
    let time = |figure: fn(&Figures) -> Option<u64>| {
        move |row: &FunctionDiff| pair(figure(&row.a).map(duration), figure(&row.b).map(duration))
    };
    let rate = |side: &Figures| side.error_rate().map(share);
    let verdict = |row: &FunctionDiff| (row.stands_out.map_or(Tone::Faint, tone), verdict(row));
    vec![
        Column { heading: "", stand: Stand::Left, cells: rows.iter().map(verdict).collect() },
        Column::of("calls", rows, |row| pair(Some(count(row.a.calls)), Some(count(row.b.calls)))),
        Column::of("errors", rows, |row| pair(rate(&row.a), rate(&row.b))),
        Column::of("p50", rows, time(|side| side.p50_ns)),
        Column::of("p95", rows, time(|side| side.p95_ns)),
        Column::of("p99", rows, time(|side| side.p99_ns)),
    ]
}

/// Both sides of a figure: the unit once where it is the same, the figure once where it is.
fn pair(a: Option<String>, b: Option<String>) -> String {
    let (a, b) = (a.unwrap_or_else(|| "-".to_owned()), b.unwrap_or_else(|| "-".to_owned()));
    if a == b {
        return a;
    }
    match (a.split_once(' '), b.split_once(' ')) {
        (Some((a, unit)), Some((_, other))) if unit == other => format!("{a} -> {b}"),
        _ => format!("{a} -> {b}"),
    }
}

/// Why it stands out, and by how much.
fn verdict(row: &FunctionDiff) -> String {
    let Some(why) = row.stands_out else { return String::new() };
    let medians = row.ratio(|side| side.p50_ns).unwrap_or(1.0);
    let tails = row.ratio(|side| side.p95_ns).unwrap_or(1.0);
    let factor = match why {
        Why::Slower => medians.max(tails),
        Why::Faster => 1.0 / medians.min(tails),
        _ => return why.name().to_owned(),
    };
    format!("{} x{factor:.1}", why.name())
}

fn tone(why: Why) -> Tone {
    match why {
        Why::FailsMore | Why::Slower => Tone::Bad,
        Why::FailsLess | Why::Faster => Tone::Good,
        Why::New | Why::Gone => Tone::Pending,
    }
}

fn object(row: &FunctionDiff) -> Object {
    let ratio = |figure: fn(&Figures) -> Option<u64>| row.ratio(figure).unwrap_or(f64::NAN);
    let rate = |side: &Figures| side.error_rate().unwrap_or(f64::NAN);
    let object = Object::new()
        .text("function", row.function.as_str())
        .text("group", row.group.as_deref())
        .text("kind", row.kind.as_str())
        .text("stands_out", row.stands_out.map(Why::name));
    let object = [("a", &row.a), ("b", &row.b)].into_iter().fold(object, |object, (name, side)| {
        let name = |figure: &str| format!("{name}_{figure}");
        object
            .unsigned(&name("calls"), side.calls)
            .unsigned(&name("errors"), side.errors)
            .fraction(&name("error_rate"), rate(side))
            .unsigned(&name("total_ns"), side.total_ns)
            .unsigned(&name("p50_ns"), side.p50_ns)
            .unsigned(&name("p95_ns"), side.p95_ns)
            .unsigned(&name("p99_ns"), side.p99_ns)
    });
    object
        .fraction("p50_ratio", ratio(|side| side.p50_ns))
        .fraction("p95_ratio", ratio(|side| side.p95_ns))
        .fraction("p99_ratio", ratio(|side| side.p99_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(a: &str, b: &str) -> String {
        pair(Some(a.to_owned()), Some(b.to_owned()))
    }

    #[test]
    fn a_unit_that_both_sides_share_stands_once() {
        assert_eq!(shown("9.31 ms", "21 ms"), "9.31 -> 21 ms");
        assert_eq!(shown("312 µs", "2.1 s"), "312 µs -> 2.1 s");
        assert_eq!(shown("1 min 12 s", "1 min 13 s"), "1 min 12 s -> 1 min 13 s");
        assert_eq!(shown("0 %", "0 %"), "0 %");
        assert_eq!(pair(None, Some("8 ms".to_owned())), "- -> 8 ms");
        assert_eq!(shown("1,204", "9"), "1,204 -> 9");
    }
}
