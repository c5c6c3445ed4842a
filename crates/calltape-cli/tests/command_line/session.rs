//! Runs the command line in the test's own process, in surroundings that are the same everywhere.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;

use calltape_cli::{Streams, Surroundings, run_in};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What a command left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The output with the code and the error stream where they say something, for snapshots.
    pub(crate) fn transcript(&self) -> String {
        let mut text = self.out.clone();
        if !self.err.is_empty() {
            text.push_str(&format!("--- stderr\n{}", self.err));
        }
        if self.code != 0 {
            text.push_str(&format!("--- exit code {}\n", self.code));
        }
        text
    }
}

/// A terminal of 100 columns in the folder `directory`, three minutes after the shop's tape begins, without colour.
pub(crate) fn surroundings(directory: &Path) -> Surroundings {
    Surroundings {
        directory: directory.to_owned(),
        environment: HashMap::from([("CALLTAPE_DB".to_owned(), "calls.db".to_owned())]),
        width: 100,
        terminal: true,
        progress: false,
        color: false,
        now: Some("2026-10-14T09:15:33Z".parse::<Timestamp>().unwrap()),
        zone: TimeZone::UTC,
        interrupt: None,
    }
}

/// The words of a command line; between single quotes a space is no end.
fn words(line: &str) -> Vec<OsString> {
    let mut words = Vec::new();
    for (position, part) in line.split('\'').enumerate() {
        match position % 2 {
            0 => words.extend(part.split_whitespace().map(OsString::from)),
            _ => words.push(OsString::from(part)),
        }
    }
    words
}

/// Runs `calltape arguments..`, split at spaces that are not between single quotes.
pub(crate) fn calltape(arguments: &str, surroundings: &Surroundings) -> Ran {
    calltape_until(arguments, surroundings, &|| true)
}

/// Like [`calltape`], with a say in when to stop.
pub(crate) fn calltape_until(arguments: &str, surroundings: &Surroundings, should_stop: &dyn Fn() -> bool) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let arguments = std::iter::once(OsString::from("calltape")).chain(words(arguments));
    let code = run_in(arguments, surroundings, Streams { out: &mut out, err: &mut err }, should_stop);
    Ran { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}
