//! Spells of a full journal: as incidents of their run in the tape, and as lines for the log. Called by `commit.rs` inside a
//! batch's transaction, and by `thread.rs` whether or not the database can be written.

use calltape_journal::{Pressure, Spell};

use super::run::Followed;
use crate::messages::Level;
use crate::settings::OnFull;
use crate::store::{IncidentRow, StoreError, Transaction};

/// By level, what the tape calls it and what it does to recording.
const LEVELS: [(Pressure, &str, &str); 4] = [
    (Pressure::Shortened, "payloads shortened", "arguments and results are kept to 256 bytes"),
    (Pressure::Sampled, "sampled harder", "of functions called often fewer calls are recorded"),
    (Pressure::Dropping, "successes dropped", "calls that succeed are counted and not stored; errors are stored"),
    (Pressure::ErrorsCounted, "errors counted", "errors are counted by kind and not stored"),
];

/// What the tape says of the third level, of a run whose `on_full` is not known.
const DROPPED_OR_WAITING: &str =
    "calls that succeed are counted and not stored, or wait with on_full=\"block\"; errors are stored";

/// What the third level and the fourth do with `on_full="block"`.
const WAITING: &str = "calls wait for room, at most block_timeout each, before they are counted and not stored";

impl Followed {
    /// Writes the spells of the run that the tape does not have as they are.
    pub(super) fn put_spells(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Some(spells) = self.run.pressure_spells() else { return Ok(()) };
        if spells == self.facts.spells {
            return Ok(());
        }
        for ((spell, said), (level, kind, effect)) in spells.iter().zip(&self.facts.spells).zip(LEVELS) {
            let detail = if level == Pressure::Dropping { DROPPED_OR_WAITING } else { effect };
            if spell != said && spell.times > 0 {
                transaction.put_spell(&self.incident_of(spell, kind, detail))?;
            }
        }
        self.facts.spells = spells;
        Ok(())
    }

    /// Whether the tape does not have them as they are.
    pub(super) fn has_new_spells(&self) -> bool {
        self.run.pressure_spells().is_some_and(|spells| spells != self.facts.spells)
    }

    fn incident_of(&self, spell: &Spell, kind: &'static str, detail: &str) -> IncidentRow {
        IncidentRow {
            run: Some(self.run.id()),
            kind,
            began_ns: spell.entered_unix_ns,
            ended_ns: spell.left_unix_ns,
            times: spell.times,
            detail: detail.to_owned(),
        }
    }
}

/// Why the journal fills, as far as its own process can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause<'a> {
    /// When nothing is known to be wrong.
    Pace,
    /// When the last try at the database failed, or could not begin, and what that said.
    Database(&'a str),
    /// When another process drains, or is to.
    Elsewhere,
}

impl Cause<'_> {
    fn text(self) -> String {
        match self {
            Self::Pace => {
                "calls are made faster than they are stored: sample hot functions, or raise journal_limit".to_owned()
            }
            Self::Database(error) => format!("nothing is stored for now ({error}): see to the database"),
            Self::Elsewhere => {
                "another process stores them, and does not keep up: `calltape doctor` says how it stands".to_owned()
            }
        }
    }
}

/// What the log says when the pressure goes from `before` to `now`; nothing while it only falls, until there is none.
pub(super) fn line(before: Pressure, now: Pressure, on_full: OnFull, cause: Cause<'_>) -> Option<(Level, String)> {
    if now == Pressure::None && before != now {
        return Some((Level::Info, "the journal has room again; every call is recorded in full".to_owned()));
    }
    let (_, _, effect) = LEVELS.iter().find(|(level, ..)| *level == now).filter(|_| now > before)?;
    let waits = on_full == OnFull::Block && now >= Pressure::Dropping;
    let effect = if waits { WAITING } else { effect };
    let level = if now >= Pressure::Dropping && !waits { Level::Error } else { Level::Warning };
    Some((level, format!("the journal fills up, and {effect}; {}", cause.text())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(before: Pressure, now: Pressure) -> Option<(Level, String)> {
        line(before, now, OnFull::Drop, Cause::Pace)
    }

    #[test]
    fn each_rise_is_said_and_the_end_once() {
        use Pressure::{Dropping, ErrorsCounted, None, Sampled, Shortened};
        for pair in [None, Shortened, Sampled, Dropping, ErrorsCounted].windows(2) {
            assert!(of(pair[0], pair[1]).is_some(), "{pair:?}");
            assert_eq!(of(pair[1], pair[0]).is_some(), pair[0] == None, "{pair:?}");
        }
        assert_eq!(of(Dropping, Dropping), Option::None);
        assert_eq!(of(None, None), Option::None);
    }

    #[test]
    fn calls_that_wait_are_not_said_to_be_dropped() {
        let (level, said) = line(Pressure::None, Pressure::Dropping, OnFull::Block, Cause::Pace).expect("said");
        assert!(
            level == Level::Warning
                && said.contains("calls wait for room")
                && !said.contains("that succeed are counted"),
            "{said}"
        );
        let (level, said) = of(Pressure::None, Pressure::Dropping).expect("said");
        assert!(level == Level::Error && said.contains("calls that succeed are counted and not stored"), "{said}");
    }

    #[test]
    fn the_cause_is_the_one_there_is() {
        let full = Cause::Database("the database refused to store a call: database or disk is full");
        let (_, said) = line(Pressure::None, Pressure::Shortened, OnFull::Drop, full).expect("said");
        assert!(said.contains("disk is full") && !said.contains("faster"), "{said}");
        let (_, said) = line(Pressure::None, Pressure::Shortened, OnFull::Drop, Cause::Elsewhere).expect("said");
        assert!(said.contains("another process stores them") && !said.contains("faster"), "{said}");
    }
}
