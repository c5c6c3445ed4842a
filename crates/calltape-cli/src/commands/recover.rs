//! `calltape recover`: what processes that died left in their journals goes into the database.

use std::time::Duration;

use calltape_engine::Settings;
use calltape_engine::recover::{Recovered, Recovery, recover};

use crate::arguments::Recover;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::count;
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
        let recovery = recover(&settings.db).map_err(|fault| Failure::Refused(fault.to_string()))?;
        match recovery {
            Recovery::Done { runs, warnings } => {
                output.progress("");
                for warning in &warnings {
                    output.remark(&plain(warning))?;
                }
                return report(&runs, json, output);
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
                output.progress(&format!("waiting for {who}: {waiting} journals"));
                std::thread::sleep(LOOK);
            }
        }
    }
}

fn report(runs: &[Recovered], json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    if runs.is_empty() {
        output.remark("nothing of the dead is left")?;
    }
    for recovered in runs {
        let line = if json { object(recovered).finish() } else { sentence(recovered, output) };
        output.line(&line)?;
    }
    Ok(Found::Something)
}

fn sentence(recovered: &Recovered, output: &Output<'_>) -> String {
    let Recovered { run, stored_now, interrupted, damaged } = recovered;
    let unknown = match run.account.unknown {
        Some(unknown) => count(unknown.unsigned_abs()),
        None => "an unknown number".to_owned(),
    };
    let program = output.paint(Tone::Strong, &plain(&run.program));
    format!(
        "run {:016x}  pid {}  {program}  {}: {} calls stored, {} of them now; {} interrupted, {unknown} unknown, {} damaged frames",
        run.id,
        run.pid,
        plain(&run.ending),
        count(run.account.stored),
        count(*stored_now),
        count(*interrupted),
        count(*damaged),
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
