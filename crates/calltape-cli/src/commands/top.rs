//! `calltape top`: the functions, their calls, errors, latency and time.

use calltape_engine::query::{
    CallFilter, FunctionPattern, Overview, OverviewColumn, OverviewFilter, OverviewPage, Tape,
};
use comfy_table::Cell;

use super::nothing;
use crate::arguments::{SortColumn, Top};
use crate::asked;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::{bar, count, duration};
use crate::text::fit;
use crate::text::plain::plain;
use crate::text::table::{self, Stand};

/// Columns of the bar that compares total times.
const BAR_WIDTH: usize = 10;

/// Columns a function's name gets at least.
const NARROWEST_NAME: usize = 16;

/// Columns a name may ask for at the cost of other columns.
const WIDEST_NAME: usize = 40;

/// What goes so that names stay whole, first to last, by heading.
const LUXURIES: [&str; 2] = ["", "max"];

/// What goes so that at least half of the names stays.
const DISPENSABLE: [&str; 2] = ["p95", "p50"];

pub(crate) fn run(top: &Top, tape: &Tape, json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let range = asked::range(top.since.as_deref(), top.until.as_deref(), output)?;
    let filter = OverviewFilter {
        since_ns: range.since_ns,
        until_ns: range.until_ns,
        pattern: top.pattern.as_deref().map(FunctionPattern::new),
        sort: column(top.sort),
        limit: Some(top.limit),
    };
    let page = tape.overview(&filter)?;
    if page.matching == 0 {
        let filter = CallFilter { functions: filter.pattern, range, ..CallFilter::default() };
        nothing::say(&nothing_of(top), tape, &filter, output)?;
        return Ok(Found::Nothing);
    }
    if json {
        for row in &page.functions {
            output.line(&object(row).finish())?;
        }
    } else {
        write_table(&page, output)?;
        let left = page.matching - page.functions.len();
        if left > 0 {
            let more = format!("… {} more functions; --limit shows them", count(left as u64));
            let more = output.paint(Tone::Faint, &more);
            output.line(&more)?;
        }
    }
    if page.damaged_minutes > 0 {
        let minutes = count(page.damaged_minutes);
        output.remark(&format!("{minutes} minutes of the rollup are damaged: percentiles are without them"))?;
    }
    Ok(Found::Something)
}

fn column(sort: SortColumn) -> OverviewColumn {
    match sort {
        SortColumn::Total => OverviewColumn::Total,
        SortColumn::Calls => OverviewColumn::Calls,
        SortColumn::Errors => OverviewColumn::Errors,
        SortColumn::P50 => OverviewColumn::P50,
        SortColumn::P95 => OverviewColumn::P95,
        SortColumn::P99 => OverviewColumn::P99,
        SortColumn::Max => OverviewColumn::Max,
        SortColumn::Name => OverviewColumn::Name,
    }
}

/// What is not there when no function is found.
fn nothing_of(top: &Top) -> String {
    let of = top.pattern.as_ref().map_or_else(String::new, |pattern| format!(" of {pattern}"));
    let since = top.since.as_ref().map_or_else(String::new, |since| format!(" since {since}"));
    let until = top.until.as_ref().map_or_else(String::new, |until| format!(" until {until}"));
    match (&top.since, &top.until) {
        (None, None) => format!("no call{of} has ended yet"),
        _ => format!("no call{of} ended{since}{until}"),
    }
}

/// A column of the table: its heading, how it stands, and its cell for a function.
struct Column {
    heading: &'static str,
    stand: Stand,
    cells: Vec<(Tone, String)>,
}

impl Column {
    fn width(&self) -> usize {
        self.cells.iter().map(|(_, text)| fit::width(text)).max().unwrap_or(0).max(self.heading.len())
    }
}

fn write_table(page: &OverviewPage, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut columns = columns(&page.functions);
    let mut names: Vec<String> = page.functions.iter().map(|row| plain(&row.function).into_owned()).collect();
    let longest = names.iter().map(|name| fit::width(name)).max().unwrap_or(0);
    let left = |columns: &[Column]| {
        output.width.saturating_sub(columns.iter().map(|column| column.width() + table::GAP).sum())
    };
    let (whole, half) = (longest.min(WIDEST_NAME), longest.min(NARROWEST_NAME.max(longest / 2)));
    let wanted = LUXURIES.map(|heading| (heading, whole)).into_iter().chain(DISPENSABLE.map(|heading| (heading, half)));
    for (heading, name_width) in wanted {
        if left(&columns) < name_width {
            columns.retain(|column| column.heading != heading);
        }
    }
    let room = left(&columns).max(NARROWEST_NAME);
    for name in &mut names {
        *name = fit::keep_end(name, room);
    }
    let mut headings = vec![("function", Stand::Left)];
    headings.extend(columns.iter().map(|column| (column.heading, column.stand)));
    let mut table = table::table(output, &headings);
    for (position, name) in names.iter().enumerate() {
        let mut cells: Vec<Cell> = vec![output.palette.cell(Tone::Plain, name)];
        cells.extend(columns.iter().map(|column| {
            let (tone, text) = &column.cells[position];
            output.palette.cell(*tone, text)
        }));
        table.add_row(cells);
    }
    Ok(table::write(output, &table)?)
}

fn columns(rows: &[Overview]) -> Vec<Column> {
    let column = |heading, cell: &dyn Fn(&Overview) -> (Tone, String)| Column {
        heading,
        stand: Stand::Right,
        cells: rows.iter().map(cell).collect(),
    };
    let time = |ns: Option<u64>| (Tone::Plain, ns.map_or_else(|| "-".to_owned(), duration));
    let most = rows.iter().map(Overview::estimated_total_ns).max().unwrap_or(0);
    vec![
        column("calls", &|row| (Tone::Plain, count(row.calls))),
        column("errors", &|row| (if row.errors > 0 { Tone::Bad } else { Tone::Faint }, count(row.errors))),
        column("p50", &|row| time(row.p50_ns)),
        column("p95", &|row| time(row.p95_ns)),
        column("p99", &|row| time(row.p99_ns)),
        column("max", &|row| time(row.max_ns)),
        column("total", &|row| {
            let about = if row.is_complete() { "" } else { "~" };
            (Tone::Strong, format!("{about}{}", duration(row.estimated_total_ns())))
        }),
        Column {
            stand: Stand::Left,
            ..column("", &|row| (Tone::Faint, bar(row.estimated_total_ns(), most, BAR_WIDTH)))
        },
    ]
}

fn object(row: &Overview) -> Object {
    Object::new()
        .text("function", row.function.as_str())
        .text("group", row.group.as_deref())
        .text("kind", row.kind.as_str())
        .unsigned("calls", row.calls)
        .unsigned("stored", row.stored)
        .unsigned("sampled_out", row.sampled_out)
        .unsigned("dropped", row.dropped)
        .unsigned("errors", row.errors)
        .unsigned("total_ns", row.total_ns)
        .unsigned("min_ns", row.min_ns)
        .unsigned("max_ns", row.max_ns)
        .unsigned("p50_ns", row.p50_ns)
        .unsigned("p95_ns", row.p95_ns)
        .unsigned("p99_ns", row.p99_ns)
}
