//! SIGKILL at a random moment under load from four threads: every call that returned is stored once, with its result;
//! what had begun is there too, as interrupted.
//!
//! The child is this very test program, told by an environment variable to record until it is killed. It notes each
//! call that returned in a file, after the call.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::stage::{drain_all, stranger};
use calltape_engine::{Recorder, Settings};
use calltape_testkit::{Caller, Database, identity};

/// Rounds of an ordinary run; `CALLTAPE_KILL_ROUNDS` asks for more.
const ROUNDS: u64 = 8;

const THREADS: usize = 4;

/// The test that is the child.
const CHILD: &str = "a_killed_process_loses_no_returned_call::the_child_records_until_it_is_killed";

/// Where the child finds its folder.
const FOLDER: &str = "CALLTAPE_TEST_KILL_FOLDER";

#[test]
fn the_child_records_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let recorder = Recorder::start(&Settings::for_db(&folder.join("calls.db")), &identity()).expect("starts");
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let recorder = &recorder;
            scope.spawn(move || {
                let mut caller = Caller::new(recorder.journal(), &format!("t{number}"));
                let outer = caller.define(&format!("outer{number}"));
                let inner = caller.define(&format!("inner{number}"));
                let mut returned = File::create(folder.join(format!("returned{number}"))).expect("a file");
                for call in 0.. {
                    let Ok(parent) = caller.begin(outer, None, call, 0) else { continue };
                    if let Ok(child) = caller.begin(inner, Some((parent, parent)), call, 1) {
                        caller.end(child, inner, call);
                        returned.write_all(&child.to_le_bytes()).expect("written");
                    }
                    caller.end(parent, outer, call);
                    returned.write_all(&parent.to_le_bytes()).expect("written");
                }
            });
        }
    });
}

fn returned(folder: &Path) -> Vec<u64> {
    (0..THREADS)
        .filter_map(|number| std::fs::read(folder.join(format!("returned{number}"))).ok())
        .flat_map(|bytes| {
            bytes.chunks_exact(8).map(|id| u64::from_le_bytes(id.try_into().expect("8"))).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn every_call_that_returned_before_a_sigkill_is_stored_once() {
    if std::env::var_os(FOLDER).is_some() {
        return;
    }
    let rounds = std::env::var("CALLTAPE_KILL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let program = std::env::current_exe().expect("this program");
    let mut calls = 0;
    for round in 0..rounds {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(&program)
            .args(["--exact", CHILD, "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("a child");
        let wait = 20 + (round * 7919) % 180;
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().expect("killed");
        child.wait().expect("waited");

        let db = folder.path().join("calls.db");
        if !db.exists() && !folder.path().join("calls.db.tape").exists() {
            continue;
        }
        drain_all(&mut stranger(&db));
        let database = Database::open(&db);
        let stored: HashMap<u64, String> = database
            .lines("SELECT id, status FROM calls")
            .iter()
            .filter_map(|line| line.split_once('|'))
            .map(|(id, status)| (id.parse().expect("an id"), status.to_owned()))
            .collect();
        let returned = returned(folder.path());
        calls += returned.len();
        let missing = returned.iter().filter(|id| stored.get(id).map(String::as_str) != Some("ok")).count();
        assert_eq!(missing, 0, "round {round}: of {} returned", returned.len());
        let open = stored.values().filter(|status| *status == "interrupted").count();
        assert!(open <= 2 * THREADS, "round {round}: {open} interrupted");
        assert!(stored.values().all(|status| status == "ok" || status == "interrupted"));
        assert_eq!(database.one::<i64>("SELECT count(*) FROM calls WHERE status = 'interrupted' AND args IS NULL"), 0);
        // A thread that dies between counting a call and recording its beginning leaves one that nobody knows.
        let unknown: i64 = database.one("SELECT coalesce(sum(unknown), 0) FROM accounting");
        assert!(unknown <= THREADS as i64, "round {round}: {unknown} unknown");
        database.assert_balanced();
        assert_eq!(database.one::<String>("PRAGMA integrity_check"), "ok");
    }
    assert!(calls > 0, "no child recorded anything in {rounds} rounds");
}
