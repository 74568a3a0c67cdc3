//! The RFC 8259 cases of `testdata/json`: our verdict, that of two other readers, and what they do to a page.

use std::path::Path;

use korpus_core::{InputEnd, validate};
use korpus_fuzz_oracles::{kept, page, parse};

/// Every case in which a reader's verdict is not that of RFC 8259 (which is ours): the reader, the case, and why.
/// `docs/VALIDATION.md` says the same.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("simd-json", "pass/number-400-digit-exponent", INFINITE),
    ("simd-json", "pass/number-400-digits", BIG),
    ("simd-json", "pass/number-past-double", INFINITE),
    ("simd-json", "pass/number-past-double-negative", INFINITE),
    ("simd-json", "pass/number-past-i64", BIG),
    ("simd-json", "pass/number-past-u64", BIG),
    ("simd-json", "pass/surrogate-high-then-bmp", LONE),
    ("simd-json", "pass/surrogate-high-then-escape", LONE),
    ("simd-json", "pass/surrogate-high-then-text", LONE),
    ("simd-json", "pass/surrogate-lone-high", LONE),
    ("simd-json", "pass/surrogate-lone-in-key", LONE),
    ("simd-json", "pass/surrogate-lone-low", LONE),
    ("simd-json", "pass/surrogate-reversed", LONE),
    ("simd-json", "pass/surrogate-two-high", LONE),
];

const BIG: &str = "an integer that does not fit 64 bits; korpus keeps every number as it is written";
const INFINITE: &str = "a number too large for a double; korpus keeps every number as it is written";
const LONE: &str = "a surrogate without its other half; RFC 8259 allows it, and real dumps hold it";

struct Case {
    name: String,
    bytes: Vec<u8>,
    is_valid: bool,
    /// Whether it is what it is inside a larger text too.
    stands_alone: bool,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/json");
    let mut cases = Vec::new();
    for (folder, is_valid, stands_alone) in
        [("pass", true, true), ("fail", false, true), ("fail-whole", false, false)]
    {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{folder}/{}", path.file_stem().unwrap().to_str().unwrap());
            cases.push(Case { name, bytes: std::fs::read(&path).unwrap(), is_valid, stands_alone });
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(cases.len() > 300);
    cases
}

#[test]
fn every_case_is_judged_as_its_folder_says() {
    for case in cases() {
        assert_eq!(validate(&case.bytes).is_ok(), case.is_valid, "{}", case.name);
    }
}

#[test]
fn other_readers_differ_only_where_the_table_says() {
    let mut found = Vec::new();
    for case in cases() {
        let serde_json = serde_json::from_slice::<&serde_json::value::RawValue>(&case.bytes).is_ok();
        let simd_json = simd_json::to_tape(&mut case.bytes.clone()).is_ok();
        let simd_json_value = simd_json::to_borrowed_value(&mut case.bytes.clone()).is_ok();
        assert_eq!(simd_json, simd_json_value, "{}: both ways of simd-json", case.name);
        for (reader, verdict) in [("serde_json", serde_json), ("simd-json", simd_json)] {
            if verdict != case.is_valid {
                found.push((reader, case.name.clone()));
            }
        }
    }
    found.sort();
    let expected: Vec<_> =
        DIFFERENCES.iter().map(|(reader, case, _)| (*reader, (*case).to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_differences_stand_in_the_documentation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/VALIDATION.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("| serde_json |") || line.starts_with("| simd-json |"))
        .collect();
    let expected: Vec<_> =
        DIFFERENCES.iter().map(|(reader, case, why)| format!("| {reader} | `{case}` | {why} |")).collect();
    assert_eq!(rows, expected);
}

#[test]
fn a_case_inside_a_message_harms_no_other_message() {
    let good = |id: &str| {
        format!(
            r#"{{"_id":"{id}","type":"incoming","components":[],"createdOn":"2025-09-01T12:17:38.824Z"}}"#
        )
    };
    let (before, after) = (good("ms-before"), good("ms-after"));
    for case in cases().into_iter().filter(|case| case.stands_alone) {
        for (open, close) in [
            (
                r#"{"_id":"ms-middle","type":"incoming","components":[],"unknown":"#,
                r#","createdOn":"2025-09-01T12:17:39.824Z"}"#,
            ),
            (
                r#"{"_id":"ms-middle","type":"incoming","components":[],"unknown":["#,
                r#"],"createdOn":"2025-09-01T12:17:39.824Z"}"#,
            ),
            (
                r#"{"_id":"ms-middle","type":"incoming","components":[],"unknown": {"a": "#,
                r#" }, "createdOn":"2025-09-01T12:17:39.824Z"}"#,
            ),
            (
                r#"{"_id":"ms-middle","type":"incoming","components":[{"cT":"text","data":"#,
                r#"}],"createdOn":"2025-09-01T12:17:39.824Z"}"#,
            ),
        ] {
            // An empty list is a list: that case is a fault only where a value must stand.
            if open.ends_with('[') && case.bytes.trim_ascii().is_empty() {
                continue;
            }
            let middle = [open.as_bytes(), &case.bytes, close.as_bytes()].concat();
            let body = [
                b"{\"total\":3,\"messages\":[",
                before.as_bytes(),
                b",",
                &middle,
                b",",
                after.as_bytes(),
                b"]}",
            ]
            .concat();
            let pages = parse(&body, None, 512 << 10, InputEnd::Complete);
            let kept = kept(&pages);
            assert_eq!((kept[0], kept[kept.len() - 1]), (&*before, &*after), "{}", case.name);
            let rejected: Vec<_> = pages[0].rejected.iter().map(|reject| reject.offset as usize).collect();
            if case.is_valid {
                assert_eq!(
                    (kept.len(), kept[1].as_bytes(), rejected),
                    (3, &*middle, vec![]),
                    "{}",
                    case.name
                );
            } else {
                let start = body.len() - after.len() - 3 - middle.len();
                assert_eq!((kept.len(), rejected), (2, vec![start]), "{}", case.name);
                assert_eq!(pages[0].rejected[0].message_id.as_deref(), Some("ms-middle"), "{}", case.name);
            }
            page(&body);
        }
    }
}
