//! How long calls take, as bars under each other: how many took about so long. Steps are 1, 2, 5, 10 of a unit, as
//! people count.

use calltape_engine::query::Bucket;

use super::figures::{bar, count, duration};
use super::fit;

/// Columns of the longest bar.
const BAR_WIDTH: usize = 30;

/// More lines than this and steps are powers of ten.
const MOST_LINES: usize = 12;

/// One line: the calls that took at most so long, and longer than the line before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// The longest, ns.
    upper_ns: u64,
    calls: u64,
}

/// The lines of a histogram: `up to  bar  calls`.
pub(crate) fn lines(buckets: &[Bucket]) -> Vec<String> {
    let lines = grouped(buckets);
    let most = lines.iter().map(|line| line.calls).max().unwrap_or(0);
    let labels: Vec<String> = lines.iter().map(|line| format!("to {}", duration(line.upper_ns))).collect();
    let width = labels.iter().map(|label| fit::width(label)).max().unwrap_or(0);
    let calls_width = count(most).len();
    let text = |(line, label): (&Line, &String)| {
        let bar = bar(line.calls, most, BAR_WIDTH);
        let fill = " ".repeat(width - fit::width(label));
        format!("{fill}{label}  {:>calls_width$}  {bar}", count(line.calls)).trim_end().to_owned()
    };
    lines.iter().zip(&labels).map(text).collect()
}

/// `buckets` in steps of 1, 2, 5, or of powers of ten where those would be too many; steps without a call between others
/// are there too.
fn grouped(buckets: &[Bucket]) -> Vec<Line> {
    let fine = in_steps(buckets, &[1, 2, 5]);
    if fine.len() <= MOST_LINES { fine } else { in_steps(buckets, &[1]) }
}

fn in_steps(buckets: &[Bucket], steps: &[u64]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut uppers = (0..19).flat_map(|power| steps.iter().map(move |step| step * 10u64.pow(power)));
    let mut upper_ns = uppers.next().unwrap_or(u64::MAX);
    for bucket in buckets {
        // A bucket is 1/32 wide: the line its middle is in is right within that.
        let middle = bucket.lower_ns / 2 + bucket.upper_ns / 2;
        while middle > upper_ns {
            match uppers.next() {
                Some(next) => upper_ns = next,
                None => break,
            }
            if !lines.is_empty() {
                lines.push(Line { upper_ns, calls: 0 });
            }
        }
        match lines.last_mut() {
            Some(line) => line.calls += bucket.count,
            None => lines.push(Line { upper_ns, calls: bucket.count }),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(ns: u64, count: u64) -> Bucket {
        Bucket { lower_ns: ns, upper_ns: ns, count }
    }

    #[test]
    fn calls_of_about_one_duration_share_a_line() {
        let buckets = [bucket(1_100_000, 3), bucket(1_900_000, 1), bucket(9_000_000, 2)];
        let expected = [" to 2 ms  4  ██████████████████████████████", " to 5 ms  0", "to 10 ms  2  ███████████████"];
        assert_eq!(lines(&buckets), expected);
        assert_eq!(lines(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_wide_range_is_in_powers_of_ten() {
        let buckets = [bucket(45, 1), bucket(900, 1), bucket(2_100_000_000, 2)];
        let lines = lines(&buckets);
        assert_eq!(lines.len(), 9, "{lines:#?}");
        assert!(lines[0].starts_with("to 100 ns  1") && lines[8].starts_with("  to 10 s  2"), "{lines:#?}");
    }

    #[test]
    fn no_call_is_lost() {
        let buckets: Vec<Bucket> = (0..60).map(|n| bucket(1 << n, n)).collect();
        assert_eq!(grouped(&buckets).iter().map(|line| line.calls).sum::<u64>(), (0..60).sum::<u64>());
    }
}
