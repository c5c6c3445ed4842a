//! One line of a trace: calls that follow one another or stand within one another, and never overlap otherwise, for no
//! viewer can draw that. Knows times and ids, and nothing of how an event is written.

/// By how much a child may end after its parent by the rounding of clocks, ns; it is cut to its parent then.
const ROUNDING_NS: i64 = 1_000;

/// A call that has begun on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open<T> {
    /// Its id.
    pub(super) id: u64,
    /// When it ends, Unix ns; `i64::MAX` when it has not.
    pub(super) end_ns: i64,
    /// What its end needs.
    pub(super) what: T,
}

/// A line, as calls are put on it in the order of their starts.
#[derive(Debug, Clone)]
pub(super) struct Lane<T> {
    open: Vec<Open<T>>,
    youngest_ns: i64,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { open: Vec::new(), youngest_ns: i64::MIN }
    }
}

impl<T> Lane<T> {
    /// Takes off what has ended at `ns`, the innermost first.
    pub(super) fn close_until(&mut self, ns: i64, mut ended: impl FnMut(&Open<T>)) {
        while let Some(top) = self.open.pop_if(|top| top.end_ns <= ns) {
            ended(&top);
        }
    }

    /// The innermost call that is open.
    pub(super) fn top(&self) -> Option<&Open<T>> {
        self.open.last()
    }

    /// Whether nothing is open.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// The end that a call may have here, if it may stand here at all: its own, or its parent's where clocks were rounded.
    /// What has ended at its start must have been taken off.
    pub(super) fn room(&self, start_ns: i64, end_ns: i64, parent: Option<u64>) -> Option<i64> {
        if start_ns < self.youngest_ns {
            return None;
        }
        match self.open.last() {
            None => Some(end_ns),
            Some(top) if end_ns <= top.end_ns => Some(end_ns),
            Some(top) if Some(top.id) == parent && end_ns - top.end_ns <= ROUNDING_NS => Some(top.end_ns),
            Some(_) => None,
        }
    }

    /// Puts a call on the line, for which there must be [`Lane::room`].
    pub(super) fn push(&mut self, start_ns: i64, call: Open<T>) {
        self.youngest_ns = start_ns;
        self.open.push(call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a call on the lane if there is room, as `(start, end)`, and says which ended before.
    fn put(lane: &mut Lane<()>, id: u64, start: i64, end: i64, parent: Option<u64>) -> Option<(i64, Vec<u64>)> {
        let mut ended = Vec::new();
        lane.close_until(start, |open| ended.push(open.id));
        let end_ns = lane.room(start, end, parent)?;
        lane.push(start, Open { id, end_ns, what: () });
        Some((end_ns, ended))
    }

    #[test]
    fn calls_stand_within_or_after_one_another() {
        let mut lane = Lane::default();
        assert_eq!(put(&mut lane, 1, 0, 100_000, None), Some((100_000, vec![])));
        assert_eq!(put(&mut lane, 2, 10, 50, Some(1)), Some((50, vec![])));
        assert_eq!(put(&mut lane, 3, 20, 50, Some(2)), Some((50, vec![])));
        assert_eq!(put(&mut lane, 4, 50, 60, Some(1)), Some((60, vec![3, 2])));
        assert_eq!(put(&mut lane, 5, 100_000, i64::MAX, None), Some((i64::MAX, vec![4, 1])));
        assert_eq!(put(&mut lane, 6, 100_001, i64::MAX, Some(5)), Some((i64::MAX, vec![])));
    }

    #[test]
    fn what_would_overlap_has_no_room() {
        let mut lane = Lane::default();
        put(&mut lane, 1, 1_000, 100_000, None);
        assert_eq!(put(&mut lane, 2, 50_000, 200_000, None), None, "ends after what it began in");
        assert_eq!(put(&mut lane, 3, 50_000, i64::MAX, Some(1)), None);
        assert_eq!(put(&mut lane, 4, 900, 950, None), None, "began before the last");
    }

    #[test]
    fn a_child_is_cut_to_its_parent_by_a_rounding_and_no_more() {
        let mut lane = Lane::default();
        put(&mut lane, 1, 0, 100_000, None);
        assert_eq!(put(&mut lane, 2, 10, 100_001, Some(1)), Some((100_000, vec![])));
        assert_eq!(put(&mut lane, 3, 20, 100_001, Some(9)), None, "not its parent");
        assert_eq!(put(&mut lane, 4, 20, 101_001, Some(2)), None, "too much");
    }
}
