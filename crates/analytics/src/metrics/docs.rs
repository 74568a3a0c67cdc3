//! The declaration of the metrics as Markdown. `docs/METRICS.md` is exactly this.

use std::fmt::Write as _;

use super::{Metric, RULES_VERSION};

const INTRODUCTION: &str = "\
`korpus analyze INPUT… --out DIR` makes these tables from the messages that are kept after de-duplication and filters. Rates stand
beside their numerator and denominator. The same messages give the same rows, whatever files they come in, in any order, with any number of
threads and any memory limit. Times and durations are those of `event_at`: `createdOn`, else `timestamp`, else `timestampValue`.

## Words

| word | meaning |
|---|---|
| in, out, other | `incoming`, `outgoing`, and all other types of messages, which count only in volumes and `other_count` |
| normalised | NFC, full case folding, white space runs to one space, trimmed; all comparisons of texts are of normalised ones |
| text | what a person saw of the first component (`TEMPLATES.md`) |
| pseudo-input | an in message whose text no person typed: `MAX_NO_INPUT`, `Call Termination Handler`, `StartFlow`, `Welcome Task` (`--pseudo-inputs FILE`) |
| closure | an out message whose text starts with `I am closing our current conversation` (`--closure-phrases FILE`) |
| fallback | an out message whose text contains `did not understand`, `didn't understand`, `didn't get that`, `did not get that` or `not able to understand` (`--fallback-phrases FILE`) |
| wrap-up | an out message whose text contains `anything else`, `any other assistance` or `something else i can help` (`--wrap-up-phrases FILE`) |
| order | of a session: time, `timestampValue`, in before out before other, message id; what is missing comes last |
| session | messages with the same (`botId`, `sessionId`). Agent AI messages without a session id belong to the messaging session of their record, else to the record; where messages with ids of other endpoints share that session, these copies leave the metrics. Messages by call id belong to their call. All others count in volumes only |
| developer session | any message is marked `isD` or `isBB`, or its platform session says so; left out whole, but for coverage and drift, unless `--include-developers` |
| coverage | of a bot: `--window FROM..TO`, else what its requests asked for, where they were saved with the responses, else from its first to its last message |
| day, hour | in `--timezone` (UTC by default) |

A file of phrases holds one a line; empty lines and lines that begin with `#` are passed over.

";

/// The docs of all metrics, as Markdown.
pub fn metrics_markdown() -> String {
    let mut out = format!("# Metrics (rules version {RULES_VERSION})\n\n");
    out.push_str(
        "<!-- Written by a test of korpus-analytics: change the declaration, not this file. -->\n\n",
    );
    out.push_str(INTRODUCTION);
    for metric in Metric::ALL {
        out.push_str(&metric_markdown(metric));
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// The docs of one table, as Markdown.
pub fn metric_markdown(metric: Metric) -> String {
    let table = metric.table();
    let mut out = format!("## {}\n\n{}\n\n", table.name, table.meaning);
    out.push_str(
        "| column | type | what it is | keep in mind | the platform's own |\n|---|---|---|---|---|\n",
    );
    for (index, column) in metric.columns().enumerate() {
        let name = if index < table.keys { format!("**{}**", column.name) } else { column.name.to_owned() };
        let required = if column.nullable { "" } else { " not null" };
        let _ = writeln!(
            out,
            "| {name} | {}{required} | {} | {} | {} |",
            column.kind.type_name(),
            column.formula,
            column.caveat,
            column.platform
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_docs_are_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/METRICS.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        if std::env::var_os("KORPUS_BLESS").is_some() {
            std::fs::write(path, metrics_markdown()).unwrap();
        } else {
            assert!(
                committed == metrics_markdown(),
                "run the test with KORPUS_BLESS=1 to write docs/METRICS.md anew"
            );
        }
    }
}
