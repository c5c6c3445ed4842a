//! Rows of calls: inserting them, ending those inserted earlier, and what failed calls add.
//! Called by the drain inside its transaction; holds its statements prepared for the length of one batch.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Statement, params};

use super::{StoreError, Transaction};

/// A call to insert. Times are Unix nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallRow<'a> {
    pub(crate) id: u64,
    pub(crate) function: i64,
    pub(crate) thread: i64,
    pub(crate) status: u8,
    pub(crate) started_ns: i64,
    pub(crate) duration_ns: Option<u64>,
    pub(crate) args: Option<&'a str>,
    pub(crate) result: Option<&'a str>,
    /// Parent and root, for a call that another made.
    pub(crate) tree: Option<(u64, u64)>,
    pub(crate) weight: f64,
    /// How its body ran, for a call whose body can be suspended.
    pub(crate) activity: Option<ActivityRow<'a>>,
}

/// How the body of a call ran that can be suspended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActivityRow<'a> {
    pub(crate) active_ns: u64,
    pub(crate) yields: Option<u64>,
    pub(crate) task: Option<&'a str>,
}

/// What the END of a call stored as running adds to its row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndRow<'a> {
    pub(crate) id: u64,
    pub(crate) status: u8,
    /// Exact where it is known; else the difference to `ended_ns` is taken.
    pub(crate) duration_ns: Option<u64>,
    pub(crate) ended_ns: i64,
    pub(crate) result: Option<&'a str>,
    pub(crate) activity: Option<ActivityRow<'a>>,
    /// It stands for itself alone.
    pub(crate) certain: bool,
}

/// What a failed call adds to its row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailureRow<'a> {
    pub(crate) call: u64,
    pub(crate) error: i64,
    pub(crate) message: &'a str,
    pub(crate) traceback: &'a str,
}

/// The statements of one batch.
pub(crate) struct RowWriter<'batch> {
    pub(super) connection: &'batch Connection,
    /// For a call without parent, of weight 1: most calls.
    insert_short: CachedStatement<'batch>,
    insert_full: CachedStatement<'batch>,
    insert_suspended: CachedStatement<'batch>,
    end: CachedStatement<'batch>,
    failure: CachedStatement<'batch>,
}

const INSERT_SHORT: &str =
    "INSERT OR IGNORE INTO call (id, function_id, thread_id, status, started_ns, duration_ns, args, result)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const INSERT_FULL: &str =
    "INSERT OR IGNORE INTO call (id, function_id, thread_id, status, started_ns, duration_ns, args, result,
    parent_id, root_id, weight) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

const INSERT_SUSPENDED: &str =
    "INSERT OR IGNORE INTO call (id, function_id, thread_id, status, started_ns, duration_ns, args, result,
    parent_id, root_id, weight, active_ns, yields, task)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

/// Ends a call stored as running (5).
const END: &str = "UPDATE call SET status = ?2, duration_ns = max(0, coalesce(?3, ?4 - started_ns)), result = ?5,
    active_ns = ?6, yields = ?7, task = ?8, weight = CASE WHEN ?9 THEN NULL ELSE weight END
    WHERE id = ?1 AND status = 5 RETURNING function_id, duration_ns";

const FAILURE: &str = "INSERT OR IGNORE INTO failure (call_id, error_id, message, traceback) VALUES (?1, ?2, ?3, ?4)";

impl<'batch> RowWriter<'batch> {
    /// Prepares the statements of a batch.
    pub(crate) fn new(transaction: &'batch Transaction<'_>) -> Result<Self, StoreError> {
        let connection = transaction.connection();
        let prepare = |sql| connection.prepare_cached(sql).map_err(StoreError::sqlite("to prepare a statement"));
        Ok(Self {
            connection,
            insert_short: prepare(INSERT_SHORT)?,
            insert_full: prepare(INSERT_FULL)?,
            insert_suspended: prepare(INSERT_SUSPENDED)?,
            end: prepare(END)?,
            failure: prepare(FAILURE)?,
        })
    }

    /// Inserts a call; false when a call of this id is there already.
    pub(crate) fn insert(&mut self, row: &CallRow<'_>) -> Result<bool, StoreError> {
        let columns = Columns::of(row);
        let statement: &mut Statement<'_> = match columns {
            Columns::Short => &mut self.insert_short,
            Columns::Full => &mut self.insert_full,
            Columns::Suspended => &mut self.insert_suspended,
        };
        let inserted = insert_with(statement, row, columns).map_err(StoreError::sqlite("to insert a call"))?;
        Ok(inserted == 1)
    }

    /// Ends a call that is stored as running: its function and duration, or `None` when no such call is.
    pub(crate) fn end(&mut self, row: &EndRow<'_>) -> Result<Option<(i64, u64)>, StoreError> {
        let duration = row.duration_ns.map(as_stored);
        let (active_ns, yields, task) = columns_of(row.activity);
        let EndRow { id, status, ended_ns, result, certain, .. } = *row;
        let values = params![id as i64, status, duration, ended_ns, result, active_ns, yields, task, certain];
        self.end
            .query_row(values, |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))
            .optional()
            .map_err(StoreError::sqlite("to end a call"))
    }

    /// Whether a call of this id is stored, however it stands.
    pub(crate) fn knows(&self, id: u64) -> Result<bool, StoreError> {
        let doing = StoreError::sqlite("to look for a call");
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM call WHERE id = ?1").map_err(&doing)?;
        statement.exists([id as i64]).map_err(&doing)
    }

    /// Adds what a failed call adds to its row.
    pub(crate) fn fail(&mut self, row: &FailureRow<'_>) -> Result<(), StoreError> {
        self.failure
            .execute(params![row.call as i64, row.error, row.message, row.traceback])
            .map(drop)
            .map_err(StoreError::sqlite("to store an error"))
    }

    /// Keeps an END whose START has not been seen.
    pub(crate) fn keep_early_end(&self, run: u64, id: u64, payload: &[u8]) -> Result<(), StoreError> {
        let doing = StoreError::sqlite("to keep an early end");
        let mut statement = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO early_end (call_id, run_id, payload) VALUES (?1, ?2, ?3)")
            .map_err(&doing)?;
        statement.execute(params![id as i64, run as i64, payload]).map(drop).map_err(&doing)
    }

    /// Drops an END that has met its START.
    pub(crate) fn drop_early_end(&self, id: u64) -> Result<(), StoreError> {
        let doing = StoreError::sqlite("to drop an early end");
        let mut statement =
            self.connection.prepare_cached("DELETE FROM early_end WHERE call_id = ?1").map_err(&doing)?;
        statement.execute([id as i64]).map(drop).map_err(&doing)
    }
}

/// Which columns a call fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Columns {
    Short,
    Full,
    Suspended,
}

impl Columns {
    fn of(row: &CallRow<'_>) -> Self {
        match row {
            CallRow { activity: Some(_), .. } => Self::Suspended,
            CallRow { tree: None, weight, .. } if *weight == 1.0 => Self::Short,
            _ => Self::Full,
        }
    }
}

/// Binds every parameter of the statement, so that none of the row before is left, and runs it.
fn insert_with(statement: &mut Statement<'_>, row: &CallRow<'_>, columns: Columns) -> rusqlite::Result<usize> {
    statement.raw_bind_parameter(1, row.id as i64)?;
    statement.raw_bind_parameter(2, row.function)?;
    statement.raw_bind_parameter(3, row.thread)?;
    statement.raw_bind_parameter(4, row.status)?;
    statement.raw_bind_parameter(5, row.started_ns)?;
    statement.raw_bind_parameter(6, row.duration_ns.map(as_stored))?;
    statement.raw_bind_parameter(7, row.args)?;
    statement.raw_bind_parameter(8, row.result)?;
    if columns != Columns::Short {
        let parent = row.tree.map(|(parent, _)| parent as i64);
        let root = row.tree.map(|(_, root)| root as i64);
        statement.raw_bind_parameter(9, parent)?;
        statement.raw_bind_parameter(10, root)?;
        statement.raw_bind_parameter(11, Some(row.weight).filter(|weight| *weight != 1.0))?;
    }
    if columns == Columns::Suspended {
        let (active_ns, yields, task) = columns_of(row.activity);
        statement.raw_bind_parameter(12, active_ns)?;
        statement.raw_bind_parameter(13, yields)?;
        statement.raw_bind_parameter(14, task)?;
    }
    statement.raw_execute()
}

/// The values of active_ns, yields and task.
fn columns_of(activity: Option<ActivityRow<'_>>) -> (Option<i64>, Option<i64>, Option<&str>) {
    activity.map_or((None, None, None), |activity| {
        (Some(as_stored(activity.active_ns)), activity.yields.map(as_stored), activity.task)
    })
}

/// SQLite's integers are signed; what does not fit is as large as they get.
fn as_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
