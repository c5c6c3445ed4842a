//! Unix ns as ISO 8601 text in UTC, as the view `calls` writes it.

use std::fmt::Write as _;

use jiff::Timestamp;

const NS_A_SECOND: i64 = 1_000_000_000;

/// Writes times. Calls of the same second share all but the fraction, so the last second's text is kept.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    second: Option<i64>,
    text: String,
    whole: usize,
}

impl Moments {
    /// `2026-10-14T09:12:33.000000128Z`.
    pub(crate) fn text(&mut self, unix_ns: i64) -> &str {
        let (second, fraction) = (unix_ns.div_euclid(NS_A_SECOND), unix_ns.rem_euclid(NS_A_SECOND));
        if self.second != Some(second) {
            self.text.clear();
            let moment = Timestamp::from_second(second).unwrap_or_default();
            let _ = write!(self.text, "{}", moment.strftime("%Y-%m-%dT%H:%M:%S"));
            self.whole = self.text.len();
            self.second = Some(second);
        }
        self.text.truncate(self.whole);
        let _ = write!(self.text, ".{fraction:09}Z");
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_to_the_nanosecond_whatever_came_before() {
        let mut moments = Moments::default();
        assert_eq!(moments.text(1_791_979_200_123_456_789), "2026-10-14T12:00:00.123456789Z");
        assert_eq!(moments.text(1_791_979_200_000_000_007), "2026-10-14T12:00:00.000000007Z");
        assert_eq!(moments.text(1_791_979_199_999_999_999), "2026-10-14T11:59:59.999999999Z");
        assert_eq!(moments.text(0), "1970-01-01T00:00:00.000000000Z");
    }
}
