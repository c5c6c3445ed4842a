//! The calls a flow may come from: those that run, and the last that ended. A parent that is older has no flow.

use std::collections::{HashMap, VecDeque};

use super::places::Place;

/// Calls remembered: the last second of a busy program, in some 8 MiB.
const REMEMBERED: usize = 64 * 1024;

/// Calls that still run are passed over so often before one is forgotten all the same.
const PASSED_OVER: usize = 16;

/// The places of the last calls.
#[derive(Debug, Default)]
pub(super) struct Recent {
    places: HashMap<u64, Place>,
    order: VecDeque<u64>,
}

impl Recent {
    /// Where the call `id` stands, if it is remembered.
    pub(super) fn get(&self, id: u64) -> Option<Place> {
        self.places.get(&id).copied()
    }

    /// Remembers a call; the oldest that has ended is forgotten for it.
    pub(super) fn insert(&mut self, id: u64, place: Place) {
        if self.order.len() >= REMEMBERED {
            self.forget(place.start_ns);
        }
        if self.places.insert(id, place).is_none() {
            self.order.push_back(id);
        }
    }

    fn forget(&mut self, now_ns: i64) {
        for passed in 0.. {
            let Some(id) = self.order.pop_front() else { return };
            let runs = self.places.get(&id).is_some_and(|place| place.end_ns > now_ns);
            if !runs || passed >= PASSED_OVER {
                self.places.remove(&id);
                return;
            }
            self.order.push_back(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::places::Line;

    fn place(start_ns: i64, end_ns: i64) -> Place {
        Place { pid: 1, line: Line::Thread(1), start_ns, end_ns, who: (0, 0) }
    }

    #[test]
    fn what_runs_is_remembered_longer_than_what_ended() {
        let mut recent = Recent::default();
        recent.insert(0, place(0, i64::MAX));
        for id in 1..=2 * REMEMBERED as u64 {
            let start = i64::try_from(id).unwrap();
            recent.insert(id, place(start, start + 1));
        }
        assert!(recent.get(0).is_some() && recent.get(1).is_none());
        assert!(recent.get(2 * REMEMBERED as u64).is_some());
        assert_eq!((recent.places.len(), recent.order.len()), (REMEMBERED, REMEMBERED));
    }

    #[test]
    fn however_many_run_the_number_is_bounded() {
        let mut recent = Recent::default();
        for id in 0..2 * REMEMBERED as u64 {
            recent.insert(id, place(0, i64::MAX));
        }
        assert_eq!((recent.places.len(), recent.order.len()), (REMEMBERED, REMEMBERED));
    }
}
