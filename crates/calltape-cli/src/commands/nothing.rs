//! What is said when nothing was found: what was looked for where, and what of the question cannot match at all.

use calltape_engine::query::{CallFilter, Tape};

use crate::entry::Failure;
use crate::output::Output;
use crate::text::plain::plain;

/// Says `what` is not on the tape, and the tape's notices on `filter`: a function nobody recorded, an argument by
/// another name.
pub(super) fn say(what: &str, tape: &Tape, filter: &CallFilter, output: &mut Output<'_>) -> Result<(), Failure> {
    let notices = tape.notices(filter)?;
    output.remark(&plain(&format!("{what} on {}", tape.path().display())))?;
    for notice in notices {
        output.remark(&plain(&notice))?;
    }
    Ok(())
}
