//! Spells of a full journal: as incidents of their run in the tape, and as lines for the log. Called by `commit.rs` inside a
//! batch's transaction, and by `thread.rs` whether or not the database can be written.

use calltape_journal::{Pressure, Spell};

use super::run::Followed;
use crate::messages::Level;
use crate::store::{IncidentRow, StoreError, Transaction};

/// By level, what the tape calls it and what it does to recording.
const LEVELS: [(Pressure, &str, &str); 4] = [
    (Pressure::Shortened, "payloads shortened", "arguments and results are kept to 256 bytes"),
    (Pressure::Sampled, "sampled harder", "of functions called often fewer calls are recorded"),
    (Pressure::Dropping, "successes dropped", "calls that succeed are counted and not stored; errors are stored"),
    (Pressure::ErrorsCounted, "errors counted", "errors are counted by kind and not stored"),
];

impl Followed {
    /// Writes the spells of the run that the tape does not have as they are.
    pub(super) fn put_spells(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Some(spells) = self.run.pressure_spells() else { return Ok(()) };
        if spells == self.facts.spells {
            return Ok(());
        }
        for ((spell, said), (_, kind, detail)) in spells.iter().zip(&self.facts.spells).zip(LEVELS) {
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

/// What the log says when the pressure goes from `before` to `now`; nothing while it only falls, until there is none.
pub(super) fn line(before: Pressure, now: Pressure) -> Option<(Level, String)> {
    if now == Pressure::None && before != now {
        return Some((Level::Info, "the journal has room again; every call is recorded in full".to_owned()));
    }
    let (_, _, effect) = LEVELS.iter().find(|(level, ..)| *level == now).filter(|_| now > before)?;
    let level = if now >= Pressure::Dropping { Level::Error } else { Level::Warning };
    Some((
        level,
        format!(
            "the journal fills up, because calls are made faster than the database takes them: {effect}; see the database's \
             state, sample hot functions or raise journal_limit"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rise_is_said_and_the_end_once() {
        use Pressure::{Dropping, ErrorsCounted, None, Sampled, Shortened};
        for pair in [None, Shortened, Sampled, Dropping, ErrorsCounted].windows(2) {
            assert!(line(pair[0], pair[1]).is_some(), "{pair:?}");
            assert_eq!(line(pair[1], pair[0]).is_some(), pair[0] == None, "{pair:?}");
        }
        assert_eq!(line(Dropping, Dropping), Option::None);
        assert_eq!(line(None, None), Option::None);
    }
}
