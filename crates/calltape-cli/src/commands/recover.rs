//! `calltape recover`: what processes that died left in their journals goes into the database.

use std::cell::Cell;
use std::time::{Duration, Instant};

use calltape_engine::Settings;
use calltape_engine::recover::{RecoverError, Recovered, Recovery, recover, waiting_bytes};

use crate::arguments::Recover;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::palette::Tone;
use crate::progress::Progress;
use crate::text::figures::{count, counted};
use crate::text::plain::plain;

/// Between two looks: at how far it is, or at another process that recovers.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) fn run(
    arguments: &Recover,
    settings: &Settings,
    json: bool,
    output: &mut Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Found, Failure> {
    let (progress, elsewhere) = (Shown::new(settings, output.progress), Progress::words(output.progress));
    loop {
        let mut said = false;
        let recovery = recover(&settings.db, &mut |so_far| {
            if !so_far.is_locked {
                progress.stored(so_far.calls);
            } else if !std::mem::replace(&mut said, true) {
                let text = format!("waiting for another program's transaction on {}", settings.db.display());
                // That it cannot be said is no reason not to wait.
                let _ = progress.bar.aside(|| output.remark(&plain(&text)));
            }
            !should_stop()
        });
        progress.bar.clear();
        match recovery.map_err(failure)? {
            Recovery::Done { runs, warnings, errors } => {
                elsewhere.clear();
                for line in warnings.iter().chain(&errors) {
                    output.remark(&plain(line))?;
                }
                report(&runs, errors.is_empty(), json, output)?;
                return Ok(if errors.is_empty() { Found::Something } else { Found::Nothing });
            }
            Recovery::Elsewhere { holder, waiting } => {
                let who = holder.pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
                if waiting == 0 || !arguments.wait || should_stop() {
                    elsewhere.clear();
                    let text = match waiting {
                        0 => format!("{who} drains this tape; nothing of the dead is left"),
                        _ => format!("{who} drains this tape and stores what the dead left within a second"),
                    };
                    output.remark(&text)?;
                    return Ok(Found::Something);
                }
                elsewhere.show(0, format!("waiting for {who}: {}", counted(waiting as u64, "journal", "journals")));
                std::thread::sleep(LOOK);
            }
        }
    }
}

/// How much of what waits in the journals is stored, on a terminal.
struct Shown<'a> {
    settings: &'a Settings,
    is_shown: bool,
    total_bytes: u64,
    bar: Progress,
    looked: Cell<Option<Instant>>,
}

impl<'a> Shown<'a> {
    fn new(settings: &'a Settings, is_shown: bool) -> Self {
        let total_bytes = if is_shown { waiting_bytes(&settings.db) } else { 0 };
        let bar = Progress::bar(is_shown && total_bytes > 0, total_bytes);
        Self { settings, is_shown, total_bytes, bar, looked: Cell::new(None) }
    }

    /// Looks how much still waits; not after each batch, as looking reads it.
    fn stored(&self, calls: u64) {
        let is_due = self.looked.get().is_none_or(|looked| looked.elapsed() >= LOOK);
        if self.is_shown && is_due {
            let done = self.total_bytes.saturating_sub(waiting_bytes(&self.settings.db));
            self.bar.show(done, format!("{} stored", counted(calls, "call", "calls")));
            self.looked.set(Some(Instant::now()));
        }
    }
}

fn failure(fault: RecoverError) -> Failure {
    match fault {
        RecoverError::Stopped => Failure::Interrupted,
        fault => Failure::Refused(fault.to_string()),
    }
}

fn report(runs: &[Recovered], well: bool, json: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    if runs.is_empty() && well {
        output.remark("nothing of the dead is left")?;
    }
    for recovered in runs {
        let line = if json { object(recovered).finish() } else { sentence(recovered, output) };
        output.line(&line)?;
    }
    Ok(())
}

fn sentence(recovered: &Recovered, output: &Output<'_>) -> String {
    let Recovered { run, stored_now, interrupted, damaged } = recovered;
    let unknown = match run.account.unknown {
        Some(unknown) => count(unknown.unsigned_abs()),
        None => "an unknown number".to_owned(),
    };
    let program = output.paint(Tone::Strong, &plain(&run.program));
    format!(
        "run {:016x}  pid {}  {program}  {}: {} stored, {} of them now; {} interrupted, {unknown} unknown, {}",
        run.id,
        run.pid,
        plain(&run.ending),
        counted(run.account.stored, "call", "calls"),
        count(*stored_now),
        count(*interrupted),
        counted(*damaged, "damaged frame", "damaged frames"),
    )
}

fn object(recovered: &Recovered) -> Object {
    let run = &recovered.run;
    Object::new()
        .unsigned("run_id", run.id)
        .number("pid", i128::from(run.pid))
        .text("host", run.host.as_str())
        .text("program", run.program.as_str())
        .text("ending", run.ending.as_str())
        .unsigned("calls", run.account.calls)
        .unsigned("stored", run.account.stored)
        .unsigned("stored_now", recovered.stored_now)
        .unsigned("interrupted", recovered.interrupted)
        .number("unknown", run.account.unknown.map(i128::from))
        .unsigned("damaged", recovered.damaged)
}
