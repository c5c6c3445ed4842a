//! The table of settings: the one place that says what can be set, its default, and what it is for.
//! Read by the loader and by whoever prints help; holds no values in force.

/// How a setting's text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A path; relative ones stand from the working directory, in a file from the file's own.
    Path,
    /// Bytes, as `64MiB`, `64M`, `512k` or a plain number.
    Bytes {
        /// The smallest that works.
        least: u64,
    },
    /// As [`Kind::Bytes`], and 0 for without limit.
    BytesOrNone {
        /// The smallest that works but 0.
        least: u64,
    },
    /// A time, as `60s`, `250ms`, `1.5` (seconds), `2m`.
    Time {
        /// The smallest that works, in milliseconds.
        least_ms: u64,
    },
    /// A whole number.
    Count {
        /// The smallest that works.
        least: u64,
        /// The largest that works.
        most: u64,
    },
    /// `true` or `false`; also `1`, `0`, `yes`, `no`, `on`, `off`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Words separated by commas, as [`calltape_redact::Names::with`] reads them; none where it is empty.
    NameRules,
}

/// One thing that can be set.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name as an argument and in a file; `CALLTAPE_<NAME>` in the environment.
    pub name: &'static str,
    /// Its default, as a person would write it.
    pub default: &'static str,
    /// The unit of a plain number; empty where there is none.
    pub unit: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// How its text is read.
    pub kind: Kind,
}

impl Setting {
    /// Its name in the environment.
    pub fn environment_name(&self) -> String {
        format!("{}{}", ENVIRONMENT_PREFIX, self.name.to_uppercase())
    }
}

/// What every environment name begins with.
pub(super) const ENVIRONMENT_PREFIX: &str = "CALLTAPE_";

/// Every setting.
pub const TABLE: &[Setting] = &[
    Setting {
        name: "db",
        default: ".calltape/calls.db",
        unit: "",
        help: "The database calls are stored in; its journal lies beside it.",
        kind: Kind::Path,
    },
    Setting {
        name: "journal_limit",
        default: "64MiB",
        unit: "bytes",
        help: "How large the journal of one process may grow while the database cannot keep up.",
        kind: Kind::Bytes { least: 2 << 20 },
    },
    Setting {
        name: "on_full",
        default: "drop",
        unit: "",
        help: "What a call does when the journal is at its limit: drop (count it, store nothing) or block (wait).",
        kind: Kind::Choice(&["drop", "block"]),
    },
    Setting {
        name: "block_timeout",
        default: "10s",
        unit: "seconds",
        help: "How long a call waits for room when on_full is block.",
        kind: Kind::Time { least_ms: 0 },
    },
    Setting {
        name: "exit_timeout",
        default: "2s",
        unit: "seconds",
        help: "How long the end of the program waits for calls to reach the database; what is left stays in the journal.",
        kind: Kind::Time { least_ms: 0 },
    },
    Setting {
        name: "flush_interval",
        default: "25ms",
        unit: "seconds",
        help: "How often recorded calls are moved to the database.",
        kind: Kind::Time { least_ms: 1 },
    },
    Setting {
        name: "breaker_threshold",
        default: "5",
        unit: "failures",
        help: "Failed writes in a row after which the database is left alone for a while.",
        kind: Kind::Count { least: 1, most: u32::MAX as u64 },
    },
    Setting {
        name: "breaker_timeout",
        default: "60s",
        unit: "seconds",
        help: "The longest time between two attempts to reach a database that fails.",
        kind: Kind::Time { least_ms: 1 },
    },
    Setting {
        name: "breaker_busy",
        default: "5s",
        unit: "seconds",
        help: "How long another program may keep the database locked before that counts as a failed write.",
        kind: Kind::Time { least_ms: 0 },
    },
    Setting {
        name: "drain",
        default: "here",
        unit: "",
        help: "Who moves calls to the database: this process (here), or calltape drain beside it (elsewhere).",
        kind: Kind::Choice(&["here", "elsewhere"]),
    },
    Setting {
        name: "retention_age",
        default: "7d",
        unit: "seconds",
        help: "How long calls are kept; 0 for ever.",
        kind: Kind::Time { least_ms: 0 },
    },
    Setting {
        name: "retention_errors",
        default: "30d",
        unit: "seconds",
        help: "How long calls that failed are kept, never shorter than the others; 0 for ever.",
        kind: Kind::Time { least_ms: 0 },
    },
    Setting {
        name: "retention_minutes",
        default: "400d",
        unit: "seconds",
        help: "How long the figures of functions a minute are kept; 0 for ever.",
        kind: Kind::Time { least_ms: 0 },
    },
    Setting {
        name: "retention_size",
        default: "1GiB",
        unit: "bytes",
        help: "How large the database may grow before its oldest calls go, successes first: at least 8MiB; 0 without limit.",
        kind: Kind::BytesOrNone { least: 8 << 20 },
    },
    Setting {
        name: "disabled",
        default: "false",
        unit: "",
        help: "Record nothing; set in the environment, monitor returns the function itself.",
        kind: Kind::Switch,
    },
    Setting {
        name: "max_repr",
        default: "1000",
        unit: "bytes",
        help: "How much of one captured value is kept.",
        kind: Kind::Bytes { least: 16 },
    },
    Setting {
        name: "max_call_bytes",
        default: "4KiB",
        unit: "bytes",
        help: "How much is kept of all arguments of one call together.",
        kind: Kind::Bytes { least: 16 },
    },
    Setting {
        name: "max_items",
        default: "64",
        unit: "items",
        help: "How many items of one list, dict or set are kept.",
        kind: Kind::Count { least: 1, most: u32::MAX as u64 },
    },
    Setting {
        name: "max_depth",
        default: "6",
        unit: "levels",
        help: "How deep values in values are entered.",
        kind: Kind::Count { least: 1, most: 32 },
    },
    Setting {
        name: "max_attributes",
        default: "20",
        unit: "attributes",
        help: "How many attributes of one object are kept.",
        kind: Kind::Count { least: 0, most: u32::MAX as u64 },
    },
    Setting {
        name: "max_capture_time",
        default: "1ms",
        unit: "seconds",
        help: "How long the capture of one call's arguments, or of its result, may take before the rest is only named.",
        kind: Kind::Time { least_ms: 0 },
    },
    Setting {
        name: "sensitive_fields",
        default: "",
        unit: "",
        help: "Names whose values are withheld, beside the usual ones: badge,*pin; -token takes one away, -* all usual ones.",
        kind: Kind::NameRules,
    },
];
