//! Spans of time as people write them: `50ms`, `1.5s`, `2h`, `1h30m`, and as calltape itself writes them.
//! Called where an option takes one; never guesses a unit.

pub(crate) use calltape_engine::query::parse_duration as parse;

/// What a span would look like: the end of every refusal.
pub(crate) const EXAMPLES: &str = "a number and a unit, such as 50ms, 1.5s, 2h or 3d";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::figures::duration;

    #[test]
    fn what_calltape_writes_it_reads() {
        for ns in [45, 312_000, 1_240_000, 2_100_000_000, 72_000_000_000, 3_600_000_000_000, 187_200_000_000_000] {
            assert_eq!(parse(&duration(ns)), Some(ns), "{}", duration(ns));
        }
    }
}
