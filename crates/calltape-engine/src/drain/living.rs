//! Whether the process of a run is there still, asked of a run whose journal is gone: such a process records on, into files
//! without a name, and stores them itself.

use std::fs;

use crate::store::OpenRun;

/// Kernel ticks a second in `/proc/<pid>/stat`: `USER_HZ`, the same on all architectures Linux calls Python's home.
const TICKS: i64 = 100;

/// Seconds by which a process may seem to have started after its run: the boot time is whole seconds, and moves with the
/// clock.
const SLACK_S: i64 = 2;

/// Where `starttime` stands after the program's name in `/proc/<pid>/stat`; the state is the first.
const START_FIELD: usize = 19;

/// Whether the process that recorded the run lives: on this host, under its number, not started since. A process of another
/// host, or of another container's numbers, is none.
pub(super) fn is_alive(run: &OpenRun) -> bool {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if run.host.is_empty() || host.trim() != run.host {
        return false;
    }
    started_s(run.pid).is_some_and(|started| started <= run.started_ns / 1_000_000_000 + SLACK_S)
}

/// When a process started, Unix seconds; `None` of one that is gone, or dead and not waited for.
fn started_s(pid: u32) -> Option<i64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    if matches!(fields.first(), Some(&("Z" | "X"))) {
        return None;
    }
    let ticks: i64 = fields.get(START_FIELD)?.parse().ok()?;
    let system = fs::read_to_string("/proc/stat").ok()?;
    let booted: i64 = system.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(booted + ticks / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_of(pid: u32, host: &str, started_ns: i64) -> OpenRun {
        OpenRun { id: 1, pid, host: host.to_owned(), started_ns }
    }

    #[test]
    fn this_process_is_and_its_number_elsewhere_or_of_before_is_not() {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
        let (pid, now) = (std::process::id(), calltape_journal::unix_ns());
        assert!(is_alive(&run_of(pid, host.trim(), now)));
        assert!(!is_alive(&run_of(pid, "elsewhere", now)));
        assert!(!is_alive(&run_of(pid, host.trim(), now - 3_600_000_000_000 * 24 * 365)), "the number is used again");
        assert!(!is_alive(&run_of(u32::MAX, host.trim(), now)));
    }
}
