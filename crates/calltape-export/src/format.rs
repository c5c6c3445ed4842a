//! The formats by name. Asked by the command line; knows nothing of how one is written.

use std::path::Path;

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated values with a heading.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// Chrome's trace events as JSON, which Perfetto opens.
    Trace,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::JsonLines, Self::Csv, Self::Parquet, Self::Trace];

    /// The format that a file's extension stands for.
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            "parquet" | "pq" => Some(Self::Parquet),
            "json" | "trace" => Some(Self::Trace),
            _ => None,
        }
    }

    /// The name it goes by.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Trace => "trace",
        }
    }

    /// Whether it is bytes that no terminal should be sent.
    pub fn is_binary(self) -> bool {
        self == Self::Parquet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_its_format_by_its_extension() {
        let said = |name: &str| Format::of_path(Path::new(name));
        assert_eq!(said("calls.jsonl"), Some(Format::JsonLines));
        assert_eq!(said("out/calls.CSV"), Some(Format::Csv));
        assert_eq!(said("calls.parquet"), Some(Format::Parquet));
        assert_eq!(said("trace.json"), Some(Format::Trace));
        assert_eq!((said("calls"), said(".csv"), said("calls.txt")), (None, None, None));
    }
}
