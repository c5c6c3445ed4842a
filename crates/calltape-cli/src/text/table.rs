//! Tables: no lines, two columns between columns, figures on the right, at most as wide as the output.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

use crate::output::Output;
use crate::palette::Tone;

/// Columns between two columns.
pub(crate) const GAP: usize = 2;

/// How a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    Left,
    Right,
}

/// A table under these headings. Figures are never broken; where it is narrow the text beside them is.
pub(crate) fn table(output: &Output<'_>, headings: &[(&str, Stand)]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).force_no_tty().set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(output.width).unwrap_or(u16::MAX));
    if output.palette.on {
        table.enforce_styling();
    }
    table.set_header(headings.iter().map(|(name, _)| output.palette.cell(Tone::Faint, name)).collect::<Vec<Cell>>());
    for (position, (_, stand)) in headings.iter().enumerate() {
        let gap = if position + 1 == headings.len() { 0 } else { GAP as u16 };
        if let Some(column) = table.column_mut(position) {
            column.set_padding((0, gap));
            if *stand == Stand::Right {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
            column.set_cell_alignment(match stand {
                Stand::Left => CellAlignment::Left,
                Stand::Right => CellAlignment::Right,
            });
        }
    }
    table
}

/// Writes a table, without the spaces that fill its last column.
pub(crate) fn write(output: &mut Output<'_>, table: &Table) -> std::io::Result<()> {
    for line in table.lines() {
        output.line(line.trim_end())?;
    }
    Ok(())
}
