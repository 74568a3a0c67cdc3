//! `korpus schema`: the tables, those of metrics too, their columns and meaning; the template types that are known.

use std::fmt::Write as _;

use korpus_analytics::{Metric, MetricColumn, RULES_VERSION, metric_markdown, metrics_markdown};
use korpus_core::TEMPLATE_TYPES;
use korpus_tables::{Column, SCHEMA_VERSION, Table, markdown, table_markdown, templates_markdown};
use serde_json::json;

use crate::args::{SchemaArgs, SchemaFormat};
use crate::exit::{Exit, Failure};
use crate::show::{Grid, STRONG, print, print_json};

/// Runs the command.
pub(crate) fn run(args: &SchemaArgs) -> Result<Exit, Failure> {
    if args.templates {
        match args.format {
            SchemaFormat::Text => print(&templates_text())?,
            SchemaFormat::Markdown => print(&templates_markdown())?,
            SchemaFormat::Json => print_json(&json!({"template_types": templates_json()}))?,
        }
        return Ok(Exit::Clean);
    }
    if let Some(chosen) = &args.metrics {
        let metrics = if chosen.is_empty() { &Metric::ALL } else { chosen.as_slice() };
        match args.format {
            SchemaFormat::Text => print(&metrics_text(metrics))?,
            SchemaFormat::Markdown if chosen.is_empty() => print(&metrics_markdown())?,
            SchemaFormat::Markdown => {
                let tables: Vec<String> = metrics.iter().map(|&metric| metric_markdown(metric)).collect();
                print(&tables.join("\n"))?;
            }
            SchemaFormat::Json => {
                let tables: Vec<_> = metrics.iter().map(|&metric| metric_json(metric)).collect();
                print_json(&json!({"rules_version": RULES_VERSION, "tables": tables}))?;
            }
        }
        return Ok(Exit::Clean);
    }
    let tables: Vec<Table> = args.table.map_or_else(|| Table::ALL.to_vec(), |table| vec![table]);
    match (args.format, args.table) {
        (SchemaFormat::Text, _) => print(&text(&tables))?,
        (SchemaFormat::Markdown, None) => print(&markdown())?,
        (SchemaFormat::Markdown, Some(table)) => print(&table_markdown(table))?,
        (SchemaFormat::Json, _) => {
            let tables: Vec<_> = tables.into_iter().map(table_json).collect();
            print_json(&json!({"schema_version": SCHEMA_VERSION, "tables": tables}))?;
        }
    }
    Ok(Exit::Clean)
}

/// The type, without the escapes that Markdown needs.
fn type_name(column: &Column) -> String {
    column.kind.type_name().replace("&lt;", "<").replace("&gt;", ">")
}

/// Puts a table and its name, apart from the one before.
fn put_table(out: &mut String, name: &str, meaning: &str, grid: &Grid) {
    if !out.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "{STRONG}{name}{STRONG:#}  {meaning}");
    grid.print(out);
}

fn text(tables: &[Table]) -> String {
    let mut out = String::new();
    for table in tables {
        let mut grid = Grid::new(&["column", "type", "from", "meaning"]);
        for column in table.columns() {
            let required = if column.nullable { "" } else { " not null" };
            // The parts of a struct are told once, in the documents.
            let kind = type_name(column);
            let kind = kind.split_once('<').map_or(kind.as_str(), |(outer, inner)| {
                if inner.starts_with("struct") {
                    "list<struct>"
                } else if outer == "list" {
                    "list<utf8>"
                } else {
                    &kind
                }
            });
            grid.row([
                column.name.to_owned(),
                format!("{kind}{required}"),
                column.source.to_owned(),
                column.meaning.to_owned(),
            ]);
        }
        put_table(&mut out, table.name(), table.meaning(), &grid);
    }
    out
}

fn metrics_text(metrics: &[Metric]) -> String {
    let mut out = String::new();
    for metric in metrics {
        let mut grid = Grid::new(&["column", "type", "what it is", "keep in mind"]);
        for column in metric.columns() {
            let required = if column.nullable { "" } else { " not null" };
            grid.row([
                column.name.to_owned(),
                format!("{}{required}", column.kind.type_name()),
                column.formula.to_owned(),
                column.caveat.to_owned(),
            ]);
        }
        put_table(&mut out, metric.name(), metric.table().meaning, &grid);
    }
    out
}

fn metric_json(metric: Metric) -> serde_json::Value {
    let keys = metric.table().keys;
    let column = |(index, column): (usize, &MetricColumn)| {
        json!({
            "name": column.name,
            "type": column.kind.type_name(),
            "nullable": column.nullable,
            "is_key": index < keys,
            "meaning": column.formula,
            "caveat": column.caveat,
            "platform": column.platform,
        })
    };
    json!({
        "name": metric.name(),
        "meaning": metric.table().meaning,
        "columns": metric.columns().enumerate().map(column).collect::<Vec<_>>(),
    })
}

/// The template types, by family.
fn templates_text() -> String {
    let mut grid = Grid::new(&["family", "template_type", "what a person sees", "what is read"]);
    for known in TEMPLATE_TYPES {
        let read = known.read.join(", ");
        grid.row([known.family, known.name, known.meaning, &read].map(str::to_owned));
    }
    let mut out = String::new();
    put_table(&mut out, "templates", "The types that are known. Any other is read by the same rule", &grid);
    out
}

fn templates_json() -> serde_json::Value {
    let known = TEMPLATE_TYPES.iter().map(|known| {
        json!({
            "template_type": known.name,
            "family": known.family,
            "read": known.read,
            "known": known.known,
            "meaning": known.meaning,
        })
    });
    known.collect()
}

fn table_json(table: Table) -> serde_json::Value {
    let column = |column: &Column| {
        json!({
            "name": column.name,
            "type": type_name(column),
            "nullable": column.nullable,
            "from": column.source,
            "meaning": column.meaning,
        })
    };
    json!({
        "name": table.name(),
        "meaning": table.meaning(),
        "columns": table.columns().iter().map(column).collect::<Vec<_>>(),
    })
}
