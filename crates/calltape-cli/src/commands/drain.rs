//! `calltape drain`: the drain as a process of its own, until it is stopped.

use std::time::Duration;

use calltape_engine::recover::is_there;
use calltape_engine::{Level, Settings, Sidecar};

use super::signals::Signals;
use crate::arguments::Drain;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::text::figures::counted;
use crate::text::plain::plain;

/// Between two looks at signals and messages.
const LOOK: Duration = Duration::from_millis(50);

/// How long the end waits for the last batch.
const LAST_BATCH: Duration = Duration::from_secs(10);

pub(crate) fn run(
    arguments: &Drain,
    settings: &Settings,
    json: bool,
    output: &mut Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Found, Failure> {
    let signals = Signals::listen().map_err(|fault| Failure::Refused(format!("signals cannot be taken: {fault}")))?;
    let stop = || {
        // Asked each time: in Python's process that takes note of the signal, which would be raised again later.
        let asked = should_stop();
        signals.came() || asked
    };
    let is_new = !is_there(&settings.db);
    let mut sidecar = Sidecar::start(settings).map_err(|fault| Failure::Refused(fault.to_string()))?;
    let outcome = match arguments.once {
        true if is_new => output
            .remark(&plain(&a_new_tape(settings)))
            .map_err(Failure::from)
            .and_then(|()| once(&sidecar, settings, output, &stop)),
        true => once(&sidecar, settings, output, &stop),
        false => on(&sidecar, settings, is_new, output, &stop),
    };
    let stats = sidecar.stats();
    let whole = sidecar.finish(LAST_BATCH);
    say(&sidecar, output)?;
    outcome?;
    let (calls, writes) = (stats.calls.max(sidecar.stats().calls), stats.writes.max(sidecar.stats().writes));
    if json {
        let object = Object::new().unsigned("calls", calls).unsigned("writes", writes).flag("drained", whole);
        output.line(&object.finish())?;
    } else {
        output.line(&format!(
            "{} stored in {}",
            counted(calls, "call", "calls"),
            counted(writes, "batch", "batches")
        ))?;
    }
    if !whole {
        output.remark("a batch was not over in time; what it held is in the journals still")?;
    }
    Ok(Found::Something)
}

/// A slip in the path would else go unnoticed.
fn a_new_tape(settings: &Settings) -> String {
    format!("draining {}, a new tape: there was nothing", settings.db.display())
}

/// Drains until stopped. `is_new`: there was neither a tape nor a journal.
fn on(
    sidecar: &Sidecar,
    settings: &Settings,
    is_new: bool,
    output: &mut Output<'_>,
    stop: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let mut said = None;
    while !stop() {
        let drains = sidecar.stats().drains;
        let other = another(sidecar).filter(|_| !drains);
        if said != Some(drains) && (drains || other.is_some()) {
            said = Some(drains);
            let path = settings.db.display();
            let text = match other {
                Some(pid) => format!("process {pid} drains {path}; waiting until it ends"),
                None if is_new => a_new_tape(settings),
                None => format!("draining {path}"),
            };
            output.remark(&plain(&text))?;
        }
        say(sidecar, output)?;
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// Drains what there is.
fn once(
    sidecar: &Sidecar,
    settings: &Settings,
    output: &mut Output<'_>,
    stop: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let caught_up = sidecar.catch_up(&|| stop() || sidecar.stats().breaker.opens > 0);
    let stats = sidecar.stats();
    if let (false, Some(fault)) = (caught_up || stop(), stats.breaker.last_error) {
        return Err(Failure::Refused(format!("{fault}; what is not stored yet stays in the journals")));
    }
    if !stats.drains && caught_up {
        let who = another(sidecar).map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        output.remark(&plain(&format!("{who} drains {}; there is nothing to do here", settings.db.display())))?;
    }
    Ok(())
}

/// The process that has the lease, if it is not this one.
fn another(sidecar: &Sidecar) -> Option<u32> {
    sidecar.holder()?.pid.filter(|pid| *pid != std::process::id())
}

fn say(sidecar: &Sidecar, output: &mut Output<'_>) -> Result<(), Failure> {
    for (level, text) in sidecar.take_messages() {
        let word = match level {
            Level::Info => "",
            Level::Warning => "warning: ",
            Level::Error => "error: ",
        };
        output.remark(&plain(&format!("{word}{text}")))?;
    }
    Ok(())
}
