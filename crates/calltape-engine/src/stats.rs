//! How the recorder of this process is doing: what `stats()` shows. Figures only, taken at one moment.

/// How the breaker between drain and database stands.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerStats {
    /// `closed`, `open` or `half-open`.
    pub state: &'static str,
    /// How often it has opened.
    pub opens: u64,
    /// Failed batches since the last success.
    pub failures: u32,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// Seconds until the database is tried again; `None` unless open.
    pub next_probe_s: Option<f64>,
}

/// The figures of this process's recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// Calls of monitored functions.
    pub recorded: u64,
    /// Of these, ended and in the database.
    pub stored: u64,
    /// Left out by sampling.
    pub sampled_out: u64,
    /// Not stored because the journal was full.
    pub dropped: u64,
    /// Of the dropped, those that ended in an error.
    pub dropped_errors: u64,
    /// Begun and not ended, or not yet in the database.
    pub in_flight: u64,
    /// Bytes of journal that hold records or may get some.
    pub journal_bytes: u64,
    /// Bytes the journal may grow to.
    pub journal_capacity: u64,
    /// The breaker.
    pub breaker: BreakerStats,
    /// Batches this process has committed.
    pub writes: u64,
    /// Seconds since everything recorded was last in the database; 0 while the drain keeps up.
    pub lag_s: f64,
    /// Records and values that could not be read back.
    pub damaged: u64,
    /// Whether this process drains; else another one does for it.
    pub drains: bool,
    /// What the journal's filling has done to recording: `none`, `shortened`, `sampled`, `dropping`, `counting_errors`.
    pub pressure: &'static str,
    /// Where calls are recorded: `file`, `small` (a smaller file), `memory`, `counting` (nowhere), `none`.
    pub journal: &'static str,
}
