//! JSON Lines: an object a call that has all of it.

use calltape_export::Format;
use rusqlite::types::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

use crate::exported::text;
use crate::sample_tape::SampleTape;
use crate::shop::{HARD, shop};

/// The rows of the view `calls`, as JSON text of each column.
fn view(sample: &SampleTape) -> Vec<Vec<(String, String)>> {
    let mut statement = sample.connection.prepare("SELECT * FROM calls ORDER BY id").unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let json = |name: &str, value: Value| match value {
        Value::Null => "null".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => format!("{number:?}"),
        Value::Text(text) if ["args", "result", "traceback"].contains(&name) => text,
        Value::Text(text) => serde_json::Value::from(text).to_string(),
        Value::Blob(_) => unreachable!("no column is a blob"),
    };
    let rows = statement.query_map([], |row| {
        names.iter().enumerate().map(|(at, name)| Ok((name.clone(), json(name, row.get(at)?)))).collect()
    });
    rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn each_line_has_the_columns_and_values_of_the_view() {
    let sample = shop();
    let lines = text(&sample, Format::JsonLines);
    let expected = view(&sample);
    assert_eq!(lines.lines().count(), expected.len());
    for (line, row) in lines.lines().zip(&expected) {
        let members: HashMap<String, &RawValue> = serde_json::from_str(line).unwrap();
        assert_eq!(members.len(), row.len(), "{line}");
        for (name, value) in row {
            assert_eq!(members[name].get(), value, "{name}");
        }
    }
}

#[test]
fn recorded_values_are_objects_and_exact() {
    let lines = text(&shop(), Format::JsonLines);
    assert!(lines.starts_with("{\"id\":"), "{lines}");
    assert!(lines.contains(&format!("\"args\":{HARD},\"result\":-1.5e-7,")), "{lines}");
    assert!(lines.contains(r#""error_message":"=1+1\n\"order\", 18\u0000 not paid"#), "{lines}");
}
