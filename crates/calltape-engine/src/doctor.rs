//! Looking a tape over: `calltape doctor`. Asks journal, database, books, settings, disk, permissions and lease one after
//! the other, and says of each whether it is well or what to do. Looks only: it repairs nothing and drains nothing.

mod files;

use std::path::Path;
use std::time::Duration;

use calltape_journal::{Lease, Run, list_runs};

use crate::drain::tape_directory;
use crate::query::{Incident, OpenError, QueryError, Tape, set_aside, waiting_in};
use crate::recover::is_there;
use crate::settings::{DrainBy, Settings};
use crate::store::{MINIMUM_SQLITE, SCHEMA_VERSION, WAL_LIMIT_BYTES, remedy_of_damage, try_to_write};

/// How long a check of the whole database may take.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// A WAL larger than this is kept so by a reader, whether calls wait or not.
const WAL_BYTES: u64 = 80 << 20;

/// A lock that lasts longer than this is none of the drain's own.
const LOCKED_FOR: Duration = Duration::from_secs(1);

/// Within this a process that records takes a free lease.
const LEASE_TAKEN_WITHIN: Duration = Duration::from_millis(1_300);

/// Things of one kind that are named.
const MOST_NAMED: usize = 5;

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: settings, sqlite, database, accounting, journal, lease, disk, permissions or incidents.
    pub area: &'static str,
    /// What was found.
    pub found: String,
    /// What to do about it; `None` when all is well.
    pub remedy: Option<String>,
}

/// The findings so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn well(&mut self, area: &'static str, found: impl Into<String>) {
        self.0.push(Finding { area, found: found.into(), remedy: None });
    }

    fn ill(&mut self, area: &'static str, found: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Finding { area, found: found.into(), remedy: Some(remedy.into()) });
    }
}

/// Looks over the tape that `settings` name; `None` when there is nothing at its place.
pub fn examine(settings: &Settings) -> Option<Vec<Finding>> {
    if !is_there(&settings.db) {
        return None;
    }
    let mut findings = Findings::default();
    look_at_settings(settings, &mut findings);
    look_at_sqlite(&mut findings);
    let is_ours = look_at_database(&settings.db, &mut findings);
    let living = look_at_journals(&settings.db, is_ours, &mut findings);
    look_at_lease(settings, living, &mut findings);
    files::look_at_disk(settings, &mut findings);
    files::look_at_permissions(&settings.db, is_ours, &mut findings);
    Some(findings.0)
}

fn look_at_settings(settings: &Settings, findings: &mut Findings) {
    for problem in settings.problems() {
        findings.ill("settings", problem.clone(), "correct it where it stands");
    }
    if settings.problems().is_empty() {
        let set = settings.sources().iter().filter(|source| source.from != "default");
        let set: Vec<String> = set.map(|source| format!("{} ({})", source.setting, source.from)).collect();
        let text = if set.is_empty() { "all are the defaults".to_owned() } else { format!("set: {}", set.join(", ")) };
        findings.well("settings", text);
    }
}

fn look_at_sqlite(findings: &mut Findings) {
    let version = Tape::sqlite_version();
    if rusqlite::version_number() < MINIMUM_SQLITE {
        let found = format!("SQLite {version} can lose rows where several processes use a database");
        return findings.ill("sqlite", found, "build calltape with its bundled SQLite");
    }
    findings.well("sqlite", format!("SQLite {version}"));
}

/// Says how the database is; whether it is calltape's, or nobody's yet.
fn look_at_database(db: &Path, findings: &mut Findings) -> bool {
    for path in set_aside(db) {
        let found = format!("{} was damaged and set aside", path.display());
        let remedy = format!(
            "see what of it can be read with `calltape --db {} stats`, then remove it with its -wal and -shm",
            path.display()
        );
        findings.ill("database", found, remedy);
    }
    let mut tape = match Tape::open(db) {
        Ok(tape) => tape,
        Err(fault) => {
            findings.ill("database", fault.found(), fault.remedy());
            return !matches!(fault, OpenError::NotATape { .. } | OpenError::NewerVersion { .. });
        }
    };
    tape.set_time_limit(TIME_LIMIT);
    match tape.quick_check() {
        Ok(complaints) if complaints.is_empty() => {
            let version = tape.version();
            let older = if version < SCHEMA_VERSION { ", the next program that records upgrades it" } else { "" };
            findings.well("database", format!("sound; tape version {version}{older}"));
        }
        Ok(complaints) => {
            findings.ill(
                "database",
                format!("{} is damaged: {}", db.display(), complaints.join("; ")),
                remedy_of_damage(db),
            );
            return true;
        }
        // What else is asked of it would say the same.
        Err(QueryError::Damaged { source, remedy }) => {
            findings.ill("database", format!("{} is damaged: {source}", db.display()), remedy);
            return true;
        }
        Err(fault) => findings.ill("database", fault.to_string(), fault.remedy()),
    }
    look_at_wal(&tape, findings);
    look_at_writing(&tape, findings);
    look_at_books(&tape, findings);
    look_at_incidents(&tape, findings);
    true
}

fn look_at_wal(tape: &Tape, findings: &mut Findings) {
    let (wal, waiting) = (tape.files().wal_bytes, tape.waiting_bytes());
    // Above its limit no batch is begun; without one that waits it is only not cut yet.
    match wal > WAL_BYTES || (wal > WAL_LIMIT_BYTES.unsigned_abs() && waiting > 0) {
        true => findings.ill(
            "database",
            format!(
                "the write-ahead log has grown to {} MiB: a reader holds it, and {} KiB wait in journals",
                wal >> 20,
                waiting >> 10
            ),
            "end the program that has been reading the tape for long",
        ),
        false => findings.well("database", format!("write-ahead log of {} KiB", wal >> 10)),
    }
}

/// Whether a write can be begun; nothing is written.
fn look_at_writing(tape: &Tape, findings: &mut Findings) {
    let Err(fault) = try_to_write(tape.path(), LOCKED_FOR) else {
        return findings.well("database", "can be written");
    };
    let remedy = fault.remedy().unwrap_or("make the database writable again");
    let found = format!("cannot be written now: {fault}; {} KiB wait in journals", tape.waiting_bytes() >> 10);
    findings.ill("database", found, remedy);
}

fn look_at_books(tape: &Tape, findings: &mut Findings) {
    let (mismatches, total) = match tape.mismatches().and_then(|found| Ok((found, tape.accounting()?.1))) {
        Ok(found) => found,
        Err(fault) => return findings.ill("accounting", fault.to_string(), fault.remedy()),
    };
    for mismatch in mismatches.iter().take(MOST_NAMED) {
        let found = format!(
            "{} of run {:016x} has {} rows, its books count {}",
            mismatch.function, mismatch.run_id, mismatch.rows, mismatch.booked
        );
        findings.ill("accounting", found, "rows were changed by hand, or the file is damaged: restore it from a copy");
    }
    if mismatches.len() > MOST_NAMED {
        let found = format!("and {} more functions", mismatches.len() - MOST_NAMED);
        findings.ill("accounting", found, "as above");
    }
    if mismatches.is_empty() {
        let unknown = match total.unknown {
            Some(0) => String::new(),
            Some(unknown) => {
                format!("; {unknown} unknown: of processes that died, or in a tape that is gone or set aside")
            }
            None => "; an unknown number was in a journal that is gone".to_owned(),
        };
        let text = format!("{} calls, {} rows: the books balance{unknown}", total.calls, total.stored - total.pruned);
        findings.well("accounting", text);
    }
}

fn look_at_incidents(tape: &Tape, findings: &mut Findings) {
    let (incidents, count) = match tape.incidents(MOST_NAMED * 20) {
        Ok(found) => found,
        Err(fault) => return findings.ill("incidents", fault.to_string(), fault.remedy()),
    };
    let open: Vec<&Incident> = incidents.iter().filter(|incident| incident.ended_ns.is_none()).collect();
    for incident in open.iter().take(MOST_NAMED) {
        let detail = if incident.detail.is_empty() { String::new() } else { format!(" ({})", incident.detail) };
        findings.ill("incidents", format!("{} now{detail}", incident.kind), remedy(&incident.kind));
    }
    if open.is_empty() {
        let past = if count == 0 { "none" } else { "none now; `calltape stats` shows past ones" };
        findings.well("incidents", past);
    }
}

/// What helps against a kind of incident.
fn remedy(kind: &str) -> &'static str {
    match kind {
        "payloads shortened" | "sampled harder" | "successes dropped" | "errors counted" => {
            "calls come faster than the database takes them: lower sample_rate of the hottest functions \
             (`calltape top --sort calls`), or raise journal_limit"
        }
        "database unreachable" => "make the database writable again; what is recorded waits in the journal",
        "database set aside" => "see the line about the file; recording goes on in a new one",
        "WAL held by a reader" => "end the program that has been reading the tape for long",
        "small journal" | "journal in memory" | "counting only" => {
            "give the program more memory, or its folder more disk, and start it again"
        }
        _ => "see `calltape stats` and docs/reliability.md",
    }
}

/// Says how the journals are; how many processes record. `is_ours`: what stands at the path can take what they hold.
fn look_at_journals(db: &Path, is_ours: bool, findings: &mut Findings) -> usize {
    let folder = tape_directory(db);
    let runs = match list_runs(&folder) {
        Ok(runs) => runs,
        Err(fault) => {
            let found = format!("{} cannot be read: {fault}", folder.display());
            findings.ill("journal", found, format!("check who may read {}", folder.display()));
            return 0;
        }
    };
    if runs.is_empty() {
        findings.well("journal", "none waits");
    }
    let mut living = 0;
    for folder in runs {
        let run = match Run::open(&folder) {
            Ok(run) => run,
            // Drained away just now.
            Err(_) if !folder.exists() => continue,
            Err(fault) => {
                findings.ill("journal", fault.to_string(), format!("check who may read {}", folder.display()));
                continue;
            }
        };
        let alive = run.owner_is_alive();
        living += usize::from(alive);
        let pid = run.identity().map_or_else(|| "?".to_owned(), |process| process.pid.to_string());
        let bytes = files::bytes_in(&folder);
        let what = format!("run {:016x}, pid {pid}, {} KiB", run.id(), bytes >> 10);
        let damage: Vec<String> = run.damage().take(MOST_NAMED).map(ToString::to_string).collect();
        if !damage.is_empty() {
            let found = format!("{what}: {}", damage.join("; "));
            findings.ill("journal", found, "what can be read is stored all the same; look at the disk it is on");
        } else if alive {
            findings.well("journal", format!("{what}: recording, {} KiB wait", waiting_in(&run) >> 10));
        } else {
            let remedy = if is_ours { "run `calltape recover`" } else { "see to the database first" };
            findings.ill("journal", format!("{what}: of a process that ended"), remedy);
        }
    }
    living
}

fn look_at_lease(settings: &Settings, living: usize, findings: &mut Findings) {
    let folder = tape_directory(&settings.db);
    let mut holder = Lease::holder(&folder);
    if living > 0 && matches!(holder, Ok(None)) {
        // A process that records takes a free one within a second.
        std::thread::sleep(LEASE_TAKEN_WITHIN);
        holder = Lease::holder(&folder);
    }
    match holder {
        Ok(Some(holder)) => {
            let who = holder
                .pid
                .map_or_else(|| "a process that could not say which".to_owned(), |pid| format!("process {pid}"));
            findings.well("lease", format!("{who} drains"));
        }
        Ok(None) if living == 0 => findings.well("lease", "free: nobody records"),
        Ok(None) => {
            let remedy = match settings.drain {
                DrainBy::Elsewhere => "the setting drain is elsewhere: run `calltape drain` beside the program",
                DrainBy::Here => "where a program's setting drain is elsewhere, run `calltape drain` beside it",
            };
            let record =
                if living == 1 { "1 process records".to_owned() } else { format!("{living} processes record") };
            findings.ill("lease", format!("free, though {record}: nobody drains"), remedy);
        }
        Err(fault) => {
            let found = format!("{} cannot be asked: {fault}", folder.display());
            findings.ill("lease", found, "the tape needs a local file system with locks");
        }
    }
}
