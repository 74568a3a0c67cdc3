//! `korpus convert`: dumps to a dataset of Parquet tables.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use korpus_tables::{ConvertOptions, ConvertReport, convert};
use serde_json::json;

use super::volumes;
use crate::args::{ConvertArgs, Format};
use crate::exit::{Exit, Failure};
use crate::reading::Reading;
use crate::show::{Grid, count, heading, print, print_json, size, thousands, visible};
use crate::summary::Summary;

/// Runs the command.
pub(crate) fn run(args: &ConvertArgs) -> Result<Exit, Failure> {
    let started = Instant::now();
    let reading = Reading::new(&args.read, Some(&args.out))?;
    let options = ConvertOptions {
        run: reading.options.clone(),
        threads: reading.threads,
        compression: args.compression,
        tables: args.tables.clone(),
        overwrite: args.overwrite,
        strict: args.strict,
        ..ConvertOptions::default()
    };
    let progress = reading.progress();
    let outcome = convert(&reading.inputs, &args.out, &options, &progress);
    progress.finish();
    let report = outcome?;
    let summary = Summary {
        inputs: &reading.inputs,
        ledger: &report.run.ledger,
        expected: reading.expected.as_ref(),
        anchor_found: report.run.anchor_found,
        took: started.elapsed(),
    };
    let exit = if summary.is_clean() { Exit::Clean } else { Exit::Findings };
    if !args.read.common.quiet {
        match args.read.common.format {
            Format::Text => print(&text(&summary, &report, &args.out))?,
            Format::Json => print_json(&to_json(&summary, &report, &args.out, exit))?,
        }
    }
    Ok(exit)
}

fn text(summary: &Summary<'_>, report: &ConvertReport, out_dir: &Path) -> String {
    let mut out = String::new();
    summary.print_read(&mut out);
    summary.print_books(&mut out);
    summary.print_troubles(&mut out);
    volumes::print(&report.volumes, &mut out);
    let files = &report.manifest.files;
    heading(&mut out, &format!("Written to {}", visible(&out_dir.display().to_string())));
    let mut grid = Grid::new(&["table", "rows>", "size>"]);
    for file in files.iter().filter(|file| file.rows > 0) {
        grid.row([file.table.clone(), thousands(file.rows), size(file.bytes)]);
    }
    grid.print(&mut out);
    let empty: Vec<&str> =
        files.iter().filter(|file| file.rows == 0).map(|file| file.table.as_str()).collect();
    if !empty.is_empty() {
        let _ = writeln!(
            out,
            "  and {} without rows: {}",
            count(empty.len() as u64, "table", "tables"),
            empty.join(", ")
        );
    }
    out
}

fn to_json(summary: &Summary<'_>, report: &ConvertReport, out_dir: &Path, exit: Exit) -> serde_json::Value {
    let mut map = summary.to_json();
    map.insert("command".to_owned(), json!("convert"));
    map.insert("out".to_owned(), json!(out_dir.to_string_lossy()));
    map.insert("files".to_owned(), json!(report.manifest.files));
    map.insert("volumes".to_owned(), volumes::to_json(&report.volumes));
    map.insert("exit_code".to_owned(), json!(exit.code()));
    map.into()
}
