//! `calltape config`: each setting, its value and where that comes from. Needs no tape.

use calltape_engine::settings::{Setting, TABLE};
use calltape_engine::{Settings, settings};

use crate::arguments::Config;
use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::fit;
use crate::text::plain::plain;
use crate::text::table::{self, Stand};

/// Columns a setting's facts are set in: the longest word before them and the gaps.
const MARGIN: usize = 12;

/// A setting as it stands.
struct Row<'a> {
    setting: &'static Setting,
    value: String,
    from: &'a str,
}

pub(crate) fn run(
    config: &Config,
    settings: &Settings,
    db_from_option: bool,
    json: bool,
    output: &mut Output<'_>,
) -> Result<Found, Failure> {
    let rows = rows(settings, db_from_option);
    let wanted = wanted(&rows, &config.settings)?;
    for row in wanted.iter().filter(|_| json) {
        output.line(&object(row).finish())?;
    }
    match (json, config.settings.is_empty()) {
        (true, _) => {}
        (false, true) => write_table(&wanted, output)?,
        (false, false) => write_each(&wanted, output)?,
    }
    for problem in settings.problems() {
        output.remark(&plain(problem))?;
    }
    Ok(if settings.problems().is_empty() { Found::Something } else { Found::Nothing })
}

fn rows(settings: &Settings, db_from_option: bool) -> Vec<Row<'_>> {
    let row = |(setting, source): (&'static Setting, &'_ settings::Source)| (setting, source.value.clone());
    let sources = settings.sources();
    TABLE
        .iter()
        .zip(sources)
        .map(|pair| {
            let ((setting, value), source) = (row(pair), pair.1);
            match setting.name {
                "db" if db_from_option => Row { setting, value: settings.db.display().to_string(), from: "--db" },
                _ => Row { setting, value, from: &source.from },
            }
        })
        .collect()
}

/// The rows of the settings named, in that order; all where none is named.
fn wanted<'a, 'b>(rows: &'b [Row<'a>], names: &[String]) -> Result<Vec<&'b Row<'a>>, Failure> {
    if names.is_empty() {
        return Ok(rows.iter().collect());
    }
    let find = |name: &String| {
        let plain_name = name.to_lowercase().replace('-', "_");
        let short = plain_name.strip_prefix("calltape_").unwrap_or(&plain_name);
        rows.iter()
            .find(|row| row.setting.name == short)
            .ok_or_else(|| Failure::Usage(format!("no setting is called {name}; `calltape config` lists them")))
    };
    names.iter().map(find).collect()
}

fn write_table(rows: &[&Row<'_>], output: &mut Output<'_>) -> Result<(), Failure> {
    let columns = |cell: &dyn Fn(&Row<'_>) -> usize| rows.iter().map(|row| cell(row)).max().unwrap_or(0);
    let name_width = columns(&|row| row.setting.name.len());
    let value_width = columns(&|row| fit::width(&plain(&row.value)));
    let from_width = columns(&|row| fit::width(&plain(row.from))).max("from".len());
    // A path may be long: its end says most, and the setting's own page has it whole.
    let room = output.width.saturating_sub(name_width + 2 * table::GAP);
    let (value_room, from_room) = match value_width + from_width {
        both if both <= room || !output.fit => (value_width, from_width),
        _ => {
            let from_room = from_width.min((room / 2).max(room.saturating_sub(value_width)));
            (room - from_room, from_room)
        }
    };
    let mut table = table::table(output, &[("setting", Stand::Left), ("value", Stand::Left), ("from", Stand::Left)]);
    for row in rows {
        let is_set = row.from != "default";
        let (name_tone, from_tone) = if is_set { (Tone::Strong, Tone::Plain) } else { (Tone::Plain, Tone::Faint) };
        table.add_row([
            output.palette.cell(name_tone, row.setting.name),
            output.palette.cell(name_tone, fit::keep_end(&plain(&row.value), value_room)),
            output.palette.cell(from_tone, fit::keep_end(&plain(row.from), from_room)),
        ]);
    }
    table::write(output, &table)?;
    if output.fit {
        let more = output.paint(Tone::Faint, "`calltape config SETTING` says what one does and how to set it");
        output.line(&more)?;
    }
    Ok(())
}

fn write_each(rows: &[&Row<'_>], output: &mut Output<'_>) -> Result<(), Failure> {
    for (position, row) in rows.iter().enumerate() {
        if position > 0 {
            output.line("")?;
        }
        let Row { setting, value, from } = row;
        let head = output.paint(Tone::Strong, &format!("{} = {}", setting.name, shown(&plain(value))));
        output.line(&head)?;
        let unit =
            if setting.unit.is_empty() { String::new() } else { format!(" (a plain number is {})", setting.unit) };
        let example = if setting.default.is_empty() { "..." } else { setting.default };
        let set = format!(
            "calltape.start({name}={example:?}), {}={example}, or {name} = {example:?} under [tool.calltape]",
            setting.environment_name(),
            name = setting.name,
        );
        write_fact("from", &plain(from), output)?;
        write_fact("what", setting.help, output)?;
        write_fact("default", &format!("{}{unit}", shown(setting.default)), output)?;
        write_fact("to set it", &set, output)?;
    }
    Ok(())
}

/// A value, or that it is empty.
fn shown(value: &str) -> &str {
    if value.is_empty() { "(none)" } else { value }
}

fn write_fact(name: &str, text: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    for (position, line) in output.fold(text, output.width.saturating_sub(MARGIN)).iter().enumerate() {
        let name = output.paint(Tone::Faint, &format!("{:<10}", if position == 0 { name } else { "" }));
        output.line(&format!("  {name}{line}"))?;
    }
    Ok(())
}

fn object(row: &Row<'_>) -> Object {
    Object::new()
        .text("setting", row.setting.name)
        .text("value", row.value.as_str())
        .text("from", row.from)
        .text("default", row.setting.default)
        .text("unit", row.setting.unit)
        .text("environment", row.setting.environment_name().as_str())
        .text("help", row.setting.help)
}
