//! `calltape drain` as a process beside programs that only append: it stores what they record, ends cleanly when told to,
//! and loses nothing when it is killed.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use calltape_engine::settings::DrainBy;
use calltape_engine::{Recorder, Settings};
use calltape_testkit::{Caller, Database, identity};

/// Long enough for anything that is going to happen.
const SOON: Duration = Duration::from_secs(20);

/// A program that only appends.
struct Program {
    folder: tempfile::TempDir,
    recorder: Recorder,
    caller: Caller,
    place: u32,
}

impl Program {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::for_db(&folder.path().join("calls.db"));
        settings.drain = DrainBy::Elsewhere;
        let recorder = Recorder::start(&settings, &identity()).unwrap();
        let caller = Caller::new(recorder.journal(), "MainThread");
        let place = caller.define("shop.place");
        Self { folder, recorder, caller, place }
    }

    fn db(&self) -> PathBuf {
        self.folder.path().join("calls.db")
    }

    fn calls(&mut self, count: i64) {
        (0..count).for_each(|call| assert!(self.caller.call(self.place, call, 1)));
    }

    fn end(self) -> tempfile::TempDir {
        drop(self.caller);
        self.recorder.finish(Duration::from_millis(200));
        self.folder
    }
}

fn drain(db: &Path, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_calltape"))
        .args(["drain", "--db"])
        .arg(db)
        .args(arguments)
        .current_dir(db.parent().unwrap())
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for a line on the error stream.
fn said(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::with_capacity(1, child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    line
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// How it ended and what it printed.
fn end(mut child: Child) -> (ExitStatus, String) {
    let status = child.wait().unwrap();
    let mut out = String::new();
    child.stdout.unwrap().read_to_string(&mut out).unwrap();
    (status, out)
}

fn stored(db: &Path) -> i64 {
    Database::open(db).one("SELECT count(*) FROM calls WHERE status = 'ok'")
}

#[test]
fn a_sidecar_stores_what_an_appending_program_records_and_leaves_on_sigterm() {
    let mut program = Program::start();
    program.calls(1_000);
    assert!(!program.recorder.flush(Duration::from_millis(300)), "nobody drains yet");
    assert_eq!((program.recorder.stats().drains, program.recorder.stats().stored), (false, 0));
    let mut sidecar = drain(&program.db(), &[]);
    let line = said(&mut sidecar);
    assert!(line.contains("draining "), "{line}");
    assert!(program.recorder.flush(SOON), "{:?}", program.recorder.stats());
    assert_eq!((program.recorder.stats().drains, program.recorder.stats().stored), (false, 1_000));
    signal(&sidecar, "TERM");
    let (status, out) = end(sidecar);
    assert_eq!(status.code(), Some(0));
    assert!(out.starts_with("1,000 calls stored in "), "{out}");
    program.calls(50);
    let folder = program.end();
    let db = folder.path().join("calls.db");
    assert_eq!(stored(&db), 1_000);
    let (status, out) = end(drain(&db, &["--once", "--json"]));
    assert_eq!(status.code(), Some(0));
    assert!(out.starts_with("{\"calls\":50,"), "{out}");
    let database = Database::open(&db);
    assert_eq!(database.lines("SELECT ending, count(*) FROM runs GROUP BY 1"), ["exit|1"]);
    assert_eq!(stored(&db), 1_050);
    database.assert_balanced();
}

#[test]
fn a_killed_sidecar_loses_nothing_and_the_waiting_one_takes_over() {
    let mut program = Program::start();
    let mut first = drain(&program.db(), &[]);
    assert!(said(&mut first).contains("draining "));
    let mut second = drain(&program.db(), &[]);
    let line = said(&mut second);
    assert!(line.contains(&format!("process {} drains ", first.id())), "{line}");
    for _ in 0..20 {
        program.calls(500);
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&first, "KILL");
    let line = said(&mut second);
    assert!(line.contains("draining "), "{line}");
    program.calls(500);
    assert!(program.recorder.flush(SOON), "{:?}", program.recorder.stats());
    signal(&second, "INT");
    assert_eq!(end(second).0.code(), Some(0));
    assert_eq!(end(first).0.code(), None);
    let database = Database::open(&program.db());
    assert_eq!(stored(&program.db()), 10_500);
    database.assert_balanced();
}

#[test]
fn a_sidecar_waits_out_a_database_that_cannot_be_used() {
    let mut program = Program::start();
    std::fs::write(program.db(), "to do: everything\n".repeat(60)).unwrap();
    let mut sidecar = drain(&program.db(), &[]);
    program.calls(10);
    let (mut lines, deadline) = (String::new(), Instant::now() + SOON);
    while !lines.contains("is not a SQLite database") && Instant::now() < deadline {
        lines.push_str(&said(&mut sidecar));
    }
    assert!(lines.contains("is not a SQLite database; move it away or set db to another path"), "{lines}");
    std::fs::remove_file(program.db()).unwrap();
    assert!(program.recorder.flush(SOON), "{:?}", program.recorder.stats());
    signal(&sidecar, "TERM");
    assert_eq!(end(sidecar).0.code(), Some(0));
    assert_eq!(stored(&program.db()), 10);
}

#[test]
fn recover_stores_what_nobody_drained() {
    let mut program = Program::start();
    program.calls(20);
    let folder = program.end();
    let output = Command::new(env!("CARGO_BIN_EXE_calltape"))
        .args(["recover", "--db", "calls.db"])
        .current_dir(folder.path())
        .env_clear()
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(out.contains("exit: 20 calls stored, 20 of them now; 0 interrupted, 0 unknown, 0 damaged frames"), "{out}");
}

#[test]
fn a_folder_is_refused_at_once_and_a_new_tape_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("place");
    std::fs::create_dir(&place).unwrap();
    let mut refused = drain(&place, &[]);
    assert!(said(&mut refused).contains("place is not a file; set db to a file's path"));
    assert_eq!(end(refused).0.code(), Some(2));
    assert!(!folder.path().join("place.tape").exists());
    for arguments in [vec![], vec!["--once"]] {
        let db = folder.path().join(format!("typo{}.db", arguments.len()));
        let mut sidecar = drain(&db, &arguments);
        let line = said(&mut sidecar);
        assert!(line.contains(", a new tape: there was nothing"), "{line}");
        signal(&sidecar, "TERM");
        assert_eq!(end(sidecar).0.code(), Some(0));
    }
}
