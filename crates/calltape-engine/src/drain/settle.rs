//! The end of a run: its running calls become interrupted, its books are closed, its journal goes.
//! Everything but the removal stands in the transaction of the run's last batch; doing it twice changes nothing.

use crate::store::{StoreError, Transaction};

/// How a run ends that said so itself.
pub(super) const EXIT: &str = "exit";
/// How a run ends whose process went without a word.
pub(super) const DIED: &str = "died";
/// How a run ends whose journal is gone before it was all read.
pub(super) const LOST: &str = "lost";

/// Settles a run of which no more will come. `ended_ns` is its end where that is known better than by its last event.
pub(super) fn settle(
    transaction: &Transaction<'_>,
    run: u64,
    ended_ns: Option<i64>,
    ending: &str,
) -> Result<(), StoreError> {
    for (function, calls) in transaction.interrupt_calls(run)? {
        transaction.add_stored(run, function, calls)?;
    }
    transaction.balance_books(run)?;
    transaction.drop_early_ends(run)?;
    transaction.drop_early_notes(run)?;
    transaction.end_run(run, ended_ns, ending)?;
    transaction.end_incidents(run)
}
