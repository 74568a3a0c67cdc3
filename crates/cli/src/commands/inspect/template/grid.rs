//! A table inside a text: aligned columns, cut where it is too wide or too long.

use korpus_core::{Kind, Node};

use super::scalar;
use crate::show::{count, visible_short};

/// Characters of a cell, and of a row.
const WIDEST_CELL: usize = 28;
const WIDEST_ROW: usize = 100;
/// Rows that are drawn.
const MOST_ROWS: usize = 25;
/// Headings that are looked at.
const MOST_HEADINGS: usize = 17;
const BETWEEN: usize = 2;

/// The headings that a payload names: its `columns`, or the axis of a chart.
pub(super) fn headings(content: Node<'_>, titled: bool) -> Vec<String> {
    let list = |key: &str| content.get(key).filter(|list| list.kind() == Kind::Array);
    let text = |cell: Node<'_>| {
        let cell = if cell.kind() == Kind::Array { cell.elements().next() } else { Some(cell) };
        cell.and_then(scalar).unwrap_or_default().to_owned()
    };
    let columns = list("columns");
    let Some(named) = columns.or_else(|| list("X_axis")) else { return Vec::new() };
    let title = (titled && columns.is_none()).then(String::new);
    title.into_iter().chain(named.elements().map(text)).take(MOST_HEADINGS).collect()
}

/// The lines of a table; `headings` may be missing.
pub(super) fn lines(headings: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let cut = |cell: &String| visible_short(cell.trim(), WIDEST_CELL);
    let headings: Vec<String> = headings.iter().map(cut).collect();
    let shown: Vec<Vec<String>> =
        rows.iter().take(MOST_ROWS).map(|row| row.iter().map(cut).collect()).collect();
    let columns = shown.iter().map(Vec::len).chain([headings.len()]).max().unwrap_or(0);
    let column = |index: usize| shown.iter().filter_map(move |row| row.get(index));
    let width = |index: usize| {
        let cells = column(index).chain(headings.get(index));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..columns).map(width).collect();
    let mut total: usize = widths.iter().map(|width| width + BETWEEN).sum();
    while total > WIDEST_ROW
        && widths.len() > 1
        && let Some(last) = widths.pop()
    {
        total -= last + BETWEEN;
    }
    let is_number = |cell: &&String| cell.is_empty() || cell.replace(',', "").parse::<f64>().is_ok();
    let numbers: Vec<bool> = (0..widths.len())
        .map(|index| column(index).all(|cell| is_number(&cell)) && column(index).any(|cell| !cell.is_empty()))
        .collect();
    let line = |cells: &[String]| {
        let mut line = String::new();
        for (index, &width) in widths.iter().enumerate() {
            let cell = cells.get(index).map_or("", String::as_str);
            let padding = " ".repeat(width - cell.chars().count());
            let (before, after) =
                if numbers[index] { (padding, String::new()) } else { (String::new(), padding) };
            line.push_str(&before);
            line.push_str(cell);
            line.push_str(&after);
            line.push_str(&" ".repeat(BETWEEN));
        }
        line.trim_end().to_owned()
    };
    let mut out = Vec::new();
    if headings.iter().any(|heading| !heading.is_empty()) {
        out.push(line(&headings));
        let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        out.push(line(&rule));
    }
    out.extend(shown.iter().map(|row| line(row)));
    let (more_columns, more_rows) = (columns - widths.len(), rows.len() - shown.len());
    if more_columns > 0 {
        out.push(format!("… and {}", count(more_columns as u64, "more column", "more columns")));
    }
    if more_rows > 0 {
        out.push(format!("… and {}", count(more_rows as u64, "more row", "more rows")));
    }
    out
}
