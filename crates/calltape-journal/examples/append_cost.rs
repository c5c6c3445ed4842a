//! What one append costs: `cargo run --release -p calltape-journal --example append_cost [directory]`.
//!
//! One thread appends frames of one size; a drain on the same thread recycles what is full, outside the timing.
//! Printed: the median over rounds of ns an append, with the pages present beforehand.

#![allow(clippy::print_stdout, reason = "an example prints its figures")]

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use calltape_journal::{Journal, Options, Run, RunIdentity, Writer};

const ROUNDS: usize = 41;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parent = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let tape = parent.join(format!("append-cost-{}.tape", std::process::id()));
    let journal = Journal::create(&tape, &RunIdentity::default(), &Options::default())?;
    while journal.occupancy().free_segments < 8 {
        journal.maintain();
    }
    journal.maintain();
    let mut run = journal.open_run()?;
    let mut writer = journal.lease(b"main")?;
    for bytes in [16, 48, 60, 128, 256, 768, 1024, 2048, 4096] {
        println!("append of {bytes:4} bytes: {:6.1} ns", median_ns(&mut writer, &mut run, bytes)?);
    }
    let directory = journal.directory().to_path_buf();
    drop((writer, journal, run));
    Run::open(&directory)?.remove()?;
    Ok(std::fs::remove_dir_all(&tape)?)
}

/// The median cost over rounds of about half a segment.
fn median_ns(writer: &mut Writer, run: &mut Run, bytes: usize) -> Result<f64, Box<dyn std::error::Error>> {
    let payload = vec![7; bytes];
    let appends = 200_000 / Writer::frame_bytes(bytes);
    let mut costs = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..appends {
            writer.append(2, black_box(&payload), 0)?;
        }
        costs.push(start.elapsed().as_nanos() as f64 / appends as f64);
        drain(run)?;
    }
    costs.sort_by(f64::total_cmp);
    Ok(costs[ROUNDS / 2])
}

fn drain(run: &mut Run) -> Result<(), Box<dyn std::error::Error>> {
    run.refresh()?;
    for key in run.segments() {
        let end = run.read(key.number, key.epoch, 0, |_| ControlFlow::Continue(()));
        run.mark_drained(key.number, key.epoch, end.offset);
        run.recycle(key.number, key.epoch);
    }
    Ok(())
}
