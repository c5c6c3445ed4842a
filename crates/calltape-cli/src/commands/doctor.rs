//! `calltape doctor`: each part of the recorder, as ok or with what to do.

use calltape_engine::Settings;
use calltape_engine::doctor::{Finding, examine};

use crate::entry::{Failure, Found};
use crate::json::Object;
use crate::output::Output;
use crate::palette::Tone;
use crate::text::plain::plain;

/// Columns of the longest area.
const AREA: usize = 11;

/// Columns of the verdict, and of the gaps after the first two columns.
const BEFORE: usize = 5 + 2 + AREA + 2;

pub(crate) fn run(settings: &Settings, json: bool, output: &mut Output<'_>) -> Result<Found, Failure> {
    let Some(findings) = examine(settings) else {
        let path = settings.db.display();
        return Err(Failure::Refused(format!("no tape at {path}: name the tape with --db PATH or CALLTAPE_DB")));
    };
    for finding in &findings {
        match json {
            true => write_json(finding, output)?,
            false => write_line(finding, output)?,
        }
    }
    let well = findings.iter().all(|finding| finding.remedy.is_none());
    Ok(if well { Found::Something } else { Found::Nothing })
}

fn write_line(finding: &Finding, output: &mut Output<'_>) -> Result<(), Failure> {
    let (verdict, tone) = if finding.remedy.is_none() { ("ok", Tone::Good) } else { ("to do", Tone::Bad) };
    let verdict = output.paint(tone, &format!("{verdict:5}"));
    let room = output.width.saturating_sub(BEFORE);
    let mut lines = output.fold(&plain(&finding.found), room).into_iter();
    output.line(&format!("{verdict}  {:AREA$}  {}", finding.area, lines.next().unwrap_or_default()))?;
    for line in lines {
        output.line(&format!("{:BEFORE$}{line}", ""))?;
    }
    if let Some(remedy) = &finding.remedy {
        for (number, line) in output.fold(&plain(remedy), room.saturating_sub(3)).into_iter().enumerate() {
            let mark = if number == 0 { "-> " } else { "   " };
            let line = output.paint(Tone::Strong, &format!("{mark}{line}"));
            output.line(&format!("{:BEFORE$}{line}", ""))?;
        }
    }
    Ok(())
}

fn write_json(finding: &Finding, output: &mut Output<'_>) -> Result<(), Failure> {
    let object = Object::new()
        .text("area", finding.area)
        .flag("ok", finding.remedy.is_none())
        .text("found", finding.found.as_str())
        .text("remedy", finding.remedy.as_deref());
    Ok(output.line(&object.finish())?)
}
