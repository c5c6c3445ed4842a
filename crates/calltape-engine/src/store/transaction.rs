//! A transaction of the drain. Dropped without [`Transaction::commit`] it rolls back, on errors and panics alike.

use rusqlite::TransactionBehavior;

use super::{Store, StoreError};

/// One batch's transaction.
#[derive(Debug)]
pub(crate) struct Transaction<'store> {
    inner: rusqlite::Transaction<'store>,
}

impl Store {
    /// Begins a transaction that no later statement can find locked.
    pub(crate) fn begin(&self) -> Result<Transaction<'_>, StoreError> {
        self.check_in_place()?;
        let inner = rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
            .map_err(StoreError::sqlite("to begin a batch"))?;
        Ok(Transaction { inner })
    }
}

impl Transaction<'_> {
    /// The connection, for the statements of this folder.
    pub(super) fn connection(&self) -> &rusqlite::Connection {
        &self.inner
    }

    /// Makes everything written durable.
    pub(crate) fn commit(self) -> Result<(), StoreError> {
        self.inner.commit().map_err(StoreError::sqlite("to commit a batch"))
    }
}
