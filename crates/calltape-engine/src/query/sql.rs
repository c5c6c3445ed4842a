//! One SQL statement of a person's own, read-only: `calltape sql` and Python's `Tape.sql`. It runs on the tape's read-only
//! connection, in a read transaction and under the time limit like every question; besides, SQLite asks [`Guard`] for
//! each thing a statement would do, and that allows reading alone.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::{QueryError, Tape};

/// Bytes of values an answer holds at most: what a person looks at, and far below what a process has.
const ANSWER_BYTES: usize = 64 << 20;

/// Bytes of one value, or of one row, that SQLite makes at most on its way to an answer. A tape's own are far shorter.
pub(super) const VALUE_BYTES: i32 = 64 << 20;

/// Pragmas that only tell something.
const PRAGMAS: [&str; 16] = [
    "application_id",
    "collation_list",
    "compile_options",
    "database_list",
    "encoding",
    "foreign_key_list",
    "freelist_count",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "page_count",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];

/// Pragmas among them whose argument names what is to be told of.
const PRAGMAS_OF: [&str; 7] =
    ["foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info", "table_list", "table_xinfo"];

/// What is said of a statement that would do more.
const ONLY_READING: &str = "only reading is allowed: SELECT, and the pragmas that tell of tables and views";

/// What a statement answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SqlAnswer {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each with a value a column.
    pub rows: Vec<Vec<SqlValue>>,
    /// Whether there were more rows than asked for, or more than an answer holds.
    pub cut: bool,
}

/// A value as SQLite has it.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text; what was no UTF-8 in it reads as replacement characters.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// Why a statement was refused: what SQLite said, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementError {
    /// The statement.
    pub text: String,
    /// The byte of it where what is wrong begins, on the border of a character; `None` where it is wrong as a whole.
    pub at: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for StatementError {
    /// What is wrong; where the place is known, also the line it is on, with a caret below.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let Some((before, after)) = self.at.and_then(|at| self.text.split_at_checked(at)) else { return Ok(()) };
        let (start, end) = (before.rfind('\n').map_or(0, |at| at + 1), after.find('\n').unwrap_or(after.len()));
        let printable = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
        let before = printable(&before[start..]);
        write!(f, "\n  {before}{}\n  {}^", printable(&after[..end]), " ".repeat(before.chars().count()))
    }
}

impl Tape {
    /// Runs the one statement in `text`, which may only read, for at most `limit` rows and 64 MiB. The views of the tape's
    /// format are the public ones.
    ///
    /// # Errors
    /// When it is no statement or not one alone, when it would do more than read, when the tape cannot be read, or not
    /// within the time limit.
    pub fn sql(&self, text: &str, limit: usize) -> Result<SqlAnswer, QueryError> {
        let answer = self.read(|connection| {
            // Within the question's own transaction, which is begun and ended without being asked for.
            let _strict = self.guard.strict();
            run(connection, text, limit)
        });
        answer.map_err(|error| refused(error, text))
    }
}

fn run(connection: &Connection, text: &str, limit: usize) -> rusqlite::Result<SqlAnswer> {
    let mut statement = connection.prepare(text)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let count = columns.len();
    let mut answer = SqlAnswer { columns, ..SqlAnswer::default() };
    let mut room = ANSWER_BYTES;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let values = (answer.rows.len() < limit).then(|| read(row, count, &mut room)).transpose()?.flatten();
        let Some(values) = values else {
            answer.cut = true;
            break;
        };
        answer.rows.push(values);
    }
    Ok(answer)
}

/// The values of a row; `None` where there is no room for them.
fn read(row: &Row<'_>, columns: usize, room: &mut usize) -> rusqlite::Result<Option<Vec<SqlValue>>> {
    let mut values = Vec::with_capacity(columns);
    for column in 0..columns {
        let value = row.get_ref(column)?;
        let bytes = std::mem::size_of::<SqlValue>()
            + match value {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
                _ => 0,
            };
        let Some(left) = room.checked_sub(bytes) else { return Ok(None) };
        *room = left;
        values.push(match value {
            ValueRef::Null => SqlValue::Null,
            ValueRef::Integer(number) => SqlValue::Integer(number),
            ValueRef::Real(number) => SqlValue::Real(number),
            ValueRef::Text(bytes) => SqlValue::Text(String::from_utf8_lossy(bytes).into_owned()),
            ValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
        });
    }
    Ok(Some(values))
}

/// Tells what is wrong with the statement from what is wrong with the tape.
fn refused(error: QueryError, text: &str) -> QueryError {
    let statement = |at: Option<usize>, message: String| {
        let at = at.filter(|at| text.is_char_boundary(*at));
        QueryError::Statement(StatementError { text: text.to_owned(), at, message })
    };
    let QueryError::Sqlite(inner) = error else { return error };
    match inner {
        rusqlite::Error::SqlInputError { msg, offset, .. } => statement(usize::try_from(offset).ok(), msg),
        rusqlite::Error::MultipleStatement => statement(None, "give one statement at a time".to_owned()),
        // A view or the schema cannot be written, which SQLite finds before it asks.
        rusqlite::Error::SqliteFailure(_, Some(message))
            if message.starts_with("cannot modify ") || message.ends_with("may not be modified") =>
        {
            statement(None, ONLY_READING.to_owned())
        }
        rusqlite::Error::SqliteFailure(code, message) => match code.code {
            rusqlite::ErrorCode::AuthorizationForStatementDenied => statement(None, ONLY_READING.to_owned()),
            rusqlite::ErrorCode::ApiMisuse => statement(None, "there is no statement".to_owned()),
            rusqlite::ErrorCode::TooBig => statement(
                None,
                format!(
                    "a value or a row of it is longer than {} MiB: ask for less, as with substr()",
                    VALUE_BYTES >> 20
                ),
            ),
            // No other statement would do better.
            rusqlite::ErrorCode::SystemIoFailure
            | rusqlite::ErrorCode::DiskFull
            | rusqlite::ErrorCode::OutOfMemory
            | rusqlite::ErrorCode::CannotOpen
            | rusqlite::ErrorCode::PermissionDenied => {
                QueryError::Sqlite(rusqlite::Error::SqliteFailure(code, message))
            }
            _ => statement(None, message.unwrap_or_else(|| code.to_string())),
        },
        rusqlite::Error::NulError(_) => statement(None, "a statement holds no NUL".to_owned()),
        rusqlite::Error::InvalidParameterCount(..) => statement(None, "a statement here has no parameters".to_owned()),
        other => QueryError::Sqlite(other),
    }
}

/// What decides while a statement is prepared. Shared with SQLite's callback, which has to be `Send`; the two sides are one
/// thread, so the ordering is relaxed.
#[derive(Debug, Default)]
pub(super) struct Guard(Arc<AtomicBool>);

impl Guard {
    /// Has `connection` ask from now on.
    pub(super) fn stand_at(connection: &mut Connection) -> rusqlite::Result<Self> {
        let strict = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&strict);
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            if !asked.load(Ordering::Relaxed) || is_reading(&context.action) {
                Authorization::Allow
            } else {
                Authorization::Deny
            }
        }))?;
        Ok(Self(strict))
    }

    /// Allows reading alone until the answer is dropped.
    fn strict(&self) -> Strict<'_> {
        self.0.store(true, Ordering::Relaxed);
        Strict(&self.0)
    }
}

struct Strict<'g>(&'g AtomicBool);

impl Drop for Strict<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

fn is_reading(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => !function_name.eq_ignore_ascii_case("load_extension"),
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let is_in = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(pragma_name));
            is_in(if pragma_value.is_some() { &PRAGMAS_OF } else { &PRAGMAS })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
