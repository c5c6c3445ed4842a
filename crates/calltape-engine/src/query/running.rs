//! Calls that have not ended. Which of their processes are alive, [`Tape::journals`] says.

use calltape_record::Status;

use super::{Call, CallFilter, Order, QueryError, Tape};

impl Tape {
    /// The first `limit` calls of `filter` that are running, the oldest first. A call appears when it has run for a
    /// second; one whose process died stands so until its journal is drained.
    ///
    /// # Errors
    /// When the tape cannot be read, or not within the time limit.
    pub fn running(&self, filter: &CallFilter, limit: usize) -> Result<Vec<Call>, QueryError> {
        let asks_for_others = !filter.statuses.is_empty() && !filter.statuses.contains(&Status::Running);
        if limit == 0 || asks_for_others {
            return Ok(Vec::new());
        }
        let filter = CallFilter { statuses: vec![Status::Running], ..filter.clone() };
        let (mut calls, mut after) = (Vec::new(), None);
        loop {
            let page = self.calls(&filter, Order::OldestFirst, after.as_ref(), limit - calls.len())?;
            calls.extend(page.calls);
            after = page.next;
            if after.is_none() || calls.len() >= limit {
                return Ok(calls);
            }
        }
    }
}
