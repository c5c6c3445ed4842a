//! `calltape find`: the calls that meet a filter, a line each, as they are found.

use calltape_engine::query::{Cursor, Order, Tape};

use super::{call_line, nothing};
use crate::arguments::Find;
use crate::asked;
use crate::entry::{Failure, Found};
use crate::output::Output;
use crate::palette::Tone;
use crate::progress::Progress;
use crate::text::figures::counted;

pub(crate) fn run(
    find: &Find,
    tape: &Tape,
    json: bool,
    output: &mut Output<'_>,
    should_stop: &dyn Fn() -> bool,
) -> Result<Found, Failure> {
    let filter = asked::filter(find.pattern.as_deref(), &find.calls, output)?;
    let order = if find.oldest_first { Order::OldestFirst } else { Order::NewestFirst };
    let progress = Progress::words(output.progress);
    let (mut found, mut after) = (0, find.after);
    // A page looks at so many rows and no more: what is rare is many pages away.
    loop {
        let page = tape.calls(&filter, order, after.as_ref(), find.limit - found)?;
        found += page.calls.len();
        progress.aside(|| page.calls.iter().try_for_each(|call| call_line::write(call, json, output)))?;
        after = page.next;
        if after.is_none() || found >= find.limit || should_stop() {
            break;
        }
        output.streams.out.flush()?;
        progress.show(0, format!("{} found, looking on", counted(found as u64, "call", "calls")));
    }
    progress.clear();
    if found == 0 && after.is_none() {
        nothing::say("no such call", tape, &filter, output)?;
        return Ok(Found::Nothing);
    }
    if let Some(after) = after {
        go_on(&after, found < find.limit, json, output)?;
    }
    Ok(Found::Something)
}

/// Says that there may be more and how to have it. Who reads JSON asked for so many, and has the last one's id; that the
/// search was stopped is news to both.
fn go_on(after: &Cursor, stopped: bool, json: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    if stopped {
        return Ok(output.remark(&format!("stopped; --after {after} goes on"))?);
    }
    if json {
        return Ok(());
    }
    let line = output.paint(Tone::Faint, &format!("… --after {after} goes on, --limit shows more"));
    Ok(output.line(&line)?)
}
