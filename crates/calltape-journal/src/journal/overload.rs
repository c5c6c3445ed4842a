//! What the owner asks of its journal when calls get no record: how full it is, and where to count them.

use std::sync::PoisonError;
use std::sync::atomic::AtomicU8;

use super::{Journal, Shared};
use crate::error_kinds::{self, Kind};
use crate::pressure::Pressure;
use crate::tallies::Tally;

impl Journal {
    /// The tally of a slot, that of slot 0 for a slot that does not exist: made when first asked for. None when there is
    /// no room for one more (1,023 functions a run; or the disk is full, and then it may be had later).
    #[inline]
    pub fn tally(&self, slot: u32) -> Option<&Tally> {
        let Shared { control, tallies, run_id, .. } = &*self.shared;
        let (slot, counters) = match control.counters(slot) {
            Some(counters) => (slot, counters),
            None => (0, self.counters(0)),
        };
        tallies.of(slot, counters, *run_id)
    }

    /// Counts an error for which the journal has no room, by its kind: function, type and place. The call itself is
    /// counted by its [`Counters`](crate::Counters). Takes a lock for a moment; never fails.
    pub fn count_lost_error(&self, slot: u32, error_type: &str, file: &str, line: u32, place: &str) {
        let _alone = self.shared.losing.lock().unwrap_or_else(PoisonError::into_inner);
        error_kinds::count(&self.shared.control, &Kind { slot, error_type, file, line, place });
    }

    /// How full the journal is, as a level: one relaxed load. It is set when segments are leased and recycled and by
    /// [`Journal::maintain`]; where the disk gives no more, what there is counts as the limit.
    #[inline]
    pub fn pressure(&self) -> Pressure {
        self.shared.pool.pressure()
    }

    /// Where the level stands, a number of [`Pressure`], for the caller's path.
    pub fn pressure_word(&self) -> &AtomicU8 {
        self.shared.pool.pressure_word()
    }

    /// Looks whether the level of pressure is still right, for callers that do not lease because of it: another process
    /// may have drained. Cheap: at most one look at the segments a millisecond.
    pub fn reconsider_pressure(&self) {
        self.shared.pool.reconsider();
    }
}
