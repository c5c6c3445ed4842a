//! The shop's processes over its day: two machines of web workers, renewed at a deployment, of which one dies; one machine
//! of task workers. Says who runs a request; writes nothing.

use super::random::Random;

pub(crate) const SECOND: i64 = 1_000_000_000;
pub(crate) const HOUR: i64 = 3_600 * SECOND;

/// How long the day is.
pub(crate) const DAY: i64 = 24 * HOUR;

/// When the day begins: 2026-10-13T16:00:00Z in Unix ns.
pub(crate) const START_NS: i64 = 1_791_907_200 * SECOND;

/// A new version is deployed this long after the beginning.
const DEPLOYED: i64 = 13 * HOUR;

/// One of the web workers is killed this long after the beginning.
const KILLED: i64 = 15 * HOUR + 37 * 60 * SECOND + 12_345_678_901;

/// A process and its recording; times in ns after the day's beginning.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: i64,
    pub(crate) host: &'static str,
    pub(crate) program: &'static str,
    pub(crate) began: i64,
    pub(crate) ended: i64,
    pub(crate) ending: &'static str,
    pub(crate) threads: Vec<String>,
    /// When each thread has done what it does.
    busy_until: Vec<i64>,
}

/// Who runs a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) process: usize,
    pub(crate) thread: usize,
}

/// All processes of the day.
pub(crate) fn of_the_day() -> Vec<Process> {
    let mut all = Vec::new();
    let web = |host, pid, began, ended, ending| {
        let threads = ["MainThread", "AnyIO worker thread", "AnyIO worker thread 2", "AnyIO worker thread 3"];
        process((host, "gunicorn shop.web:app", pid), (began, ended, ending), threads.map(String::from).to_vec())
    };
    for (host, first) in [("web-1", 2_101), ("web-2", 3_301)] {
        for worker in 0..4 {
            // One after the other, so that there are always some.
            let deployed = DEPLOYED + worker * 180 * SECOND;
            all.push(web(host, first + worker, 0, deployed, "exit"));
            let dies = host == "web-2" && worker == 3;
            let (ended, ending) = if dies { (KILLED, "died") } else { (DAY + HOUR, "exit") };
            all.push(web(host, first + 900 + worker, deployed, ended, ending));
            if dies {
                all.push(web(host, first + 990, KILLED + SECOND, DAY + HOUR, "exit"));
            }
        }
    }
    for pid in [811, 812] {
        let threads = (0..4).map(|number| format!("ThreadPoolExecutor-0_{number}")).collect();
        all.push(process(("jobs-1", "celery -A shop.tasks worker", pid), (0, DAY + HOUR, "exit"), threads));
    }
    all
}

fn process(
    (host, program, pid): (&'static str, &'static str, i64),
    (began, ended, ending): (i64, i64, &'static str),
    threads: Vec<String>,
) -> Process {
    let busy_until = vec![0; threads.len()];
    Process { pid, host, program, began, ended, ending, threads, busy_until }
}

/// A thread that is free at `at` and whose process does not end for another minute, unless it is killed; where none is
/// free, the one that is soonest. Web requests arrive at the main thread.
pub(crate) fn who_runs(processes: &[Process], is_task: bool, at: i64, random: &mut Random) -> Place {
    let stays = |process: &Process| process.ending == "died" || process.ended > at + 60 * SECOND;
    let fits = |process: &Process| (process.host == "jobs-1") == is_task && process.began <= at && at < process.ended;
    let places = processes.iter().enumerate().filter(|(_, process)| fits(process) && stays(process));
    let places: Vec<Place> = places
        .flat_map(|(process, of)| {
            let threads = if is_task { of.threads.len() } else { 1 };
            (0..threads).map(move |thread| Place { process, thread })
        })
        .collect();
    let busy_until = |place: &Place| processes[place.process].busy_until[place.thread];
    let free: Vec<&Place> = places.iter().filter(|place| busy_until(place) <= at).collect();
    match free.len() as u64 {
        0 => *places.iter().min_by_key(|place| busy_until(place)).expect("processes overlap"),
        many => *free[random.below(many) as usize],
    }
}

impl Process {
    pub(crate) fn is_busy(&mut self, thread: usize, until: i64) {
        self.busy_until[thread] = self.busy_until[thread].max(until);
    }
}
