//! A tape of ten million calls, or as many as are asked for: a day of a shop's services, the same for the same seed. What
//! reads tapes is measured on it. `make big-tape` calls it: `cargo run --example big_tape -- PATH [CALLS] [SEED]`.

mod shop;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = PathBuf::from(arguments.next().ok_or("usage: big_tape PATH [CALLS] [SEED]")?);
    let calls: u64 = arguments.next().map_or(Ok(10_000_000), |text| text.parse())?;
    let seed: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let began = Instant::now();
    let mut out = std::io::stdout();
    shop::write(&path, calls, seed)?;
    let (took, bytes) = (began.elapsed().as_secs_f64(), std::fs::metadata(&path)?.len());
    writeln!(
        out,
        "{}: {calls} calls of {} functions, {} MiB, in {took:.0} s",
        path.display(),
        shop::FUNCTIONS.len(),
        bytes >> 20
    )?;
    Ok(())
}
