//! Brings a tape of an earlier version to this one's. Called by `open.rs` when the drain opens it, inside a transaction,
//! so that a tape is of one version or the other; readers never upgrade.

use rusqlite::Connection;

use super::StoreError;

/// What each version changes in the one before; the first makes version 2.
const STEPS: [&str; 2] = [include_str!("upgrade_2.sql"), include_str!("upgrade_3.sql")];

/// Changes a tape of the version `found` into one of the latest.
pub(super) fn upgrade(connection: &Connection, found: i64) -> Result<(), StoreError> {
    let doing = StoreError::sqlite("to upgrade an older tape");
    let done = usize::try_from(found - 1).unwrap_or(0);
    // Views name tables, the tape's own and those a user has added: a table that takes another's place must not be
    // looked for in them meanwhile.
    connection.pragma_update(None, "legacy_alter_table", true).map_err(&doing)?;
    let upgraded = STEPS.iter().skip(done).try_for_each(|step| connection.execute_batch(step));
    connection.pragma_update(None, "legacy_alter_table", false).map_err(&doing)?;
    upgraded.map_err(&doing)
}
