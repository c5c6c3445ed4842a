//! A figure over time on one line: an eighth of a column's height is an eighth of the greatest.

/// Heights, lowest first.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What happened at each time, `points` of time and figure in any unit of time, in at most `columns`: the sum of the
/// times that share a column. A column without any is blank, so that the least there is can be told from nothing.
pub(crate) fn sparkline(points: &[(i64, u64)], columns: usize) -> String {
    let times = || points.iter().map(|(time, _)| *time);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return String::new() };
    let span = last.abs_diff(first).saturating_add(1);
    let a_column = span.div_ceil(columns.max(1) as u64);
    let mut sums = vec![0u64; span.div_ceil(a_column) as usize];
    for (time, figure) in points {
        let column = (time.abs_diff(first) / a_column) as usize;
        sums[column] = sums[column].saturating_add(*figure);
    }
    let most = sums.iter().copied().max().unwrap_or(0).max(1);
    let height = |sum: u64| match sum {
        0 => ' ',
        sum => HEIGHTS[((sum as f64 / most as f64 * 8.0).ceil() as usize).clamp(1, 8) - 1],
    };
    sums.into_iter().map(height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_is_as_high_as_the_line() {
        assert_eq!(sparkline(&[(10, 1), (11, 4), (13, 8)], 60), "▁▄ █");
        assert_eq!(sparkline(&[(10, 5)], 60), "█");
        assert_eq!(sparkline(&[], 60), "");
    }

    #[test]
    fn a_long_time_shares_columns() {
        let points: Vec<(i64, u64)> = (0..600).map(|minute| (minute, 1)).collect();
        assert_eq!(sparkline(&points, 60), "█".repeat(60));
        let line = sparkline(&[(0, 1), (1_000_000, 1)], 60);
        assert_eq!((line.chars().count(), line.trim_matches('█').trim()), (60, ""));
        assert_eq!(sparkline(&[(i64::MIN, 1), (i64::MAX, 1)], 10).chars().count(), 10);
    }
}
