//! A batch that was read becomes one transaction, and what that holds is let go of in the journals.
//! Called by `pass.rs`, in this order.

use calltape_journal::unix_ns;

use super::outcome::{DrainError, Point};
use super::pace::Pace;
use super::pass::{Drain, Observer};
use super::run::Followed;
use super::settle::settle;
use super::write::Writing;

impl Drain {
    /// Writes the batch, the books and the ends of runs in one transaction.
    pub(super) fn write(&mut self, pace: &mut Pace) -> Result<u64, DrainError> {
        let Some(store) = &self.store else { return Ok(0) };
        let transaction = store.begin()?;
        let now_ns = unix_ns();
        let mut writing = Writing {
            transaction: &transaction,
            runs: &mut self.runs,
            minutes: &mut self.minutes,
            kinds: &mut self.kinds,
            pace,
        };
        let calls = writing.batch(&mut self.batch)?;
        for place in 0..writing.runs.len() {
            writing.books(place, now_ns)?;
        }
        for followed in &mut self.runs {
            followed.put_spells(&transaction)?;
            let unreadable = followed.facts.damaged - followed.facts.damaged_said;
            if unreadable > 0 {
                transaction.add_unreadable(followed.run.id(), unreadable, now_ns)?;
            }
        }
        self.incidents.write(&transaction, now_ns)?;
        self.minutes.write(&transaction)?;
        for followed in self.runs.iter().filter(|followed| followed.exhausted) {
            if let Some(ending) = followed.ending {
                settle(&transaction, followed.run.id(), followed.own.then_some(now_ns), ending)?;
            }
        }
        for run in &self.removed {
            transaction.drop_cursors(*run)?;
        }
        if self.batch.lead_ns > 0 || self.batch.lag_ns > 0 {
            let (lead_ns, lag_ns) = transaction.id_distance()?;
            if self.batch.lead_ns > lead_ns || self.batch.lag_ns > lag_ns {
                transaction.put_id_distance(self.batch.lead_ns, self.batch.lag_ns)?;
            }
        }
        reached(&mut self.observer, Point::BeforeCommit)?;
        transaction.commit()?;
        self.removed.clear();
        self.incidents.committed();
        self.was_found_sound = false;
        self.runs.iter_mut().for_each(Followed::committed);
        for run in self.carried_now.drain(..) {
            self.carried.remove(&run);
        }
        reached(&mut self.observer, Point::AfterCommit)?;
        Ok(calls)
    }

    /// Tells the journals what is committed, empties segments that are, and removes runs that are settled.
    pub(super) fn release(&mut self) -> Result<(), DrainError> {
        for moved in &self.batch.moved {
            self.runs[moved.run as usize].run.mark_drained(moved.segment, moved.epoch, moved.offset);
        }
        reached(&mut self.observer, Point::AfterMark)?;
        for &(place, number, epoch) in &self.batch.finished {
            let followed = &self.runs[place as usize];
            if followed.ending.is_none() {
                followed.run.recycle(number, epoch);
            }
        }
        self.batch.clear();
        let settled = |followed: &Followed| followed.exhausted && followed.ending.is_some();
        if self.runs.iter().any(settled) {
            reached(&mut self.observer, Point::BeforeRemove)?;
        }
        while let Some(place) = self.runs.iter().position(settled) {
            let followed = self.runs.remove(place);
            let (id, own) = (followed.run.id(), followed.own);
            self.settled.push((id, followed.facts.damaged));
            match followed.run.remove() {
                Ok(()) => self.removed.push(id),
                Err(fault) => self.warnings.push(format!("the journal of a run that ended stays: {fault}")),
            }
            self.own_ended |= own;
            reached(&mut self.observer, Point::AfterRemove)?;
        }
        Ok(())
    }
}

pub(super) fn reached(observer: &mut Option<Observer>, point: Point) -> Result<(), DrainError> {
    let goes_on = observer.as_mut().is_none_or(|observer| observer(point));
    if goes_on { Ok(()) } else { Err(DrainError::Stopped(point)) }
}
