//! The few tones of the output and how they look. Without colour every tone is plain text.

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, Color};

/// What a piece of text is, as far as its looks go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Ordinary text.
    Plain,
    /// A heading, or the call asked for.
    Strong,
    /// What is looked at second: ids, places, units.
    Faint,
    /// All is well.
    Good,
    /// Not over, or not complete.
    Pending,
    /// Failed.
    Bad,
}

/// The tones, switched on or off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    /// Whether anything is coloured.
    pub(crate) on: bool,
}

impl Palette {
    /// `text` in `tone`.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.on || tone == Tone::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = style(tone);
        format!("{style}{text}{style:#}")
    }

    /// `text` as a table's cell in `tone`.
    pub(crate) fn cell(self, tone: Tone, text: impl ToString) -> Cell {
        let cell = Cell::new(text);
        if !self.on {
            return cell;
        }
        match tone {
            Tone::Plain => cell,
            Tone::Strong => cell.add_attribute(Attribute::Bold),
            Tone::Faint => cell.add_attribute(Attribute::Dim),
            Tone::Good => cell.fg(Color::DarkGreen),
            Tone::Pending => cell.fg(Color::DarkYellow),
            Tone::Bad => cell.fg(Color::DarkRed),
        }
    }
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => Style::new().bold(),
        Tone::Faint => Style::new().dimmed(),
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Pending => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default(),
    }
}
