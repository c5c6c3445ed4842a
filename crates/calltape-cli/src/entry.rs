//! From arguments to an exit code: reads the command line, opens the tape, runs the command, and turns every way it can
//! end into a code and at most one line.

use std::ffi::OsString;
use std::io::{self, BufWriter};
use std::ops::Range;
use std::time::{Duration, Instant};

use calltape_engine::query::{FilterError, OpenError, QueryError, Tape};
use calltape_engine::{Settings, settings};
use clap::{CommandFactory, FromArgMatches};
use jiff::tz::TimeZone;

use crate::arguments::{Color, Command, CommandLine, Shared};
use crate::output::{Output, Streams};
use crate::palette::Palette;
use crate::surroundings::Surroundings;
use crate::text::caret::pointed;
use crate::text::plain::plain;
use crate::{commands, text};

/// Whether a command found what it was asked for: exit codes 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Something,
    Nothing,
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// When an option's value makes no sense.
    Usage(String),
    /// When a condition does not parse.
    Condition(FilterError),
    /// When there is no tape to read.
    Open(OpenError),
    /// When the tape does not answer.
    Query(QueryError),
    /// When what was asked for cannot be done: a line that says why, and the remedy.
    Refused(String),
    /// When it was stopped before its end.
    Interrupted,
    /// When the output cannot be written.
    Output(io::Error),
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

const FOUND: i32 = 0;
const NOTHING_FOUND: i32 = 1;
const WRONG: i32 = 2;

/// Between two looks whether to stop.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// As a shell has it for a process that Ctrl-C ended: 128 and the number of SIGINT.
const INTERRUPTED: i32 = 130;

/// Runs the command line `args` (program name first) on the process's own streams and returns its exit code.
///
/// `should_stop` is asked between polls while a command waits, and while the tape answers a question; true ends the command
/// as if it were done. A caller in whose process Ctrl-C is no end, as in Python, checks its signals there.
pub fn run<I>(args: I, should_stop: fn() -> bool) -> i32
where
    I: IntoIterator<Item = OsString>,
{
    let mut out = BufWriter::new(io::stdout().lock());
    let mut err = io::stderr().lock();
    let streams = Streams { out: &mut out, err: &mut err };
    let surroundings = Surroundings { interrupt: Some(should_stop), ..Surroundings::of_process() };
    let code = run_in(args, &surroundings, streams, &should_stop);
    // What could not be flushed was reported by the command; dropping the writer would try once more.
    let _ = out.into_parts();
    code
}

/// Runs the command line `args` (program name first) in `surroundings`, on `streams`, and returns its exit code.
pub fn run_in<I>(args: I, surroundings: &Surroundings, streams: Streams<'_>, should_stop: &dyn Fn() -> bool) -> i32
where
    I: IntoIterator<Item = OsString>,
{
    let command = CommandLine::command().term_width(surroundings.width.min(text::READABLE_WIDTH));
    let parsed = command.try_get_matches_from(args).and_then(|found| CommandLine::from_arg_matches(&found));
    let line = match parsed {
        Ok(line) => line,
        Err(error) => return answer_clap(&error, surroundings, streams),
    };
    let mut output = Output {
        palette: Palette { on: colours(&line.shared, surroundings) },
        width: surroundings.width,
        fit: surroundings.terminal,
        progress: surroundings.progress,
        now: surroundings.now(),
        zone: if line.shared.utc { TimeZone::UTC } else { surroundings.zone.clone() },
        streams,
    };
    let ended = perform(&line, surroundings, &mut output, should_stop);
    let ended = ended.and_then(|found| output.streams.out.flush().map(|()| found).map_err(Failure::from));
    let failure = match ended {
        Ok(Found::Something) => return FOUND,
        Ok(Found::Nothing) => return NOTHING_FOUND,
        Err(Failure::Interrupted | Failure::Query(QueryError::Interrupted)) => return INTERRUPTED,
        // Whoever read the pipe has read enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return FOUND,
        Err(failure) => failure,
    };
    let _ = output.streams.out.flush();
    let _ = writeln!(output.streams.err, "calltape: {}", told(failure, surroundings.width));
    WRONG
}

/// What went wrong, on one line; of a text that could not be read also the text with a caret below the place, and an
/// example.
fn told(failure: Failure, width: usize) -> String {
    let pointed_at = |message: &str, text: &str, place: Option<Range<usize>>| {
        let lines = place.map(|place| pointed(text, &place, width).join("\n"));
        [Some(plain(message).into_owned()), lines].into_iter().flatten().collect::<Vec<_>>().join("\n")
    };
    let message = match failure {
        Failure::Condition(error) => {
            let told = pointed_at(&format!("--where: {}", error.message), &error.text, Some(error.range));
            return format!("{told}\nsuch as: {}", error.example);
        }
        Failure::Query(QueryError::Statement(error)) => {
            return pointed_at(&error.message, &error.text, error.at.map(|at| at..at));
        }
        Failure::Output(error) => format!("cannot write the output: {error}"),
        Failure::Usage(message) | Failure::Refused(message) => message,
        Failure::Open(error) => error.to_string(),
        Failure::Query(error) => error.to_string(),
        Failure::Interrupted => "stopped".to_owned(),
    };
    plain(&message).into_owned()
}

fn perform(
    line: &CommandLine,
    surroundings: &Surroundings,
    output: &mut Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Found, Failure> {
    let json = line.shared.json;
    let settings = settings_in_force(&line.shared, surroundings)?;
    // The doctor has a line for each, `config` says them itself, and to completions they are nothing.
    let says_itself = matches!(line.command, Command::Doctor | Command::Config(_) | Command::Completions(_));
    let unsaid = line.shared.db.is_some() || says_itself;
    for problem in settings.problems().iter().filter(|_| !unsaid) {
        output.remark(&plain(problem))?;
    }
    match &line.command {
        Command::Doctor => return commands::doctor::run(&settings, json, output),
        Command::Recover(recover) => return commands::recover::run(recover, &settings, json, output, should_stop),
        Command::Prune(prune) => return commands::prune::run(prune, &settings, json, output, should_stop),
        Command::Drain(drain) => return commands::drain::run(drain, &settings, json, output, should_stop),
        Command::Config(config) => {
            return commands::config::run(config, &settings, line.shared.db.is_some(), json, output);
        }
        Command::Completions(completions) => return commands::completions::run(completions, output),
        _ => {}
    }
    let mut tape = Tape::open(&settings.db).map_err(Failure::Open)?;
    if let Some(interrupt) = surroundings.interrupt {
        tape.set_interrupt(now_and_then(interrupt));
    }
    commands::waiting::remark(&tape, output)?;
    match &line.command {
        Command::Top(top) => commands::top::run(top, &tape, json, output),
        Command::Tail(tail) => commands::tail::run(tail, &tape, json, output, should_stop),
        Command::Find(find) => commands::find::run(find, &tape, json, output, should_stop),
        Command::Slow(slow) => commands::slow::run(slow, &tape, json, output),
        Command::Running(running) => commands::running::run(running, &tape, json, output),
        Command::Tree(tree) => commands::tree::run(tree, &tape, json, output),
        Command::Show(show) => commands::show::run(show, &tape, json, output),
        Command::Errors(errors) => commands::errors::run(errors, &tape, json, output),
        Command::Diff(diff) => commands::diff::run(diff, &tape, json, output),
        Command::Sql(sql) => commands::sql::run(sql, &tape, json, output),
        Command::Export(export) => {
            commands::export::run(export, &surroundings.directory, &tape, json, output, should_stop)
        }
        Command::Stats(stats) => commands::stats::run(stats, &tape, json, output),
        Command::Doctor
        | Command::Recover(_)
        | Command::Prune(_)
        | Command::Drain(_)
        | Command::Config(_)
        | Command::Completions(_) => Ok(Found::Nothing),
    }
}

/// `asked`, but not more often than a person notices: the tape asks every 0.1 ms, and Python's signals have a price.
fn now_and_then(asked: fn() -> bool) -> impl FnMut() -> bool + Send + 'static {
    let mut last = Instant::now();
    move || {
        let is_due = last.elapsed() >= STOP_INTERVAL;
        if is_due {
            last = Instant::now();
        }
        is_due && asked()
    }
}

/// The settings, from environment, pyproject.toml and defaults; the tape's place is `--db` where that is given.
fn settings_in_force(shared: &Shared, surroundings: &Surroundings) -> Result<Settings, Failure> {
    let around = settings::Surroundings {
        directory: surroundings.directory.clone(),
        environment: surroundings.environment.clone(),
    };
    let mut settings = Settings::load(&[], &around).map_err(|error| Failure::Usage(error.to_string()))?;
    if let Some(db) = &shared.db {
        settings.db = surroundings.directory.join(db);
    }
    Ok(settings)
}

fn colours(shared: &Shared, surroundings: &Surroundings) -> bool {
    match shared.color {
        Color::Auto => surroundings.color && !shared.json,
        Color::Always => true,
        Color::Never => false,
    }
}

/// Help and version go where they were asked for; wrong usage goes to the error stream.
fn answer_clap(error: &clap::Error, surroundings: &Surroundings, streams: Streams<'_>) -> i32 {
    let asked_for = !error.use_stderr();
    let rendered = error.render();
    let rendered = if surroundings.color { rendered.ansi().to_string() } else { rendered.to_string() };
    let stream = if asked_for { streams.out } else { streams.err };
    let _ = stream.write_all(rendered.as_bytes()).and_then(|()| stream.flush());
    if asked_for { FOUND } else { WRONG }
}
