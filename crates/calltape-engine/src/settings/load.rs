//! Finding every setting's value: argument, then environment, then `[tool.calltape]`, then default.
//! Called once, when the recorder starts. Reads one file at most and changes nothing.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::table::{ENVIRONMENT_PREFIX, Kind, Setting, TABLE};
use super::text::{self, Value};
use super::{DrainBy, OnFull, Settings, Source};

/// What settings are found in besides the arguments. Tests make their own; a program takes the process's.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Where relative paths stand, and where the search for `pyproject.toml` begins.
    pub directory: PathBuf,
    /// The environment; names that do not begin with `CALLTAPE_` are ignored.
    pub environment: HashMap<String, String>,
}

impl Surroundings {
    /// The process's working directory and environment. A working directory that is gone reads as `.`.
    pub fn of_process() -> Self {
        let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        let named = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            let name = name.into_string().ok().filter(|name| name.starts_with(ENVIRONMENT_PREFIX))?;
            Some((name, value.to_string_lossy().into_owned()))
        };
        Self { directory, environment: std::env::vars_os().filter_map(named).collect() }
    }
}

/// An argument that cannot be used: which, and what would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadArgument {
    /// The argument's name as given.
    pub name: String,
    /// What is wrong and what would do.
    pub message: String,
}

impl fmt::Display for BadArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BadArgument {}

/// The file's table: its path and the values under `[tool.calltape]` as text.
struct File {
    path: PathBuf,
    values: HashMap<String, String>,
}

impl Settings {
    /// Finds every setting's value. `arguments` are name and text as given by the caller.
    ///
    /// # Errors
    /// When an argument has an unknown name or a value that cannot be used.
    pub fn load(arguments: &[(String, String)], surroundings: &Surroundings) -> Result<Self, BadArgument> {
        let mut problems = Vec::new();
        for (name, _) in arguments {
            if !TABLE.iter().any(|setting| setting.name == name) {
                return Err(BadArgument { name: name.clone(), message: unknown(name, "argument") });
            }
        }
        let file = read_file(&surroundings.directory, &mut problems);
        report_unknown_environment(surroundings, &mut problems);
        let mut settings = Self::empty();
        for setting in TABLE {
            let (value, text, from) = find(setting, arguments, surroundings, file.as_ref(), &mut problems)?;
            let base = match &file {
                Some(file) if from == file.path.display().to_string() => file.path.parent(),
                _ => None,
            };
            settings.put(setting.name, value, base.unwrap_or(&surroundings.directory));
            settings.sources.push(Source { setting: setting.name, value: text, from });
        }
        let shown = settings.shown();
        for (source, (_, value)) in settings.sources.iter_mut().zip(shown) {
            source.value = value;
        }
        problems.extend(settings.short_errors());
        settings.problems = problems;
        Ok(settings)
    }

    /// A line where failed calls were to be kept shorter than the others; what nobody set is no slip.
    fn short_errors(&self) -> Option<String> {
        let source = self.sources.iter().find(|source| source.setting == "retention_errors")?;
        let is_short = !self.retention_errors.is_zero() && self.retention_errors < self.retention_age;
        (is_short && source.from != "default").then(|| {
            let age = text::show_time(self.retention_age);
            format!(
                "retention_errors = {:?} from {} is less than retention_age = {age}: failed calls are kept {age} too",
                source.value, source.from
            )
        })
    }

    /// The defaults, with the database at `db`: for tools and tests.
    pub fn for_db(db: &Path) -> Self {
        let surroundings = Surroundings { directory: PathBuf::from("/"), ..Surroundings::default() };
        let mut settings = Self::load(&[], &surroundings).unwrap_or_else(|_| Self::empty());
        settings.db = db.to_path_buf();
        settings
    }

    fn empty() -> Self {
        Self {
            db: PathBuf::new(),
            journal_limit: 0,
            on_full: OnFull::Drop,
            block_timeout: Duration::ZERO,
            exit_timeout: Duration::ZERO,
            flush_interval: Duration::ZERO,
            breaker_threshold: 0,
            breaker_timeout: Duration::ZERO,
            breaker_busy: Duration::ZERO,
            drain: DrainBy::Here,
            retention_age: Duration::ZERO,
            retention_errors: Duration::ZERO,
            retention_minutes: Duration::ZERO,
            retention_size: 0,
            disabled: false,
            max_repr: 0,
            max_call_bytes: 0,
            max_items: 0,
            max_depth: 0,
            max_attributes: 0,
            max_capture_time: Duration::ZERO,
            sensitive_fields: Vec::new(),
            sources: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Puts a value that was read into its field. A name without a field is a gap that the table's test finds.
    fn put(&mut self, name: &str, value: Value, base: &Path) {
        match (name, value) {
            ("db", Value::Text(path)) => self.db = base.join(path),
            ("journal_limit", Value::Number(bytes)) => self.journal_limit = bytes,
            ("on_full", Value::Text(word)) => {
                self.on_full = if word == "block" { OnFull::Block } else { OnFull::Drop };
            }
            ("block_timeout", Value::Time(time)) => self.block_timeout = time,
            ("exit_timeout", Value::Time(time)) => self.exit_timeout = time,
            ("flush_interval", Value::Time(time)) => self.flush_interval = time,
            ("breaker_threshold", Value::Number(count)) => {
                self.breaker_threshold = u32::try_from(count).unwrap_or(u32::MAX);
            }
            ("breaker_timeout", Value::Time(time)) => self.breaker_timeout = time,
            ("breaker_busy", Value::Time(time)) => self.breaker_busy = time,
            ("drain", Value::Text(word)) => {
                self.drain = if word == "elsewhere" { DrainBy::Elsewhere } else { DrainBy::Here };
            }
            ("retention_age", Value::Time(time)) => self.retention_age = time,
            ("retention_errors", Value::Time(time)) => self.retention_errors = time,
            ("retention_minutes", Value::Time(time)) => self.retention_minutes = time,
            ("retention_size", Value::Number(bytes)) => self.retention_size = bytes,
            ("disabled", Value::Switch(on)) => self.disabled = on,
            ("max_repr", Value::Number(bytes)) => self.max_repr = size(bytes),
            ("max_call_bytes", Value::Number(bytes)) => self.max_call_bytes = size(bytes),
            ("max_items", Value::Number(count)) => self.max_items = size(count),
            ("max_depth", Value::Number(count)) => self.max_depth = size(count),
            ("max_attributes", Value::Number(count)) => self.max_attributes = size(count),
            ("max_capture_time", Value::Time(time)) => self.max_capture_time = time,
            ("sensitive_fields", Value::Text(text)) => self.sensitive_fields = text::words(&text),
            _ => debug_assert!(false, "the table has {name}, Settings has not"),
        }
    }

    /// Every field by its setting's name, in the table's order. Names each field, so that a new one must stand here.
    pub(super) fn shown(&self) -> [(&'static str, String); 22] {
        let Self {
            db,
            journal_limit,
            on_full,
            block_timeout,
            exit_timeout,
            flush_interval,
            breaker_threshold,
            breaker_timeout,
            breaker_busy,
            drain,
            retention_age,
            retention_errors,
            retention_minutes,
            retention_size,
            disabled,
            max_repr,
            max_call_bytes,
            max_items,
            max_depth,
            max_attributes,
            max_capture_time,
            sensitive_fields,
            sources: _,
            problems: _,
        } = self;
        [
            ("db", db.display().to_string()),
            ("journal_limit", text::show_bytes(*journal_limit)),
            ("on_full", if *on_full == OnFull::Block { "block" } else { "drop" }.to_owned()),
            ("block_timeout", text::show_time(*block_timeout)),
            ("exit_timeout", text::show_time(*exit_timeout)),
            ("flush_interval", text::show_time(*flush_interval)),
            ("breaker_threshold", breaker_threshold.to_string()),
            ("breaker_timeout", text::show_time(*breaker_timeout)),
            ("breaker_busy", text::show_time(*breaker_busy)),
            ("drain", if *drain == DrainBy::Elsewhere { "elsewhere" } else { "here" }.to_owned()),
            ("retention_age", text::show_time(*retention_age)),
            ("retention_errors", text::show_time(*retention_errors)),
            ("retention_minutes", text::show_time(*retention_minutes)),
            ("retention_size", text::show_bytes(*retention_size)),
            ("disabled", disabled.to_string()),
            ("max_repr", text::show_bytes(*max_repr as u64)),
            ("max_call_bytes", text::show_bytes(*max_call_bytes as u64)),
            ("max_items", max_items.to_string()),
            ("max_depth", max_depth.to_string()),
            ("max_attributes", max_attributes.to_string()),
            ("max_capture_time", text::show_time(*max_capture_time)),
            ("sensitive_fields", sensitive_fields.join(",")),
        ]
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// One setting's value from the strongest source that has a good one, with its text and the source's name.
fn find(
    setting: &Setting,
    arguments: &[(String, String)],
    surroundings: &Surroundings,
    file: Option<&File>,
    problems: &mut Vec<String>,
) -> Result<(Value, String, String), BadArgument> {
    if let Some((name, given)) = arguments.iter().find(|(name, _)| name == setting.name) {
        return match text::parse(given, setting.kind) {
            Ok(value) => Ok((value, given.clone(), "argument".to_owned())),
            Err(remedy) => {
                let message = format!("{name}={given:?} cannot be used: {remedy}");
                Err(BadArgument { name: name.clone(), message })
            }
        };
    }
    let environment_name = setting.environment_name();
    let in_environment = surroundings.environment.get(&environment_name).filter(|text| !text.trim().is_empty());
    let in_file = file.and_then(|file| Some((file.values.get(setting.name)?, file.path.display().to_string())));
    if let Some((given, from)) = in_environment.map(|text| (text, environment_name)).or(in_file) {
        match text::parse(given, setting.kind) {
            Ok(value) => return Ok((value, given.clone(), from)),
            Err(remedy) => {
                let Setting { name, default, kind, .. } = setting;
                let rest = text::usable(given, *kind);
                let taken = match rest.as_deref().unwrap_or(default) {
                    "" => "none",
                    words => words,
                };
                problems.push(format!("{name} = {given:?} from {from} cannot be used and {taken} is taken: {remedy}"));
                if let Some(rest) = rest
                    && let Ok(value) = text::parse(&rest, *kind)
                {
                    return Ok((value, rest, from));
                }
            }
        }
    }
    let value = text::parse(setting.default, setting.kind).unwrap_or(Value::Switch(false));
    Ok((value, setting.default.to_owned(), "default".to_owned()))
}

/// Letters between two names that are still taken for one another.
const SLIP: usize = 3;

fn unknown(name: &str, what: &str) -> String {
    let (nearest, distance) = text::nearest(name, TABLE.iter().map(|setting| setting.name));
    if distance <= SLIP && distance < nearest.len() {
        return format!("{name} is no setting of calltape ({what}); did you mean {nearest}?");
    }
    let known: Vec<_> = TABLE.iter().map(|setting| setting.name).collect();
    format!("{name} is no setting of calltape ({what}); there are {}", known.join(", "))
}

/// A name with the prefix that is nearly a setting's is a slip worth a line; others belong to other tools.
fn report_unknown_environment(surroundings: &Surroundings, problems: &mut Vec<String>) {
    let mut slips = Vec::new();
    for name in surroundings.environment.keys() {
        let Some(short) = name.strip_prefix(ENVIRONMENT_PREFIX).map(str::to_lowercase) else { continue };
        let (nearest, distance) = text::nearest(&short, TABLE.iter().map(|setting| setting.name));
        if (1..=SLIP).contains(&distance) && distance < nearest.len() {
            let meant = nearest.to_uppercase();
            slips.push(format!(
                "{name} is no setting of calltape (environment); did you mean {ENVIRONMENT_PREFIX}{meant}?"
            ));
        }
    }
    slips.sort();
    problems.append(&mut slips);
}

/// The nearest `pyproject.toml` at or above `directory`, if it has a `[tool.calltape]`.
fn read_file(directory: &Path, problems: &mut Vec<String>) -> Option<File> {
    let path = directory.ancestors().map(|folder| folder.join("pyproject.toml")).find(|path| path.is_file())?;
    let shown = path.display();
    let content = match std::fs::read_to_string(&path) {
        Ok(content) => content,
        Err(fault) => {
            problems.push(format!("{shown} cannot be read, so its settings are not used: {fault}"));
            return None;
        }
    };
    let document = match content.parse::<toml::Table>() {
        Ok(document) => document,
        Err(fault) => {
            let reason = fault.message().to_owned();
            problems.push(format!("{shown} is not valid TOML, so its settings are not used: {reason}"));
            return None;
        }
    };
    let table = document.get("tool")?.as_table()?.get("calltape")?;
    let Some(table) = table.as_table() else {
        problems.push(format!("tool.calltape in {shown} is not a table, so it is not used: write [tool.calltape]"));
        return None;
    };
    let mut values = HashMap::new();
    for (name, value) in table {
        let Some(setting) = TABLE.iter().find(|setting| setting.name == name) else {
            problems.push(unknown(name, &shown.to_string()));
            continue;
        };
        let text = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(on) => on.to_string(),
            toml::Value::Array(words) if setting.kind == Kind::NameRules && words.iter().all(toml::Value::is_str) => {
                words.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(",")
            }
            other => other.type_str().to_owned(),
        };
        values.insert(name.clone(), text);
    }
    Some(File { path, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_struct_name_the_same_settings_with_the_same_defaults() {
        let settings = Settings::for_db(Path::new(TABLE[0].default));
        let fields = settings.shown();
        assert_eq!(fields.len(), TABLE.len());
        for ((name, value), setting) in fields.iter().zip(TABLE) {
            assert_eq!(*name, setting.name);
            assert_eq!(value, setting.default, "{name}");
        }
    }
}
