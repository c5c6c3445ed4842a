//! The `calltape` command without Python. All it does is hand its arguments to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Ctrl-C ends this process by itself: no signal handler stands in its way.
    let code = calltape_cli::run(std::env::args_os(), || false);
    ExitCode::from(u8::try_from(code).unwrap_or(2))
}
