//! A transaction of the drain. Dropped without [`Transaction::commit`] it rolls back, on errors and panics alike.

use rusqlite::TransactionBehavior;

use super::{SCHEMA_VERSION, Store, StoreError, check_format};

/// One batch's transaction.
#[derive(Debug)]
pub(crate) struct Transaction<'store> {
    store: &'store Store,
    inner: rusqlite::Transaction<'store>,
}

impl Store {
    /// Begins a transaction that no later statement can find locked.
    pub(crate) fn begin(&self) -> Result<Transaction<'_>, StoreError> {
        let inner = rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
            .map_err(StoreError::sqlite("to begin a batch"))?;
        // Nobody else writes a tape, but somebody may put another in its place, or a newer calltape change it.
        let doing = StoreError::sqlite("to read its version");
        let mut statement = self.connection.prepare_cached("PRAGMA user_version").map_err(&doing)?;
        let found = statement.query_row([], |row| row.get::<_, i64>(0)).map_err(&doing)?;
        if found == SCHEMA_VERSION { Ok(Transaction { store: self, inner }) } else { Err(self.wrong_version()) }
    }

    fn wrong_version(&self) -> StoreError {
        match check_format(&self.connection, &self.path) {
            Err(error) => self.judged(error),
            Ok(_) => StoreError::Replaced(self.path.clone()),
        }
    }
}

impl Transaction<'_> {
    /// The connection, for the statements of this folder.
    pub(super) fn connection(&self) -> &rusqlite::Connection {
        &self.inner
    }

    /// Makes everything written durable.
    ///
    /// # Errors
    /// When SQLite refuses; and when the file that has it all is by then no longer the one at the path, or was damaged.
    pub(crate) fn commit(self) -> Result<(), StoreError> {
        let Self { store, inner } = self;
        inner.commit().map_err(StoreError::sqlite("to commit a batch"))?;
        match store.note_files() {
            Err(error @ (StoreError::Replaced(_) | StoreError::Damaged { .. })) => Err(error),
            // What else cannot be noted shows at the next batch; this one is committed.
            _ => Ok(()),
        }
    }
}
