//! `calltape completions`: the script that makes a shell complete commands and options. Needs no tape.

use clap::CommandFactory;

use crate::arguments::{CommandLine, Completions};
use crate::entry::{Failure, Found};
use crate::output::Output;

pub(crate) fn run(completions: &Completions, output: &mut Output<'_>) -> Result<Found, Failure> {
    // What generates panics where it cannot write: a closed pipe must end quietly.
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut CommandLine::command(), "calltape", &mut script);
    output.streams.out.write_all(&script)?;
    Ok(Found::Something)
}
