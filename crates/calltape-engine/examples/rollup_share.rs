//! The rollup's share of the drain's work, to be run under a profiler: `rollup_share BATCHES CALLS FUNCTIONS` makes so
//! many batches of so many calls of so many functions and drains each at once, as a process does that records all the time.
//! `docs/performance-guide.md` says how the share is read.

use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use calltape_engine::drain::{Drain, tape_directory};
use calltape_journal::{Journal, Options};
use calltape_testkit::{Caller, identity};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: u64| arguments.next().map_or(Ok(usual), |text| text.parse::<u64>());
    let (batches, calls, functions) = (number(100)?, number(2_500)?, number(66)?);
    let folder = tempfile::tempdir()?;
    let db = folder.path().join("calls.db");
    let journal = Arc::new(Journal::create(&tape_directory(&db), &identity(), &Options::default())?);
    let mut caller = Caller::new(&journal, "MainThread");
    let slots: Vec<u32> = (0..functions).map(|number| caller.define(&format!("shop.orders.place{number}"))).collect();
    let mut drain = Drain::new(&db, Some(Arc::clone(&journal)));
    drain.take_lease()?;
    let mut stored = 0;
    for batch in 0..batches {
        for call in 0..calls {
            let slot = slots[((batch * calls + call) % functions) as usize];
            if !caller.call(slot, (call % 100) as i64, 4) {
                return Err("the journal is full".into());
            }
        }
        journal.maintain();
        while drain.pass(true)?.committed {
            stored += 1;
        }
    }
    writeln!(std::io::stdout(), "{} calls of {functions} functions in {stored} batches", batches * calls)?;
    Ok(())
}
