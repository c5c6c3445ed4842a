//! Calls without a row: what their process counted of them goes into the minutes, and lost errors into their table.
//!
//! Called by `write.rs` inside a batch's transaction. The journal's figures are absolute; how much of them is in the
//! database already stands there too and is committed with what is added, so that a replay adds nothing.

use std::collections::HashMap;

use calltape_journal::{LostError, Tally};

use super::run::{Facts, Followed};
use crate::rollup::Latency;
use crate::store::{LostErrorRow, Minutes, StoreError, Transaction};

/// How long the calls without a row of one function took, as far as it is in the minutes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Timed {
    total_ns: u64,
    latency: Latency,
}

/// Bytes of the sum at the head of an encoded [`Timed`]; the histogram follows.
const SUM_BYTES: usize = 8;

impl Timed {
    fn of(tally: &Tally) -> Self {
        let mut latency = Latency::new();
        tally.buckets().for_each(|(bucket, count)| latency.add(bucket, count));
        Self { total_ns: tally.total_ns(), latency }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.total_ns.to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.latency.encode());
        bytes
    }

    /// Reads it back; None for bytes of anything else.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (sum, histogram) = bytes.split_first_chunk::<SUM_BYTES>()?;
        let latency = Latency::decode(histogram).ok()?;
        Some(Self { total_ns: u64::from_le_bytes(*sum), latency })
    }
}

/// What is in the database of a run's calls without a row, and what was looked at.
#[derive(Debug, Default)]
pub(super) struct Counted {
    timed: HashMap<u32, Timed>,
    /// How many calls each tally said when it was read last: as long as it says the same, nothing is new.
    seen: HashMap<u32, u64>,
    /// Lost errors by the number of their kind.
    lost: HashMap<u32, u64>,
    /// How many there were when they were read last.
    lost_seen: u64,
}

impl Counted {
    /// Reads it.
    pub(super) fn load(transaction: &Transaction<'_>, run: u64) -> Result<Self, StoreError> {
        let mut counted = Self::default();
        for (slot, state) in transaction.tallies(run)? {
            // Of a state that cannot be read nobody can say what is in the minutes: as it is, so it stays.
            let timed = Timed::decode(&state).unwrap_or_else(Timed::unreadable);
            counted.seen.insert(slot, timed.latency.count());
            counted.timed.insert(slot, timed);
        }
        counted.lost.extend(transaction.lost_errors(run)?);
        counted.lost_seen = counted.lost.values().fold(0, |sum, calls| sum.saturating_add(*calls));
        Ok(counted)
    }
}

impl Timed {
    /// Stands for more than any tally holds, so that nothing is added.
    fn unreadable() -> Self {
        let mut latency = Latency::new();
        (0..calltape_record::latency::BUCKETS).for_each(|bucket| latency.add(bucket, u64::MAX));
        Self { total_ns: u64::MAX, latency }
    }
}

impl Followed {
    /// Whether calls without a row were counted since the last look.
    pub(super) fn has_counted(&self) -> bool {
        self.run.lost_error_count().is_some_and(|count| count != self.facts.counted.lost_seen)
            || self.run.tallies().iter().any(|(slot, tally)| self.is_new(*slot, tally.calls()))
    }

    fn is_new(&self, slot: u32, calls: u64) -> bool {
        calls != self.facts.counted.seen.get(&slot).copied().unwrap_or(0)
    }

    /// Reads the tallies that say more than at the last look; all of them at the end, since a process that was killed may
    /// have counted a call in its bucket only.
    pub(super) fn read_tallies(&self) -> Vec<Read> {
        let mut read = Vec::new();
        for (slot, tally) in self.run.tallies() {
            // First: what it counts is in the buckets by then.
            let calls = tally.calls();
            if self.ending.is_some() || self.is_new(slot, calls) {
                read.push(Read { slot, calls, timed: Timed::of(tally) });
            }
        }
        read
    }

    /// Takes what the tallies say by now for what is in the minutes of another file: the run goes on in a new one.
    pub(super) fn skip_timed(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let mut tallies = self.run.tallies().into_iter();
        tallies.try_for_each(|(slot, tally)| transaction.put_tally(self.facts.row.id, slot, &Timed::of(tally).encode()))
    }

    /// Adds what is new in them to the minute of `at_ns`, and notes that it is there.
    ///
    /// They were read before the counters, which the caller counts a call in first: a tally that says more than those is
    /// damaged.
    pub(super) fn add_timed(
        &mut self,
        tallies: Vec<Read>,
        at_ns: i64,
        (transaction, minutes): (&Transaction<'_>, &mut Minutes),
    ) -> Result<(), StoreError> {
        for Read { slot, calls, timed } in tallies {
            self.facts.counted.seen.insert(slot, calls);
            let counters = self.run.counters(slot);
            let most = counters.map_or(0, |counters| counters.sampled_out.saturating_add(counters.dropped));
            if timed.latency.count() > most || !self.knows(slot) {
                self.facts.damaged += u64::from(self.ending.is_some());
                continue;
            }
            let function = self.facts.function_number(transaction, slot)?;
            let before = self.facts.counted.timed.entry(slot).or_default();
            let latency = timed.latency.since(&before.latency);
            let total_ns = timed.total_ns.saturating_sub(before.total_ns);
            if latency.count() > 0 || total_ns > 0 {
                minutes.at(function, at_ns).without_row(&latency, total_ns);
                transaction.put_tally(self.facts.row.id, slot, &timed.encode())?;
            }
            *before = timed;
        }
        Ok(())
    }

    /// Writes the lost errors that the database does not have.
    pub(super) fn put_lost(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Some(count) = self.run.lost_error_count() else { return Ok(()) };
        if self.ending.is_none() && count == self.facts.counted.lost_seen {
            return Ok(());
        }
        self.facts.counted.lost_seen = count;
        for lost in self.run.lost_errors().unwrap_or_default() {
            if self.facts.counted.lost.get(&lost.number) != Some(&lost.calls) && self.knows(lost.slot) {
                self.facts.put_lost(transaction, &lost)?;
            }
        }
        Ok(())
    }

    /// Makes sure that the slot's function is known as well as it ever will be, for it is defined before anything of it is
    /// counted; false for a slot that nobody has defined.
    fn knows(&mut self, slot: u32) -> bool {
        if slot >= self.run.slots_in_use() {
            return false;
        }
        if slot as usize >= self.facts.functions.len() {
            // An unreadable file shows as definitions that stay unknown.
            let _ = self.run.refresh_functions();
            self.facts.learn_functions(self.run.functions(), Some(slot));
        }
        true
    }
}

/// A tally as it was read.
pub(super) struct Read {
    slot: u32,
    calls: u64,
    timed: Timed,
}

impl Facts {
    fn put_lost(&mut self, transaction: &Transaction<'_>, lost: &LostError) -> Result<(), StoreError> {
        let function = self.function_number(transaction, lost.slot)?;
        let row = LostErrorRow {
            number: lost.number,
            function,
            error_type: &lost.error_type,
            file: &lost.file,
            line: lost.line,
            place: &lost.place,
            calls: lost.calls,
            first_ns: lost.first_unix_ns,
            last_ns: lost.last_unix_ns,
        };
        transaction.put_lost_error(self.row.id, &row)?;
        self.counted.lost.insert(lost.number, lost.calls);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_minutes_comes_back_as_noted() {
        let mut latency = Latency::new();
        [3, 700, 700, 1 << 40].into_iter().for_each(|ns| latency.record(ns));
        let timed = Timed { total_ns: 1403 + (1 << 40), latency };
        assert_eq!(Timed::decode(&timed.encode()), Some(timed));
        assert_eq!(Timed::decode(b"short"), None);
        assert_eq!(Timed::decode(b"eight by\xffhistogram"), None);
    }

    #[test]
    fn a_note_that_cannot_be_read_lets_nothing_be_added_twice() {
        let mut latency = Latency::new();
        latency.record(700);
        assert_eq!(latency.since(&Timed::unreadable().latency).count(), 0);
    }
}
