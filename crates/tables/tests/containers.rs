//! Archives: what is in them gives the rows that the same files give without them.

mod common;

use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use common::archives::{Files, gzip, har, tar, zip};
use common::{options, rows};
use korpus_engine::{ExpandOptions, InputStatus, expand};
use korpus_synth::{Codec, Damage, Profile, Shape, Size, Synth, SynthOptions};
use korpus_tables::{ConvertOptions, ConvertReport, Table, convert};
use proptest::prelude::*;

/// What tells where a row comes from.
const SOURCE: [&str; 5] = ["source_file", "container", "request_url", "request_method", "request_parameters"];

/// The rows of a table, what tells their source aside.
fn unsourced(dataset: &Path, table: Table) -> RecordBatch {
    let rows = rows(dataset, table);
    let keep: Vec<usize> = (0..rows.num_columns())
        .filter(|&column| !SOURCE.contains(&rows.schema().field(column).name().as_str()))
        .collect();
    rows.project(&keep).unwrap()
}

fn convert_files(dir: &Path, files: &Files, out: &Path, options: &ConvertOptions) -> ConvertReport {
    let paths: Vec<_> = files
        .iter()
        .map(|(name, content)| {
            let path = dir.join(name);
            std::fs::write(&path, content).unwrap();
            path
        })
        .collect();
    convert(&expand(&paths, &ExpandOptions::default()).unwrap(), out, options, &()).unwrap()
}

/// Packs runs of the files, by numbers that tell how long each run is and how it is packed.
fn packed(files: &Files, runs: &[(usize, u8)]) -> Files {
    let mut all = Files::new();
    let mut rest = &files[..];
    for (number, &(len, way)) in runs.iter().cycle().enumerate() {
        if rest.is_empty() {
            break;
        }
        let (run, later) = rest.split_at(len.min(rest.len()));
        rest = later;
        let run = run.to_vec();
        let mut put = |ending: &str, bytes: Vec<u8>| all.push((format!("{number:03}{ending}"), bytes));
        match way {
            0 => put(".tar.gz", gzip(&tar(&run))),
            1 => put(".zip", zip(&run)),
            2 => put(".har", har(&run)),
            3 => put(".tar.zst", zstd::encode_all(&tar(&run)[..], 1).unwrap()),
            // An archive inside another one.
            4 => put(".tar", tar(&vec![("inner.zip".to_owned(), zip(&run))])),
            5 => put(".zip", zip(&vec![("inner.har".to_owned(), har(&run))])),
            _ => all.extend(run),
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn archives_change_nothing_but_the_source(
        seed in 0..1000_u64,
        runs in prop::collection::vec((1..5_usize, 0..7_u8), 1..8),
        threads in 1..4_usize,
        block_bytes in prop::sample::select(vec![1_usize << 10, 20_000, 512 << 10]),
        whole_bytes in prop::sample::select(vec![1_usize, 3_000, 64 << 20]),
    ) {
        let synth = SynthOptions {
            seed,
            size: Size::Pages(24),
            page_size: 12,
            shapes: Shape::ALL.to_vec(),
            codecs: Codec::ALL.to_vec(),
            profile: Profile::Rich,
            duplicates: 0.1,
            edited_copies: 0.1,
            overlap: 0.2,
            damage: Damage::ALL.to_vec(),
            ..SynthOptions::default()
        };
        let (files, _) = Synth::new(synth).unwrap().write_memory().unwrap();
        let files: Files = files.into_iter().map(|(name, content)| (name.replace('/', "-"), content)).collect();
        let dir = tempfile::tempdir().unwrap();
        let (loose, archived) = (dir.path().join("loose"), dir.path().join("archived"));
        let expected = convert_files(dir.path(), &files, &loose, &options(1, 50, true));
        let mut other = options(threads, 50, true);
        other.run.limits.block_bytes = block_bytes;
        other.run.limits.whole_bytes = whole_bytes;
        let report = convert_files(dir.path(), &packed(&files, &runs), &archived, &other);
        prop_assert_eq!(expected.run.ledger.totals(), report.run.ledger.totals());
        for table in Table::ALL {
            prop_assert_eq!(unsourced(&loose, table), unsourced(&archived, table), "{}", table.name());
        }
        // Every file is known by its hash, wherever it stands.
        let hashes = |report: &ConvertReport| {
            let mut hashes: Vec<_> = report.manifest.inputs.iter().filter(|input| input.members.is_none())
                .map(|input| (input.hash.clone(), input.size)).collect();
            hashes.sort();
            hashes
        };
        prop_assert_eq!(hashes(&expected), hashes(&report));
    }
}

#[test]
fn rows_name_their_member_and_its_request() {
    let page =
        br#"{"total":1,"messages":[{"_id":"ms-1","type":"incoming","components":[]}],"moreAvailable":false}"#;
    let files = vec![("a.json".to_owned(), page.to_vec())];
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let all = vec![
        ("x.har".to_owned(), har(&files)),
        ("y.zip".to_owned(), zip(&files)),
        ("z.tgz".to_owned(), gzip(&tar(&vec![("y.zip".to_owned(), zip(&files))]))),
    ];
    let report = convert_files(dir.path(), &all, &out, &options(2, 50, true));
    let pages = rows(&out, Table::Pages);
    let column = |name: &str| -> Vec<Option<String>> {
        let column = pages.column_by_name(name).unwrap();
        let column = arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8).unwrap();
        column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    };
    let some = |texts: [&str; 3]| texts.map(|text| Some(text.to_owned())).to_vec();
    assert_eq!(column("source_file"), some(["x.har!entries[0]", "y.zip!a.json", "z.tgz!y.zip!a.json"]));
    assert_eq!(column("container"), some(["har", "zip", "zip"]));
    let url = "https://example.org/api/public/bot/st-1/getMessagesV2?name=a.json".to_owned();
    assert_eq!(column("request_url"), [Some(url), None, None]);
    assert_eq!(column("request_method"), [Some("POST".to_owned()), None, None]);
    assert_eq!(column("request_parameters"), [Some("skip=7".to_owned()), None, None]);
    let ledger = &report.run.ledger;
    assert_eq!((ledger.files(), ledger.members(), ledger.inputs().len()), (3, 3, 7));
    let bytes: usize = all.iter().map(|(_, content)| content.len()).sum();
    assert_eq!(ledger.bytes(), (bytes as u64, 3 * page.len() as u64));
    assert!(ledger.is_clean());
    let known: Vec<_> =
        report.manifest.inputs.iter().map(|input| (input.path.as_str(), input.members)).collect();
    assert_eq!(known[5..], [("z.tgz!y.zip", Some(1)), ("z.tgz", Some(1))]);
}

#[test]
fn archives_that_other_programs_wrote_are_read() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/archives");
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.join("expected.json")).unwrap()).unwrap();
    let place = tempfile::tempdir().unwrap();
    for (archive, expected) in expected.as_object().unwrap() {
        for (threads, whole_bytes) in [(1, 64 << 20), (3, 200)] {
            let out = place.path().join(format!("{archive}-{threads}"));
            let mut options = options(threads, 50, false);
            options.run.limits.whole_bytes = whole_bytes;
            let inputs = expand(&[dir.join(archive)], &ExpandOptions::default()).unwrap();
            let report = convert(&inputs, &out, &options, &()).unwrap();
            let pages = rows(&out, Table::Pages);
            let text = |name: &str| {
                let column = arrow::compute::cast(
                    pages.column_by_name(name).unwrap(),
                    &arrow::datatypes::DataType::Utf8,
                );
                column.unwrap()
            };
            let (names, statuses, reasons) = (text("source_file"), text("page_status"), text("reason"));
            let seen = pages.column_by_name("messages_seen").unwrap().as_primitive::<Int64Type>().clone();
            let found: Vec<serde_json::Value> = (0..pages.num_rows())
                .map(|row| {
                    let of = |column: &dyn Array| {
                        let column = column.as_string::<i32>();
                        column.is_valid(row).then(|| column.value(row).to_owned())
                    };
                    serde_json::json!([of(&names), of(&statuses), of(&reasons), seen.value(row)])
                })
                .collect();
            assert_eq!(&serde_json::Value::from(found), &expected["bodies"], "{archive}");
            let skipped = report.run.ledger.inputs().last().unwrap().members.as_ref().unwrap().skipped;
            assert_eq!(skipped, expected["skipped"].as_u64().unwrap(), "{archive}");
            let clean = report.run.ledger.inputs().iter().all(|input| input.status == InputStatus::Ok);
            assert_eq!(clean, expected["clean"].as_bool().unwrap(), "{archive}");
        }
    }
}
