//! What waits beside the tape and is on it only later. Said once, before a command's answer: without it the answer would
//! seem to be all there is.

use std::io;

use calltape_engine::query::Tape;

use crate::output::Output;

/// Dead processes a remark names.
const MOST_PIDS: usize = 5;

/// Says that calls wait beside the tape which no command shows: they are stored when a program next records there.
pub(crate) fn remark(tape: &Tape, output: &mut Output<'_>) -> io::Result<()> {
    let dead: Vec<String> = tape
        .journals()
        .iter()
        .filter(|journal| !journal.alive)
        .map(|journal| journal.pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string()))
        .collect();
    let pids = dead.iter().take(MOST_PIDS).map(String::as_str).collect::<Vec<_>>().join(", ");
    let what = match dead.len() {
        0 => return Ok(()),
        1 => format!("the journal of a dead process waits beside the tape (pid {pids}): its last calls show"),
        _ => {
            let more = if dead.len() > MOST_PIDS { ", ..." } else { "" };
            format!("journals of dead processes wait beside the tape (pids {pids}{more}): their last calls show")
        }
    };
    output.remark(&format!("{what} once a program records here again, or after `calltape recover`"))
}
