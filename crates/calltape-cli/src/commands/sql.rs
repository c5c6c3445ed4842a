//! `calltape sql`: a person's own question, read-only and limited. The engine runs it; here its answer is arranged.

use calltape_engine::query::{SqlAnswer, SqlValue, Tape};

use crate::arguments::Sql;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::counted;
use crate::text::fit;
use crate::text::plain::plain;
use crate::text::table::{self, Stand};

/// Characters of a value a terminal shows; `--json` and a pipe have it whole.
const VALUE_WIDTH: usize = 400;

pub(crate) fn run(sql: &Sql, tape: &Tape, json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let answer = tape.sql(&sql.statement, sql.limit)?;
    if answer.rows.is_empty() {
        output.remark("no rows")?;
        return Ok(Found::Nothing);
    }
    if json {
        let names = names(&answer.columns);
        for row in &answer.rows {
            output.line(&object(&names, row).finish())?;
        }
    } else {
        write_table(&answer, output)?;
    }
    if answer.cut {
        let shown = counted(answer.rows.len() as u64, "row is", "rows are");
        output.remark(&format!("only the first {shown} shown; --limit shows more"))?;
    }
    Ok(Found::Something)
}

/// The narrowest a column of text is broken to. Where a table would need narrower ones, each row is a list instead.
const NARROWEST: usize = 12;

/// The columns' names, each once: what comes again gets a number.
fn names(columns: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        let again = (2..).map(|number| format!("{column}_{number}"));
        let name = std::iter::once(column.clone()).chain(again).find(|name| !names.contains(name));
        names.push(name.unwrap_or_default());
    }
    names
}

fn object(names: &[String], row: &[SqlValue]) -> Object {
    names.iter().zip(row).fold(Object::new(), |object, (name, value)| match value {
        SqlValue::Null => object.text(name, None),
        SqlValue::Integer(number) => object.number(name, i128::from(*number)),
        SqlValue::Real(number) => object.fraction(name, *number),
        SqlValue::Text(text) => object.text(name, text.as_str()),
        SqlValue::Blob(bytes) => object.text(name, hexadecimal(bytes).as_str()),
    })
}

fn write_table(answer: &SqlAnswer, output: &mut Output<'_>) -> Result<(), Failure> {
    let names: Vec<String> = answer.columns.iter().map(|name| plain(name).into_owned()).collect();
    let is_figures = |column: usize| {
        let mut values = answer.rows.iter().map(|row| &row[column]).filter(|value| **value != SqlValue::Null);
        values.all(|value| matches!(value, SqlValue::Integer(_) | SqlValue::Real(_)))
    };
    let stand = |column| if is_figures(column) { Stand::Right } else { Stand::Left };
    let headings: Vec<(&str, Stand)> =
        names.iter().enumerate().map(|(column, name)| (name.as_str(), stand(column))).collect();
    let rows: Vec<Vec<(Tone, String)>> =
        answer.rows.iter().map(|row| row.iter().map(|value| shown(value, output)).collect()).collect();
    if least_width(&headings, &rows) > output.width {
        return write_lists(&names, &rows, output);
    }
    let mut table = table::table(output, &headings);
    for row in rows {
        table.add_row(row.into_iter().map(|(tone, text)| output.palette.cell(tone, text)));
    }
    Ok(table::write(output, &table)?)
}

/// Terminal columns a table takes at least.
fn least_width(headings: &[(&str, Stand)], rows: &[Vec<(Tone, String)>]) -> usize {
    let widths = headings.iter().enumerate().map(|(column, (name, stand))| {
        let values = rows.iter().map(|row| fit::width(&row[column].1));
        let natural = values.fold(fit::width(name), usize::max);
        if *stand == Stand::Right { natural } else { natural.min(NARROWEST) }
    });
    widths.sum::<usize>() + table::GAP * headings.len().saturating_sub(1)
}

/// Each row as lines of a column's name and its value.
fn write_lists(names: &[String], rows: &[Vec<(Tone, String)>], output: &mut Output<'_>) -> Result<(), Failure> {
    let longest = names.iter().map(|name| fit::width(name)).max().unwrap_or_default();
    let name_width = longest.min(output.width / 2);
    for (place, row) in rows.iter().enumerate() {
        if place > 0 {
            output.line("")?;
        }
        for (name, (tone, text)) in names.iter().zip(row) {
            let name = fit::keep_start(name, name_width);
            let mut begin = format!("{name}{}", " ".repeat(name_width - fit::width(&name) + table::GAP));
            for line in output.fold(text, output.width.saturating_sub(name_width + table::GAP)) {
                let line =
                    format!("{}{}", output.palette.paint(Tone::Faint, &begin), output.palette.paint(*tone, &line));
                output.line(line.trim_end())?;
                begin = " ".repeat(name_width + table::GAP);
            }
        }
    }
    Ok(())
}

fn shown(value: &SqlValue, output: &Output<'_>) -> (Tone, String) {
    let cut = |text: &str| if output.fit { fit::keep_start(text, VALUE_WIDTH) } else { text.to_owned() };
    match value {
        SqlValue::Null => (Tone::Faint, "null".to_owned()),
        SqlValue::Integer(number) => (Tone::Plain, number.to_string()),
        SqlValue::Real(number) => (Tone::Plain, number.to_string()),
        SqlValue::Text(text) => (Tone::Plain, cut(&plain(text))),
        SqlValue::Blob(bytes) => (Tone::Faint, cut(&hexadecimal(bytes))),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
