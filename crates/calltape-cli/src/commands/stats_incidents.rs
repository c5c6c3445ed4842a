//! The part of `calltape stats` that says when recording was less than it should be: incidents with their times, errors
//! that were only counted, databases that were set aside.

use std::path::PathBuf;

use calltape_engine::query::{Incident, LostErrors, Tape};

use crate::entry::Failure;
use crate::json::Object;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::figures::{count, duration};
use crate::text::fit;
use crate::text::plain::plain;
use crate::text::table::{self, Stand};

/// What was incomplete.
pub(super) struct Incidents {
    incidents: Vec<Incident>,
    /// Of all, not only the ones shown.
    number: u64,
    lost: Vec<LostErrors>,
    set_aside: Vec<PathBuf>,
}

impl Incidents {
    pub(super) fn read(tape: &Tape, limit: usize) -> Result<Self, Failure> {
        let (incidents, number) = tape.incidents(limit)?;
        Ok(Self { incidents, number, lost: tape.lost_errors(limit)?, set_aside: tape.set_aside() })
    }

    pub(super) fn write(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        self.write_incidents(output)?;
        self.write_lost(output)?;
        if !self.set_aside.is_empty() {
            output.heading("Set aside as damaged")?;
        }
        for path in &self.set_aside {
            let line = output.paint(Tone::Bad, &plain(&path.display().to_string()));
            output.line(&format!("  {line}"))?;
        }
        Ok(())
    }

    fn write_incidents(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        if self.incidents.is_empty() {
            return Ok(());
        }
        output.heading("Incidents")?;
        let headings = [
            ("began", Stand::Left),
            ("lasted", Stand::Right),
            ("times", Stand::Right),
            ("what", Stand::Left),
            ("of", Stand::Left),
        ];
        let mut table = table::table(output, &headings);
        for incident in &self.incidents {
            let (lasted, tone) = match incident.ended_ns {
                Some(ended) => (duration(ended.saturating_sub(incident.began_ns).max(0).unsigned_abs()), Tone::Plain),
                None => ("still".to_owned(), Tone::Bad),
            };
            let detail =
                if incident.detail.is_empty() { String::new() } else { format!(": {}", plain(&incident.detail)) };
            let of = incident.run_id.map_or_else(|| "the tape".to_owned(), |run| format!("run {run:016x}"));
            table.add_row([
                output.palette.cell(Tone::Plain, output.time(incident.began_ns)),
                output.palette.cell(tone, lasted),
                output.palette.cell(Tone::Plain, count(incident.times)),
                output.palette.cell(tone, format!("{}{detail}", plain(&incident.kind))),
                output.palette.cell(Tone::Faint, of),
            ]);
        }
        table::write(output, &table)?;
        super::stats::write_more(self.number - self.incidents.len() as u64, ["incident", "incidents"], output)
    }

    fn write_lost(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        if self.lost.is_empty() {
            return Ok(());
        }
        output.heading("Errors there was no room for")?;
        let headings = [("count", Stand::Right), ("last seen", Stand::Left), ("error", Stand::Left)];
        let mut table = table::table(output, &headings);
        let room = output.width.saturating_sub(24).max(24);
        for lost in &self.lost {
            let place = match lost.file.as_str() {
                "" => String::new(),
                file => format!(", raised at {}:{}", plain(file), lost.line),
            };
            let text = format!("{} in {}{place}", plain(&lost.error_type), plain(&lost.function));
            table.add_row([
                output.palette.cell(Tone::Strong, count(lost.calls)),
                output.palette.cell(Tone::Plain, output.ago(lost.last_ns)),
                output.palette.cell(Tone::Bad, fit::fold(&text, room).join("\n")),
            ]);
        }
        Ok(table::write(output, &table)?)
    }

    pub(super) fn write_json(&self, output: &mut Output<'_>) -> Result<(), Failure> {
        for incident in &self.incidents {
            let object = Object::new()
                .text("kind", "incident")
                .unsigned("run_id", incident.run_id)
                .text("incident", incident.kind.as_str())
                .number("began_ns", i128::from(incident.began_ns))
                .number("ended_ns", incident.ended_ns.map(i128::from))
                .unsigned("times", incident.times)
                .text("detail", incident.detail.as_str());
            output.line(&object.finish())?;
        }
        for lost in &self.lost {
            let object = Object::new()
                .text("kind", "lost_errors")
                .text("function", lost.function.as_str())
                .text("group", lost.group.as_deref())
                .text("error_type", lost.error_type.as_str())
                .text("file", lost.file.as_str())
                .number("line", i128::from(lost.line))
                .text("place", lost.place.as_str())
                .unsigned("calls", lost.calls)
                .number("first_ns", i128::from(lost.first_ns))
                .number("last_ns", i128::from(lost.last_ns));
            output.line(&object.finish())?;
        }
        for path in &self.set_aside {
            let object = Object::new().text("kind", "set_aside").text("path", path.to_string_lossy().as_ref());
            output.line(&object.finish())?;
        }
        Ok(())
    }
}
