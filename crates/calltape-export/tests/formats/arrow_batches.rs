//! Record batches: one schema, every call once, values as in the view.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampNanosecondType};
use arrow_array::{Array, RecordBatch};
use calltape_engine::query::{CallFilter, Tape};
use calltape_export::{batches, schema};

use crate::sample_tape::START_NS;
use crate::shop::{HARD, shop};

#[test]
fn the_schema_has_the_columns_of_the_view() {
    let sample = shop();
    let statement = sample.connection.prepare("SELECT * FROM calls").unwrap();
    let names: Vec<String> = schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, statement.column_names().collect::<Vec<_>>());
}

#[test]
fn batches_hold_the_calls_with_what_is_missing_as_null() {
    let sample = shop();
    let tape = Tape::open(&sample.path()).unwrap();
    let filter = CallFilter::default();
    let all: Vec<RecordBatch> = batches(&tape, &filter).unwrap().map(Result::unwrap).collect();
    let [batch] = all.as_slice() else { panic!("{} batches", all.len()) };
    assert_eq!((batch.schema(), batch.num_rows()), (schema(), 7));
    let column = |name: &str| batch.column_by_name(name).unwrap();
    assert_eq!(column("args").as_string::<i32>().value(0), HARD);
    assert_eq!(column("started_at").as_primitive::<TimestampNanosecondType>().value(0), START_NS);
    let durations: Vec<Option<i64>> = column("duration_ns").as_primitive::<Int64Type>().iter().collect();
    assert_eq!(durations[4..], [Some(1_240_000), None, None]);
    assert!(column("args").is_null(5) && column("args").is_valid(6));
    let message = column("error_message").as_string::<i32>();
    assert_eq!((message.value(1), message.is_null(0)), ("=1+1\n\"order\", 18\u{0} not paid\u{2028}", true));
}
