//! Arrow: calls as record batches. Python's Arrow stream hands them on as they are, and Parquet is written from them, so
//! that both have one schema.

use std::borrow::Borrow;
use std::sync::{Arc, LazyLock};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use calltape_engine::query::{CallFilter, Order, Tape};

use crate::ExportError;
use crate::columns::{COLUMNS, Cell, Kind};
use crate::source::{Row, Source};

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let fields: Vec<Field> =
        COLUMNS.iter().map(|column| Field::new(column.name, data_type(column.kind), column.nullable)).collect();
    Arc::new(Schema::new(fields))
});

/// The columns of the view `calls`: whole numbers as int64, `weight` as float64, `started_at` as a timestamp in ns, UTC;
/// all else is UTF-8 text, `args`, `result` and `traceback` JSON in it.
pub fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Integer => DataType::Int64,
        Kind::Real => DataType::Float64,
        Kind::Text | Kind::Recorded => DataType::Utf8,
        Kind::Moment => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
    }
}

/// The calls of `filter` as record batches with [`schema`], oldest first, of a few thousand calls or some megabytes each.
///
/// A batch is read when it is asked for, in a transaction of its own. The calls are those that `tape` has now.
///
/// # Errors
/// When the tape cannot be read; each item may be an error too, and is the last then.
pub fn batches<T: Borrow<Tape>, F: Borrow<CallFilter>>(tape: T, filter: F) -> Result<Batches<T, F>, ExportError> {
    Ok(Batches { source: Source::new(tape, filter)?, failed: false })
}

/// As [`batches`], in another order and at most `most` calls.
///
/// # Errors
/// As there.
pub fn batches_in_order<T: Borrow<Tape>, F: Borrow<CallFilter>>(
    tape: T,
    filter: F,
    order: Order,
    most: usize,
) -> Result<Batches<T, F>, ExportError> {
    Ok(Batches { source: Source::ordered(tape, filter, order, most)?, failed: false })
}

/// See [`batches`].
pub struct Batches<T, F> {
    source: Source<T, F>,
    failed: bool,
}

impl<T: Borrow<Tape>, F: Borrow<CallFilter>> Iterator for Batches<T, F> {
    type Item = Result<RecordBatch, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            match self.source.next_page() {
                Ok(None) => return None,
                // A page may have looked at many calls and found none.
                Ok(Some(rows)) if rows.is_empty() => {}
                Ok(Some(rows)) => return Some(batch(&rows)),
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error.into()));
                }
            }
        }
        None
    }
}

/// Rows as a batch.
pub(crate) fn batch(rows: &[Row]) -> Result<RecordBatch, ExportError> {
    let columns = COLUMNS.iter().map(|column| array(column.kind, rows, column.read)).collect();
    RecordBatch::try_new(schema(), columns).map_err(|error| ExportError::Encode(error.to_string()))
}

fn array(kind: Kind, rows: &[Row], read: for<'a> fn(&'a Row) -> Cell<'a>) -> ArrayRef {
    let cells = rows.iter().map(read);
    match kind {
        Kind::Integer => Arc::new(cells.map(whole).collect::<Int64Array>()),
        Kind::Moment => Arc::new(cells.map(whole).collect::<TimestampNanosecondArray>().with_timezone("UTC")),
        Kind::Real => Arc::new(cells.map(fraction).collect::<Float64Array>()),
        Kind::Text | Kind::Recorded => Arc::new(cells.map(text).collect::<StringArray>()),
    }
}

fn whole(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Integer(number) | Cell::Moment(number) => Some(number),
        _ => None,
    }
}

fn fraction(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Real(number) => Some(number),
        _ => None,
    }
}

fn text(cell: Cell<'_>) -> Option<&str> {
    match cell {
        Cell::Text(text) | Cell::Recorded(text) => Some(text),
        _ => None,
    }
}
