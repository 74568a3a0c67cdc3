//! What becomes of messages and records at the end of a run: filters, windows, anchors, copies of records.

use korpus_core::Record;

use super::*;
use crate::around::BodyKey;
use crate::keylog::Key;

#[test]
fn filters_skip_and_limit_and_the_books() {
    let ids = ["a", "b", "c", "d", "e", "f", "a"];
    let inputs =
        InputList::from_bytes([("x.json", plain_messages(&ids[..4])), ("y.json", plain_messages(&ids[4..]))]);
    let run_with = |filter: Filter| {
        let options = RunOptions { filter, ..RunOptions::default() };
        let (seen, report) = trace(2, 1 << 20, &inputs, &options);
        let kept = |message: &&(u64, String, bool)| report.messages.fate(message.0) == Fate::Kept;
        let ids: String = seen.messages.iter().filter(kept).map(|message| message.1.as_str()).collect();
        assert_eq!(report.ledger.totals().0.kept, ids.len() as u64);
        (ids, report)
    };
    assert_eq!(run_with(Filter::default()).0, "abcdef");
    assert_eq!(run_with(Filter { skip: 2, limit: Some(3), ..Filter::default() }).0, "cde");
    assert_eq!(run_with(Filter { skip: 9, ..Filter::default() }).0, "");
    assert_eq!(run_with(Filter { limit: Some(0), ..Filter::default() }).0, "");
    let (ids, report) = run_with(Filter { message_type: vec!["outgoing".to_owned()], ..Filter::default() });
    assert_eq!(ids, "");
    let totals = report.ledger.totals().0;
    assert_eq!((totals.seen, totals.filtered, totals.duplicate), (7, 6, 1));
    assert!(report.messages.is_untouched(0..6) && !report.messages.is_untouched(0..7));
}

#[test]
fn a_message_id_keeps_its_session_on_one_side() {
    let message = |id: &str, session: &str, minute: u32| {
        format!(
            r#"{{"_id":"{id}","type":"incoming","sessionId":"{session}","createdOn":"2025-09-01T12:{minute:02}:00.000Z","components":[]}}"#
        )
    };
    let body = format!(
        r#"{{"messages":[{},{},{},{},{}]}}"#,
        message("a", "s", 1),
        message("b", "t", 2),
        message("c", "s", 3),
        message("d", "s", 5),
        message("e", "t", 6),
    );
    let inputs = InputList::from_bytes([("x.json", body.into_bytes())]);
    let around = |id: &str, direction: i64, limit: Option<u64>| {
        let filter =
            Filter { msg_id: Some(id.to_owned()), direction: direction.into(), limit, ..Filter::default() };
        let options = RunOptions { filter, ..RunOptions::default() };
        let (seen, report) = trace(1, 1 << 20, &inputs, &options);
        let kept = |message: &&(u64, String, bool)| report.messages.fate(message.0) == Fate::Kept;
        let ids: String = seen.messages.iter().filter(kept).map(|message| message.1.as_str()).collect();
        assert_eq!(report.ledger.totals().0.kept, ids.len() as u64);
        (ids, report.anchor_found)
    };
    assert_eq!(around("c", 1, None), ("cd".to_owned(), Some(true)));
    assert_eq!(around("c", -1, None), ("ac".to_owned(), Some(true)));
    assert_eq!(around("c", 0, None), ("acd".to_owned(), Some(true)));
    assert_eq!(around("c", 0, Some(2)), ("ac".to_owned(), Some(true)));
    assert_eq!(around("nobody", 0, None), (String::new(), Some(false)));
}

#[test]
fn records_are_compared_by_their_own_ids() {
    let session = |bot: &str, id: &str, count: u32| {
        format!(r#"{{"botId":"{bot}","sessionId":"{id}","noOfMessagesExchanged":{count}}}"#)
    };
    let sessions = |list: &[String]| format!(r#"{{"total":1,"sessions":[{}]}}"#, list.join(",")).into_bytes();
    let inputs = InputList::from_bytes([
        ("1.json", sessions(&[session("b", "s", 1), session("b", "t", 1), session("c", "s", 1)])),
        ("2.json", sessions(&[session("b", "s", 1), session("b", "t", 2)])),
    ]);
    let (seen, report) = trace(1, 1 << 20, &inputs, &RunOptions::default());
    assert_eq!(seen.records.len(), 5);
    let records = report.ledger.totals().1;
    assert_eq!((records.seen, records.kept, records.duplicate, records.superseded), (5, 3, 1, 1));
    assert_eq!(report.ledger.totals().0.seen, 0);
}

#[test]
fn jobs_can_tell_records_apart() {
    struct Kinds;
    impl Job for Kinds {
        type Local = ();
        type Part = (u64, u64);
        type State = (u64, u64);
        type Error = EngineError;
        fn local(&self) {}
        fn part(&self) -> (u64, u64) {
            (0, 0)
        }
        fn map(&self, (): &mut (), work: &Work<'_>, part: &mut (u64, u64)) {
            for item in work.records() {
                match item.record {
                    Record::Session(_) => part.0 += 1,
                    Record::Conversation(_) => part.1 += 1,
                }
            }
        }
        fn commit(&self, state: &mut (u64, u64), _: &BlockSeq<'_>, part: (u64, u64)) -> Result<()> {
            *state = (state.0 + part.0, state.1 + part.1);
            Ok(())
        }
    }
    let (inputs, truth) = synth(SynthOptions {
        size: Size::Pages(4),
        page_size: 10,
        shapes: vec![Shape::Sessions, Shape::AgentAi],
        ..SynthOptions::default()
    });
    let mut state = (0, 0);
    run(&Pool::new(2).unwrap(), &inputs, &RunOptions::default(), &Kinds, &mut state, &()).unwrap();
    assert!(state.0 > 0 && state.1 > 0);
    assert_eq!(state.0 + state.1, truth.records.seen);
}

#[test]
fn jobs_know_what_de_duplication_knows_of_what_they_map() {
    struct Keys;
    impl Job for Keys {
        type Local = ();
        type Part = Vec<(String, Key)>;
        type State = Vec<(String, Key)>;
        type Error = EngineError;
        fn local(&self) {}
        fn part(&self) -> Self::Part {
            Vec::new()
        }
        fn map(&self, (): &mut (), work: &Work<'_>, part: &mut Self::Part) {
            for (item, key) in work.messages().zip(work.message_keys()) {
                let id = item.message.id().map(Text::lossy).unwrap_or_default().into_owned();
                if id == "poison" {
                    resume_unwind(Box::new("on purpose"));
                }
                assert_eq!(item.ordinal, key.ordinal);
                part.push((id, *key));
            }
        }
        fn commit(&self, state: &mut Self::State, _: &BlockSeq<'_>, part: Self::Part) -> Result<()> {
            state.extend(part);
            Ok(())
        }
    }
    let nameless =
        br#"{"messages":[{"type":"incoming","timestamp":"2025-09-01T12:17:38.824Z","text":"yes"}]}"#;
    let inputs = InputList::from_bytes([
        ("1.json", plain_messages(&["a", "poison", "b"])),
        ("2.json", plain_messages(&["b", "c"])),
        ("3.json", nameless.to_vec()),
    ]);
    let mut found = Vec::new();
    run(&Pool::new(1).unwrap(), &inputs, &RunOptions::default(), &Keys, &mut found, &()).unwrap();
    let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "b", "c", ""]);
    let id = |at: usize, array_hash: u128| {
        let mut key: Key = found[at].1;
        key.settle(|_| BodyKey { array_hash, around: 0 });
        key.id
    };
    assert!(id(1, 7) == id(2, 8) && id(0, 7) != id(1, 7));
    // Without an id of its own it is another message in another body.
    assert!(id(4, 7) == id(4, 7) && id(4, 7) != id(4, 8));
    assert_eq!(found[4].1.surrogate_page, Some(0));
    let options = RunOptions { dedup: false, ..RunOptions::default() };
    found.clear();
    run(&Pool::new(1).unwrap(), &inputs, &options, &Keys, &mut found, &()).unwrap();
    assert!(found.is_empty());
}

#[test]
fn messages_without_ids_are_the_same_where_their_records_are() {
    let message = |text: &str| {
        format!(r#"{{"type":"incoming","timestamp":"2025-09-01T12:17:38.824Z","text":"{text}"}}"#)
    };
    let record = |id: &str, texts: &[&str]| {
        let messages: Vec<String> = texts.iter().map(|text| message(text)).collect();
        format!(r#"{{"_id":"{id}","convId":"c-{id}","messages":[{}]}}"#, messages.join(","))
    };
    let body = |records: &[String]| format!(r#"{{"results":[{}]}}"#, records.join(",")).into_bytes();
    let (a, b, c) = (record("a", &["yes", "yes", "no"]), record("b", &["yes"]), record("c", &["no"]));
    // Another state of the same conversation: one message more.
    let later = record("b", &["yes", "bye"]);
    for (bodies, kept, duplicate) in [
        // Pages that overlap by one record.
        (vec![body(&[a.clone(), b.clone()]), body(&[b.clone(), c.clone()])], 5, 1),
        (vec![body(&[b.clone(), c.clone()]), body(&[a.clone(), b.clone()])], 5, 1),
        // The same record twice in one body.
        (vec![body(&[a.clone(), a.clone()])], 3, 3),
        (vec![body(&[b.clone(), c.clone()]), body(&[later, a])], 6, 1),
        // Records without an id are the same in equal bodies only.
        (vec![body(&[record("", &["yes"]), record("", &["no"])]), body(&[record("", &["yes"])])], 3, 0),
    ] {
        let inputs =
            InputList::from_bytes(bodies.into_iter().enumerate().map(|(n, b)| (format!("{n}.json"), b)));
        let (_, report) = trace(2, 1 << 20, &inputs, &RunOptions::default());
        let totals = report.ledger.totals().0;
        assert_eq!((totals.kept, totals.duplicate, totals.superseded), (kept, duplicate, 0));
        assert_eq!(totals.seen, kept + duplicate);
    }
}

#[test]
fn of_equal_messages_the_one_in_the_richest_record_is_kept() {
    let message = r#"{"_id":"m","type":"incoming"}"#;
    let body = |list: &str, of: &str| format!(r#"{{"{list}":[{of}]}}"#).into_bytes();
    let record = |keys: &str| body("results", &format!(r#"{{"_id":"a",{keys}"messages":[{message}]}}"#));
    let bodies = [
        ("page", body("messages", message)),
        ("poor", record("")),
        ("null", record(r#""mbSessionId":null,"#)),
        ("rich", record(r#""mbSessionId":"s","#)),
    ];
    for turn in 0..bodies.len() {
        let mut bodies = bodies.clone();
        bodies.rotate_left(turn);
        for _ in 0..2 {
            bodies.reverse();
            let (_, report) =
                trace(2, 1 << 20, &InputList::from_bytes(bodies.clone()), &RunOptions::default());
            let kept = |at: &usize| report.messages.fate(*at as u64) == Fate::Kept;
            let kept: Vec<&str> = (0..bodies.len()).filter(kept).map(|at| bodies[at].0).collect();
            assert_eq!(kept, ["rich"], "{turn}");
            let records = report.ledger.totals().1;
            assert_eq!((records.kept, records.superseded), (1, 2));
            let of_records: Vec<&str> =
                bodies.iter().map(|body| body.0).filter(|name| *name != "page").collect();
            let kept = |at: &usize| report.records.fate(*at as u64) == Fate::Kept;
            assert_eq!((0..3).filter(kept).map(|at| of_records[at]).collect::<Vec<_>>(), ["rich"]);
        }
    }
}
