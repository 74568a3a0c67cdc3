//! The round trip: messages into tables and back are the same JSON values.

use korpus_engine::InputList;
use korpus_tables::{ConvertOptions, convert};

use crate::json::{Json, same_value};
use crate::messages_of;

/// Converts the messages in `data`, and restores them.
///
/// # Panics
/// If one does not come back as it was.
pub fn restore(data: &[u8]) {
    let messages = messages_of(data);
    if !messages.is_empty() {
        restore_messages(&messages);
    }
}

/// Converts messages, and restores them.
///
/// # Panics
/// If one does not come back as it was.
pub fn restore_messages(messages: &[&[u8]]) {
    let body = [b"{\"total\":1,\"messages\":[", &*messages.join(&b','), b"]}"].concat();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let out = dir.path().join("out");
    let mut options = ConvertOptions { threads: 1, row_group_rows: Some(7), ..Default::default() };
    options.run.dedup = false;
    let report =
        convert(&InputList::from_bytes([("page.json", body)]), &out, &options, &()).expect("a dataset");
    assert!(report.run.ledger.is_clean(), "nothing is rejected");
    let mut lines = Vec::new();
    korpus_tables::restore(&out, &mut lines).expect("the messages again");
    let lines: Vec<_> = lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), messages.len(), "as many messages as there were");
    for (message, line) in messages.iter().zip(lines) {
        let (before, after) = (Json::parse(message).expect("JSON"), Json::parse(line).expect("JSON"));
        assert!(same_value(before, after), "before: {before:?}\nafter: {after:?}");
    }
}
