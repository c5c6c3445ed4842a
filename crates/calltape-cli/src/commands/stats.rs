//! `calltape stats`: whether every call is accounted for, who recorded, and what the tape takes on disk.

use calltape_engine::query::{Account, FunctionAccount, JournalState, RunAccount, Tape};
use comfy_table::Cell;

use super::stats_incidents::Incidents;
use crate::arguments::Stats;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::{bytes, count, counted, signed_count};
use crate::text::fit;
use crate::text::plain::plain;
use crate::text::table::{self, Stand};

/// The columns of a set of books.
const BOOKS: [&str; 6] = ["calls", "stored", "sampled out", "dropped", "in flight", "unknown"];

/// The same where there are few columns.
const NARROW_BOOKS: [&str; 6] = ["calls", "stored", "sampled\nout", "dropped", "in\nflight", "unknown"];

/// Columns a function's name gets at least.
const LEAST_NAME: usize = 12;

/// What `stats` says, read at once.
struct Report {
    functions: Vec<FunctionAccount>,
    total: Account,
    runs: Vec<RunAccount>,
    run_count: u64,
    journals: Vec<JournalState>,
    incidents: Incidents,
}

pub(crate) fn run(stats: &Stats, tape: &Tape, json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let (functions, total) = tape.accounting()?;
    let (runs, run_count) = tape.runs(stats.limit)?;
    let incidents = Incidents::read(tape, stats.limit)?;
    let report = Report { functions, total, runs, run_count, journals: tape.journals(), incidents };
    if json {
        write_json(&report, tape, stats.limit, output)?;
    } else {
        write_tape(tape, output)?;
        write_total(&report.total, output)?;
        write_waiting(tape.waiting_bytes(), output)?;
        report.incidents.write(output)?;
        write_functions(&report, stats.limit, output)?;
        write_runs(&report, output)?;
        write_journals(&report.journals, output)?;
    }
    Ok(if report.run_count == 0 { Found::Nothing } else { Found::Something })
}

fn write_tape(tape: &Tape, output: &mut Output<'_>) -> Result<(), Failure> {
    let files = tape.files();
    let path = output.paint(Tone::Strong, &plain(&tape.path().display().to_string()));
    output.line(&path)?;
    let (database, wal, journal) = (bytes(files.database_bytes), bytes(files.wal_bytes), bytes(files.journal_bytes));
    output.line(&format!("  database {database} · write-ahead log {wal} · journals {journal}"))?;
    Ok(output.line(&format!("  read with SQLite {}", Tape::sqlite_version()))?)
}

/// The promise as a sum: calls on the left, where they went on the right.
fn write_total(total: &Account, output: &mut Output<'_>) -> Result<(), Failure> {
    output.heading("Calls")?;
    let mut text = format!(
        "{} = {} stored + {} sampled out + {} dropped + {} in flight",
        count(total.calls),
        count(total.stored),
        count(total.sampled_out),
        count(total.dropped),
        signed_count(total.in_flight)
    );
    match total.unknown {
        Some(0) => {}
        Some(unknown) => text.push_str(&format!(" + {} unknown", signed_count(unknown))),
        None => text.push_str(" + an unknown number: a run's journal is gone"),
    }
    for line in output.fold(&text, output.width.saturating_sub(2)) {
        output.line(&format!("  {line}"))?;
    }
    if total.dropped > 0 {
        let text = format!("  of the dropped, {} ended in an error", count(total.dropped_errors));
        output.line(&text)?;
    }
    if total.pruned > 0 {
        let text = format!("  of the stored, retention has removed {}", count(total.pruned));
        output.line(&text)?;
    }
    Ok(())
}

/// What is recorded and not in the books yet.
fn write_waiting(waiting: u64, output: &mut Output<'_>) -> Result<(), Failure> {
    if waiting > 0 {
        let text = format!("  as of the last commit; {} wait in journals", bytes(waiting));
        output.line(&text)?;
    }
    Ok(())
}

fn books(account: &Account, output: &Output<'_>) -> Vec<Cell> {
    let quiet = |value: u64, loud: Tone| output.palette.cell(if value == 0 { Tone::Faint } else { loud }, count(value));
    let unknown = match account.unknown {
        Some(0) => output.palette.cell(Tone::Faint, "0"),
        Some(some) => output.palette.cell(Tone::Bad, signed_count(some)),
        None => output.palette.cell(Tone::Bad, "unknown"),
    };
    vec![
        output.palette.cell(Tone::Strong, count(account.calls)),
        quiet(account.stored, Tone::Plain),
        quiet(account.sampled_out, Tone::Plain),
        quiet(account.dropped, Tone::Bad),
        output
            .palette
            .cell(if account.in_flight == 0 { Tone::Faint } else { Tone::Pending }, signed_count(account.in_flight)),
        unknown,
    ]
}

/// Columns of books in which there is nothing to see, where a terminal is too narrow for all.
fn columns_left_out(accounts: &[&Account], output: &Output<'_>) -> [bool; BOOKS.len()] {
    if !output.fit || output.width >= books_width(accounts, &[false; BOOKS.len()]) + LEAST_NAME {
        return [false; BOOKS.len()];
    }
    let is_quiet = |quiet: fn(&Account) -> bool| accounts.iter().all(|account| quiet(account));
    [
        false,
        false,
        is_quiet(|account| account.sampled_out == 0),
        is_quiet(|account| account.dropped == 0),
        is_quiet(|account| account.in_flight == 0),
        is_quiet(|account| account.unknown == Some(0)),
    ]
}

/// Columns the figures of `accounts` and the gaps before them take.
fn books_width(accounts: &[&Account], left_out: &[bool]) -> usize {
    let mut widths = BOOKS.map(str::len);
    for account in accounts {
        let unknown = account.unknown.map_or_else(|| "unknown".to_owned(), signed_count);
        let figures = [account.calls, account.stored, account.sampled_out, account.dropped].map(count);
        let texts = figures.into_iter().chain([signed_count(account.in_flight), unknown]);
        for (width, text) in widths.iter_mut().zip(texts) {
            *width = text.len().max(*width);
        }
    }
    widths.iter().zip(left_out).filter(|(_, out)| !**out).map(|(width, _)| width + table::GAP).sum()
}

fn write_functions(report: &Report, limit: usize, output: &mut Output<'_>) -> Result<(), Failure> {
    if report.functions.is_empty() {
        return Ok(());
    }
    output.heading("Functions")?;
    let shown = &report.functions[..limit.min(report.functions.len())];
    let accounts: Vec<&Account> = shown.iter().map(|row| &row.account).collect();
    let left_out = columns_left_out(&accounts, output);
    let room = output.width.saturating_sub(books_width(&accounts, &left_out)).max(LEAST_NAME);
    let row = |function: &FunctionAccount| {
        let name = fit::keep_end(&plain(&function.function), room);
        let mut cells = vec![output.palette.cell(Tone::Plain, name)];
        let figures = books(&function.account, output).into_iter().zip(left_out);
        cells.extend(figures.filter(|(_, out)| !out).map(|(cell, _)| cell));
        cells
    };
    let mut headings = vec![("function", Stand::Left)];
    let books = if left_out == [false; BOOKS.len()] { BOOKS } else { NARROW_BOOKS };
    headings.extend(books.into_iter().zip(left_out).filter(|(_, out)| !out).map(|(name, _)| (name, Stand::Right)));
    let mut table = table::table(output, &headings);
    table.add_rows(shown.iter().map(row));
    table::write(output, &table)?;
    write_more(report.functions.len() as u64 - shown.len() as u64, ["function", "functions"], output)
}

/// Terminal columns from which on the table of runs has room for their ids.
const RUN_FITS: usize = 80;

fn write_runs(report: &Report, output: &mut Output<'_>) -> Result<(), Failure> {
    if report.runs.is_empty() {
        return Ok(());
    }
    output.heading("Runs")?;
    // What is narrower has no room for it; `--json` has it.
    let has_run = output.width >= RUN_FITS;
    let mut headings = vec![
        ("pid", Stand::Right),
        ("began", Stand::Left),
        ("ending", Stand::Left),
        ("calls", Stand::Right),
        ("unknown", Stand::Right),
        ("program", Stand::Left),
    ];
    if has_run {
        headings.insert(0, ("run", Stand::Right));
    }
    let mut table = table::table(output, &headings);
    for run in &report.runs {
        let waits = report.journals.iter().any(|journal| journal.run_id == run.id && !journal.alive);
        let ending = if waits { "dead, not drained" } else { run.ending.as_str() };
        let tone = match ending {
            "exit" => Tone::Faint,
            "running" => Tone::Pending,
            _ => Tone::Bad,
        };
        let unknown = run.account.unknown.map_or_else(|| "unknown".to_owned(), signed_count);
        let mut row = vec![
            output.palette.cell(Tone::Plain, run.pid),
            output.palette.cell(Tone::Plain, output.time(run.started_ns)),
            output.palette.cell(tone, plain(ending)),
            output.palette.cell(Tone::Plain, count(run.account.calls)),
            output.palette.cell(if unknown == "0" { Tone::Faint } else { Tone::Bad }, unknown),
            output.palette.cell(Tone::Faint, fit::keep_end(&plain(&run.program), output.width / 3)),
        ];
        if has_run {
            row.insert(0, output.palette.cell(Tone::Faint, format!("{:016x}", run.id)));
        }
        table.add_row(row);
    }
    table::write(output, &table)?;
    write_more(report.run_count - report.runs.len() as u64, ["run", "runs"], output)
}

fn write_journals(journals: &[JournalState], output: &mut Output<'_>) -> Result<(), Failure> {
    if journals.is_empty() {
        return Ok(());
    }
    output.heading("Journals beside the tape")?;
    for journal in journals {
        let state = match journal.alive {
            true => output.paint(Tone::Good, "recording"),
            false => output
                .paint(Tone::Bad, "left by a dead process; the next to record here drains it, or `calltape recover`"),
        };
        let pid = journal.pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string());
        let program = plain(journal.program.as_deref().unwrap_or("?"));
        output.line(&format!("  {:016x}  pid {pid}  {program}  {state}", journal.run_id))?;
    }
    Ok(())
}

pub(super) fn write_more(left: u64, [one, many]: [&str; 2], output: &mut Output<'_>) -> Result<(), Failure> {
    if left > 0 {
        let more = output.paint(
            Tone::Faint,
            &format!(
                "… {}; --limit shows {}",
                counted(left, &format!("more {one}"), &format!("more {many}")),
                if left == 1 { "it" } else { "them" }
            ),
        );
        output.line(&more)?;
    }
    Ok(())
}

fn write_json(report: &Report, tape: &Tape, limit: usize, output: &mut Output<'_>) -> Result<(), Failure> {
    let files = tape.files();
    let head = Object::new()
        .text("kind", "tape")
        .text("path", tape.path().to_string_lossy().as_ref())
        .unsigned("database_bytes", files.database_bytes)
        .unsigned("wal_bytes", files.wal_bytes)
        .unsigned("journal_bytes", files.journal_bytes)
        .unsigned("waiting_bytes", tape.waiting_bytes())
        .text("sqlite", Tape::sqlite_version());
    output.line(&head.finish())?;
    output.line(&with_books(Object::new().text("kind", "total"), &report.total).finish())?;
    for row in report.functions.iter().take(limit) {
        let function = Object::new()
            .text("kind", "function")
            .text("function", row.function.as_str())
            .text("group", row.group.as_deref());
        output.line(&with_books(function, &row.account).finish())?;
    }
    report.incidents.write_json(output)?;
    for run in &report.runs {
        let object = Object::new()
            .text("kind", "run")
            .unsigned("run_id", run.id)
            .number("pid", i128::from(run.pid))
            .text("host", run.host.as_str())
            .text("program", run.program.as_str())
            .text("python", run.python.as_str())
            .number("started_ns", i128::from(run.started_ns))
            .number("ended_ns", run.ended_ns.map(i128::from))
            .text("ending", run.ending.as_str());
        output.line(&with_books(object, &run.account).finish())?;
    }
    for journal in &report.journals {
        let object = Object::new()
            .text("kind", "journal")
            .unsigned("run_id", journal.run_id)
            .unsigned("pid", journal.pid.map(u64::from))
            .text("program", journal.program.as_deref())
            .flag("alive", journal.alive);
        output.line(&object.finish())?;
    }
    Ok(())
}

fn with_books(object: Object, account: &Account) -> Object {
    object
        .unsigned("calls", account.calls)
        .unsigned("stored", account.stored)
        .unsigned("sampled_out", account.sampled_out)
        .unsigned("dropped", account.dropped)
        .unsigned("dropped_errors", account.dropped_errors)
        .unsigned("pruned", account.pruned)
        .number("in_flight", i128::from(account.in_flight))
        .number("unknown", account.unknown.map(i128::from))
}
