//! Creating and opening the database, and checking what is there. Called by the drain each time it begins anew, and by
//! the query for the check. Never alters a file that is not a tape of this version or an earlier one.

use std::cell::Cell;
use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::marker::{self, Look};
use super::upgrade::upgrade;
use super::watch::Watch;
use super::{StoreError, quarantine};

/// `PRAGMA application_id` of a tape: "ctap".
pub const APPLICATION_ID: i32 = i32::from_be_bytes(*b"ctap");

/// `PRAGMA user_version` this calltape writes and the highest it reads.
pub const SCHEMA_VERSION: i64 = 3;

/// The oldest SQLite in which several WAL connections cannot lose rows (its WAL-reset race is fixed there).
pub const MINIMUM_SQLITE: i32 = 3_051_003;

/// The tables and views of a new tape.
pub const SCHEMA: &str = include_str!("schema.sql");

/// How long a statement waits for another program's lock before the batch is put off. Short, because the drain also
/// keeps the journal's free segments ahead of the callers.
pub(crate) const BUSY_WAIT: Duration = Duration::from_millis(20);

/// Database pages in memory, KiB: the drain's working set is the right edge of a few trees.
const CACHE_KIB: i64 = 8 << 10;

/// Bytes a page. Larger ones insert 5 to 15 % faster and take as much room, but when calls only trickle each commit
/// rewrites half a dozen pages, and then a small page is what keeps the disk quiet.
pub(super) const PAGE_BYTES: i64 = 4096;

/// No batch is begun while the WAL is longer than this, and it is cut back to it once it was: 64 MiB.
pub(crate) const WAL_LIMIT_BYTES: i64 = 64 << 20;

/// Statements kept prepared: more than the drain has.
const STATEMENTS: usize = 64;

/// An open database.
#[derive(Debug)]
pub(crate) struct Store {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// How its files looked when this process last wrote to them; `None` until that is known.
    pub(super) watch: Cell<Option<Watch>>,
    pub(super) wal_limit: i64,
    /// The name that remains of a database which is gone were given when this one was made.
    pub(crate) remains: Option<PathBuf>,
    /// It is closed as it is: nothing of it is moved, checkpointed or remembered.
    left: bool,
}

impl Store {
    /// Opens the tape at `path`, or makes one where there is nothing. `meanwhile` is called now and then while a file is
    /// checked: one that is not as it was left, and with `is_suspect` any.
    pub(crate) fn open(
        path: &Path,
        wal_limit: i64,
        is_suspect: bool,
        meanwhile: impl Fn() + Send + 'static,
    ) -> Result<Self, StoreError> {
        if rusqlite::version_number() < MINIMUM_SQLITE {
            return Err(StoreError::OldSqlite(rusqlite::version_number()));
        }
        if path.is_dir() || path.file_name().is_none() {
            return Err(StoreError::NotAFile(path.to_path_buf()));
        }
        prepare_directory(path)?;
        let now = Look::at_if_there(path)?;
        // SQLite would delete the WAL of a file that is gone; it may hold all there is left of it.
        let is_gone = now.is_none();
        let remains = is_gone.then(|| quarantine::clear_remains(path, false, calltape_journal::unix_ns())).flatten();
        create_private(path)?;
        let has_changed = now.is_some_and(|now| marker::has_changed(path, &now));
        if has_changed && now.is_some_and(|now| now.bytes == 0) {
            return Err(StoreError::Damaged { path: path.to_path_buf(), how: "it was emptied".to_owned() });
        }
        crate::forked::tell_files_apart();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(StoreError::sqlite("to open"))?;
        let path = path.to_path_buf();
        let mut store = Self { connection, path, watch: Cell::new(None), wal_limit, remains, left: true };
        store.set_up().map_err(|error| store.judged(error))?;
        if let Some(now) = now.filter(|now| has_changed || (is_suspect && now.bytes > 0)) {
            store.verify(now.bytes, meanwhile)?;
        }
        store.note_files().inspect_err(|_| _ = store.rescue())?;
        store.left = false;
        Ok(store)
    }

    /// Closes it, and leaves its files as they are.
    pub(crate) fn drop_as_it_is(mut self) {
        self.left = true;
    }

    fn set_up(&self) -> Result<(), StoreError> {
        let connection = &self.connection;
        connection.busy_timeout(BUSY_WAIT).map_err(StoreError::sqlite("a time limit"))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        match check_format(connection, &self.path)? {
            None => self.create_schema()?,
            Some(SCHEMA_VERSION) => {}
            Some(_) => self.upgrade_schema()?,
        }
        let settings = format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}; PRAGMA cache_size = -{CACHE_KIB}; PRAGMA temp_store = MEMORY;"
        );
        connection.execute_batch(&settings).map_err(StoreError::sqlite("its settings"))
    }

    fn create_schema(&self) -> Result<(), StoreError> {
        let doing = StoreError::sqlite("to make the tables");
        let before =
            format!("PRAGMA page_size = {PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;");
        self.connection.execute_batch(&before).map_err(&doing)?;
        let transaction = self.exclusive().map_err(&doing)?;
        if check_format(&transaction, &self.path)?.is_some() {
            return Ok(());
        }
        transaction.execute_batch(SCHEMA).map_err(&doing)?;
        transaction.execute("INSERT INTO tape VALUES (1, ?1, 0, 0)", [calltape_journal::unix_ns()]).map_err(&doing)?;
        let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};");
        transaction.execute_batch(&marks).map_err(&doing)?;
        transaction.commit().map_err(&doing)
    }

    fn upgrade_schema(&self) -> Result<(), StoreError> {
        let doing = StoreError::sqlite("to upgrade an older tape");
        // A table that takes another's place leaves references without their rows for a moment; within a transaction
        // this cannot be switched. An error drops the connection, and with it the setting.
        self.connection.pragma_update(None, "foreign_keys", false).map_err(&doing)?;
        let transaction = self.exclusive().map_err(&doing)?;
        if let Some(found) = check_format(&transaction, &self.path)? {
            upgrade(&transaction, found)?;
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(&doing)?;
        }
        transaction.commit().map_err(&doing)?;
        self.connection.pragma_update(None, "foreign_keys", true).map_err(&doing)
    }

    /// A transaction that no other writer is in.
    fn exclusive(&self) -> rusqlite::Result<rusqlite::Transaction<'_>> {
        rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
    }
}

impl Drop for Store {
    /// Moves what the WAL holds into the file, so that the next to open finds it as it is remembered.
    fn drop(&mut self) {
        let in_place = self.watch.get().is_some() && !self.left;
        let moved = in_place && self.rescue();
        let moved = in_place && self.note_files().is_ok() && moved;
        // SQLite's own last checkpoint would change the file behind that.
        let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !moved);
    }
}

/// Checks that `connection` holds a tape this version can use: the tape's version, or `None` when the database is empty.
///
/// # Errors
/// When it is something else: [`StoreError::NotSqlite`], [`StoreError::NotATape`], [`StoreError::NewerSchema`]; or when
/// SQLite cannot read it.
pub fn check_format(connection: &Connection, path: &Path) -> Result<Option<i64>, StoreError> {
    let number = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let refused = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => StoreError::NotSqlite(path.to_path_buf()),
        _ => StoreError::Sqlite { doing: "to read what it is", source },
    };
    let objects = number("SELECT count(*) FROM sqlite_schema").map_err(refused)?;
    let application = number("PRAGMA application_id").map_err(refused)?;
    let version = number("PRAGMA user_version").map_err(refused)?;
    if objects == 0 && application == 0 && version == 0 {
        return Ok(None);
    }
    if application != i64::from(APPLICATION_ID) || version < 1 {
        return Err(StoreError::NotATape(path.to_path_buf()));
    }
    if version > SCHEMA_VERSION {
        return Err(StoreError::NewerSchema { path: path.to_path_buf(), found: version });
    }
    Ok(Some(version))
}

/// Makes the folder the database at `db` stands in, private to the user, where there is none; a new `.calltape` also
/// gets a `.gitignore`, so that no recording is ever committed by accident.
///
/// # Errors
/// When the folder cannot be made.
pub fn prepare_directory(db: &Path) -> Result<(), StoreError> {
    let Some(folder) = db.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) else {
        return Ok(());
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(StoreError::files(folder))?;
    if folder.file_name().is_some_and(|name| name == ".calltape") {
        let ignore = folder.join(".gitignore");
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&ignore);
        match written.and_then(|mut file| file.write_all(b"*\n")) {
            Err(fault) if fault.kind() != ErrorKind::AlreadyExists => return Err(StoreError::files(ignore)(fault)),
            _ => {}
        }
    }
    Ok(())
}

/// Makes the folder of a tape's journals and lease, private to the user, where there is none.
///
/// # Errors
/// When the folder cannot be made.
pub fn prepare_tape(folder: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(StoreError::files(folder))
}

/// Makes an empty file for the user alone where there is none. One that exists is not opened: closing it again would
/// drop the locks that another connection of this process holds on it.
fn create_private(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(fault) if fault.kind() != ErrorKind::AlreadyExists => Err(StoreError::files(path)(fault)),
        _ => Ok(()),
    }
}

/// The path of a file that stands beside the database.
pub(crate) fn beside(db: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(db);
    name.push(ending);
    PathBuf::from(name)
}
