//! `calltape export`: the calls of a filter as a file for other tools.

use std::fmt::Display;
use std::io;
use std::path::Path;

use calltape_engine::query::{CallFilter, Tape};
use calltape_export::{ExportError, Exported, Format, export};

use super::export_file::ExportFile;
use super::nothing;
use super::signals::Signals;
use crate::arguments::Export;
use crate::asked;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::progress::Progress;
use crate::text::figures::{bytes, counted};
use crate::text::plain::plain;

/// Steps of a full bar.
const STEPS: u64 = 1_000;

pub(crate) fn run(
    arguments: &Export,
    directory: &Path,
    tape: &Tape,
    json: bool,
    output: &mut Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Found, Failure> {
    let filter = asked::filter(arguments.pattern.as_deref(), &arguments.calls, output)?;
    let format = format(arguments)?;
    let exported = match &arguments.output {
        None => to_stdout(tape, &filter, format, output, should_stop)?,
        Some(path) => {
            let path = directory.join(path);
            let exported = to_file(tape, &filter, format, &path, output, should_stop)?;
            say(exported, format, &path, json, output)?;
            exported
        }
    };
    if exported.calls > 0 {
        return Ok(Found::Something);
    }
    nothing::say("no such call", tape, &filter, output)?;
    Ok(Found::Nothing)
}

fn format(arguments: &Export) -> Result<Format, Failure> {
    let Some(path) = &arguments.output else { return Ok(arguments.format.unwrap_or(Format::JsonLines)) };
    arguments.format.or_else(|| Format::of_path(path)).ok_or_else(|| {
        let names = Format::ALL.map(Format::name).join(", ");
        Failure::Usage(format!("--output {}: its end says no format; add --format, one of {names}", path.display()))
    })
}

fn to_stdout(
    tape: &Tape,
    filter: &CallFilter,
    format: Format,
    output: &mut Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Exported, Failure> {
    if format.is_binary() && output.fit {
        let what = "a Parquet file is no text for a terminal: give --output FILE, or send it into a pipe";
        return Err(Failure::Usage(what.to_owned()));
    }
    // A terminal that shows the calls has no room for a bar beside them.
    let progress = Progress::bar(output.progress && !output.fit, STEPS);
    let done = export(tape, filter, format, output.streams.out, &|exported| {
        show(&progress, exported);
        !should_stop()
    });
    progress.clear();
    done.map_err(|error| match error {
        ExportError::Stopped => Failure::Interrupted,
        ExportError::Write(error) => Failure::Output(error),
        ExportError::Query(error) => Failure::Query(error),
        error @ ExportError::Encode(_) => Failure::Refused(error.to_string()),
    })
}

fn to_file(
    tape: &Tape,
    filter: &CallFilter,
    format: Format,
    path: &Path,
    output: &Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Exported, Failure> {
    let refused = |reason: &dyn Display| Failure::Refused(format!("cannot write {}: {reason}", path.display()));
    let signals = Signals::listen().map_err(|fault| refused(&fault))?;
    let mut file = ExportFile::create(path, tape.path()).map_err(|fault| refused(&fault))?;
    let refused = |reason: &dyn Display| refused(&format_args!("{reason}; nothing is left of it"));
    let progress = Progress::bar(output.progress, STEPS);
    let done = export(tape, filter, format, &mut file, &|exported| {
        show(&progress, exported);
        // Asked each time: in Python's process that takes note of the signal, which would be raised again later.
        let asked = should_stop();
        !(signals.came() || asked)
    });
    progress.clear();
    match done {
        Ok(exported) => file.finish().map(|()| exported).map_err(|fault| refused(&fault)),
        Err(ExportError::Stopped) => Err(Failure::Interrupted),
        Err(ExportError::Query(error)) => Err(Failure::Query(error)),
        Err(ExportError::Write(error)) => Err(refused(&error)),
        Err(error @ ExportError::Encode(_)) => Err(refused(&error)),
    }
}

fn show(progress: &Progress, exported: Exported) {
    let words = format!("{}, {}", counted(exported.calls, "call", "calls"), bytes(exported.bytes));
    progress.show((exported.part * STEPS as f64) as u64, words);
}

fn say(exported: Exported, format: Format, path: &Path, json: bool, output: &mut Output<'_>) -> io::Result<()> {
    let Exported { calls, bytes: size, .. } = exported;
    let path = path.display().to_string();
    if json {
        let object = Object::new()
            .text("format", format.name())
            .text("path", path.as_str())
            .unsigned("calls", calls)
            .unsigned("bytes", size);
        return output.line(&object.finish());
    }
    output.line(&plain(&format!("{} in {path}, {}", counted(calls, "call", "calls"), bytes(size))))
}
