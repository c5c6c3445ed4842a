//! The arguments of `export`. Holds no behaviour.

use std::path::PathBuf;

use calltape_export::Format;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::filter::CallOptions;
use super::reading::PATTERN_HELP;

#[derive(Debug, Args)]
#[command(after_help = "\
Formats: jsonl is one JSON object a call and keeps every value as it was recorded; csv and parquet have a row a call and \
the columns of the view `calls`; trace is for ui.perfetto.dev and chrome://tracing. Calls come oldest first. Memory \
does not grow with their number.

A file appears when it is complete: until then it has another name beside it, and an export that fails or is stopped \
leaves none. The options of `calltape find` choose the calls.

With --output, --json prints one object when it is done: format, path, calls, bytes.

Examples:
  calltape export --output calls.parquet
  calltape export 'orders.*' --since 1h --format csv | head
  calltape export --since 5m --output trace.json")]
pub(crate) struct Export {
    /// What to write [default: by the extension of --output, else jsonl]
    #[arg(long, short, value_name = "FORMAT", value_parser = format())]
    pub(crate) format: Option<Format>,
    /// The file to write, in place of one that is there; without it standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[arg(value_name = "PATTERN", help = PATTERN_HELP)]
    pub(crate) pattern: Option<String>,
    #[command(flatten)]
    pub(crate) calls: CallOptions,
}

fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).map(|chosen| {
        // The parser lets no other name pass.
        Format::ALL.into_iter().find(|format| format.name() == chosen).unwrap_or(Format::JsonLines)
    })
}
