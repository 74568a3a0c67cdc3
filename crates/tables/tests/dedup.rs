//! Copies: what a naive reading of the rule keeps is what the dataset holds, and its bytes depend on nothing else.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use common::{convert_bodies, files, options, page, restored, rows};
use korpus_tables::{Table, json_equal};
use proptest::prelude::*;

/// A message of id `id`, in its `edit`-th version, whose fields, tags, components and template all tell the version.
fn message(id: u64, edit: u64) -> Vec<u8> {
    let text = format!(
        r#"{{"type":"template","payload":{{"text":"v{edit}","elements":[{{"title":"e{edit}"}}],"buttons":[{{"title":"b","payload":"p{edit}"}}]}}}}"#
    );
    format!(
        "{{\"_id\":\"ms-{id}\",\"type\":\"outgoing\",\"botId\":\"st-1\",\"lang\":\"en\",\"sessionId\":\"s{}\",\"createdOn\":\"2025-09-01T{:02}:17:38.824Z\",\
         \"lmodifiedOn\":\"2025-09-01T12:17:{edit:02}.824Z\",\"chnl\":\"rtm\",\
         \"tags\":{{\"messageTags\":[{{\"name\":\"n\",\"value\":{edit}}},{{\"name\":\"m\"}}],\"altText\":[]}},\
         \"components\":[{{\"cT\":\"text\",\"data\":{{\"text\":{}}}}},{{\"cT\":\"image\",\"data\":{{\"url\":\"u{edit}\"}}}}]}}",
        id % 3,
        id % 24,
        serde_json::Value::from(text),
    )
    .into_bytes()
}

fn id_and_edit(line: &str) -> (u64, u64) {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let id = value["_id"].as_str().unwrap()[3..].parse().unwrap();
    (id, value["tags"]["messageTags"][0]["value"].as_u64().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_newest_copy_stays_with_all_its_rows(
        picks in prop::collection::vec((0..30_u64, 0..4_u64), 1..200),
        pages in 1..5_usize,
        limit in 2..20_usize,
    ) {
        let all: Vec<_> = picks.iter().map(|&(id, edit)| message(id, edit)).collect();
        let bodies: Vec<_> =
            all.chunks(all.len().div_ceil(pages)).map(|chunk| ("page.json", page(chunk))).collect();
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let report = convert_bodies(&bodies, &out, &options(2, limit, true));

        let mut newest = BTreeMap::new();
        for &(id, edit) in &picks {
            let best = newest.entry(id).or_insert(edit);
            *best = edit.max(*best);
        }
        let lines = restored(&out);
        let kept: BTreeMap<_, _> = lines.iter().map(|line| id_and_edit(line)).collect();
        prop_assert_eq!(lines.len(), newest.len());
        prop_assert_eq!(&kept, &newest);
        for line in &lines {
            let (id, edit) = id_and_edit(line);
            prop_assert!(json_equal(line, std::str::from_utf8(&message(id, edit)).unwrap()), "{}", line);
        }

        // Child rows of messages that are gone are gone too.
        let seqs = |table, column: usize| -> BTreeSet<i64> {
            rows(&out, table).column(column).as_primitive::<Int64Type>().iter().flatten().collect()
        };
        let messages = seqs(Table::Messages, 0);
        prop_assert_eq!(&seqs(Table::Tags, 0), &messages);
        prop_assert_eq!(&seqs(Table::Components, 0), &messages);
        prop_assert_eq!(rows(&out, Table::Tags).num_rows(), 2 * messages.len());
        for (table, column, prefix) in
            [(Table::Templates, "text", 'v'), (Table::Elements, "title", 'e'), (Table::Actions, "payload", 'p')]
        {
            prop_assert_eq!(&seqs(table, 0), &messages);
            let mut found: Vec<_> = rows(&out, table).column_by_name(column).unwrap().as_string::<i32>().iter().flatten().map(str::to_owned).collect();
            let mut expected: Vec<_> = newest.values().map(|edit| format!("{prefix}{edit}")).collect();
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected);
        }

        // Every version that lost stands in `superseded`, once, whole.
        let lost: BTreeSet<_> = picks.iter().copied().filter(|(id, edit)| newest[id] != *edit).collect();
        let superseded = rows(&out, Table::Superseded);
        let json = superseded.column_by_name("raw_json").unwrap().as_string::<i32>();
        let found: BTreeSet<_> = json.iter().flatten().map(id_and_edit).collect();
        prop_assert_eq!(&found, &lost);
        for row in json.iter().flatten() {
            let (id, edit) = id_and_edit(row);
            prop_assert!(json_equal(row, std::str::from_utf8(&message(id, edit)).unwrap()), "{}", row);
        }
        let winners = superseded.column_by_name("winner_seq").unwrap().as_primitive::<Int64Type>();
        prop_assert!(winners.values().iter().all(|winner| messages.contains(winner)));
        prop_assert_eq!(superseded.num_rows() as u64, report.manifest.totals.messages.superseded);

        // Those are the same where they are counted without the table of messages, filtered afterwards or not.
        for skip in [0, 7] {
            let [mut with, mut alone] = [options(1, limit, true), options(2, limit, true)];
            (with.run.filter.skip, alone.run.filter.skip) = (skip, skip);
            with.tables = vec![Table::Messages, Table::Volumes];
            alone.tables = vec![Table::Volumes];
            let [with, alone] = [("with", with), ("alone", alone)].map(|(name, options)| {
                let out = dir.path().join(format!("{name}-{skip}"));
                convert_bodies(&bodies, &out, &options);
                rows(&out, Table::Volumes)
            });
            prop_assert_eq!(with, alone);
        }
        // Volumes count what is kept, and nothing else.
        let volumes = rows(&out, Table::Volumes);
        let counts = volumes.column_by_name("messages").unwrap().as_primitive::<Int64Type>();
        prop_assert_eq!(counts.values().iter().sum::<i64>() as usize, newest.len());
        prop_assert_eq!(volumes.num_rows(), newest.keys().map(|id| id % 24).collect::<BTreeSet<_>>().len());
        prop_assert!(counts.null_count() == 0);
    }

    #[test]
    fn threads_and_blocks_do_not_show_in_the_bytes(
        picks in prop::collection::vec((0..40_u64, 0..3_u64), 1..300),
        limit in 2..30_usize,
        dedup in any::<bool>(),
    ) {
        let all: Vec<_> = picks.iter().map(|&(id, edit)| message(id, edit)).collect();
        let bodies: Vec<_> = all.chunks(40).map(|chunk| ("page.json", page(chunk))).collect();
        let dir = tempfile::tempdir().unwrap();
        let mut seen = Vec::new();
        for (threads, block_bytes) in [(1, 512 << 10), (2, 1000), (4, 5000)] {
            let out = dir.path().join(threads.to_string());
            let mut options = options(threads, limit, dedup);
            options.run.limits.block_bytes = block_bytes;
            convert_bodies(&bodies, &out, &options);
            seen.push(files(&out));
        }
        prop_assert!(seen[0] == seen[1] && seen[1] == seen[2]);
    }
}

#[test]
fn a_table_that_is_not_chosen_is_there_and_empty() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let bodies = [("a.json", page(&[message(1, 0), message(1, 1), message(2, 0)]))];
    let mut chosen = options(1, 8, true);
    chosen.tables = vec![Table::Superseded, Table::Volumes];
    convert_bodies(&bodies, &out, &chosen);
    for table in Table::ALL {
        let expected = match table {
            Table::Superseded => 1,
            Table::Volumes => 2,
            _ => 0,
        };
        assert_eq!(rows(&out, table).num_rows(), expected, "{table}");
    }
    let refused = korpus_tables::restore(&out, &mut Vec::new()).unwrap_err();
    assert!(refused.to_string().contains("messages"), "{refused}");
}

#[test]
fn copies_in_any_order_of_inputs_leave_the_same_messages() {
    let (a, b) =
        (page(&[message(1, 2), message(2, 0), message(3, 1)]), page(&[message(3, 2), message(1, 0)]));
    let dir = tempfile::tempdir().unwrap();
    let mut seen: Vec<BTreeSet<String>> = Vec::new();
    for (name, bodies) in
        [("ab", [("a", a.clone()), ("b", b.clone())]), ("ba", [("b", b.clone()), ("a", a.clone())])]
    {
        let out = dir.path().join(name);
        convert_bodies(&bodies, &out, &options(2, 2, true));
        seen.push(restored(&out).into_iter().collect());
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].len(), 3);
}
