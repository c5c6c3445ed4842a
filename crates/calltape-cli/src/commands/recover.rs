//! `calltape recover`: what processes that died left in their journals goes into the database.

use std::time::Duration;

use calltape_engine::Settings;
use calltape_engine::recover::{RecoverError, Recovered, Recovery, recover};

use crate::arguments::Recover;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::{count, counted};
use crate::text::plain::plain;

/// Between two looks while another process recovers.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) fn run(
    arguments: &Recover,
    settings: &Settings,
    json: bool,
    output: &mut Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Found, Failure> {
    loop {
        let mut said = false;
        let recovery = recover(&settings.db, &mut || {
            if !std::mem::replace(&mut said, true) {
                let text = format!("waiting for another program's transaction on {}", settings.db.display());
                // That it cannot be said is no reason not to wait.
                let _ = output.remark(&plain(&text));
            }
            !should_stop()
        });
        match recovery.map_err(failure)? {
            Recovery::Done { runs, warnings, errors } => {
                output.progress("");
                for line in warnings.iter().chain(&errors) {
                    output.remark(&plain(line))?;
                }
                report(&runs, errors.is_empty(), json, output)?;
                return Ok(if errors.is_empty() { Found::Something } else { Found::Nothing });
            }
            Recovery::Elsewhere { holder, waiting } => {
                let who = holder.pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
                if waiting == 0 || !arguments.wait || should_stop() {
                    output.progress("");
                    let text = match waiting {
                        0 => format!("{who} drains this tape; nothing of the dead is left"),
                        _ => format!("{who} drains this tape and stores what the dead left within a second"),
                    };
                    output.remark(&text)?;
                    return Ok(Found::Something);
                }
                output.progress(&format!("waiting for {who}: {}", counted(waiting as u64, "journal", "journals")));
                std::thread::sleep(LOOK);
            }
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
