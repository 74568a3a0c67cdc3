//! The three steps over Arrow batches, with an exchange between them, give what one run gives over everything.

mod dump;
mod surrounded;

use std::collections::BTreeMap;
use std::slice::from_ref;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, FixedSizeBinaryArray, Int32Array, Int32Builder,
    Int64Array, Int64Builder, LargeBinaryArray, LargeStringArray, ListBuilder, StringArray, StringViewArray,
    UInt8Array, UInt64Array,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType, UInt8Type, UInt64Type};
use arrow::record_batch::RecordBatch;
use korpus_analytics::steps::{
    ExchangeBy, MappedEvents, deduplicate_events, events_schema, exchange, fold_events, fold_users,
    map_batches, map_events, notes_schema,
};
use korpus_analytics::{
    Aggregates, AnalyticsError, AnalyzeOptions, Counts, Coverage, MergeableState, Metric, Tables, collect,
};
use korpus_engine::{ExpandOptions, Filter, InputInfo, InputKind, InputList, expand};
use korpus_synth::hostile::{HostileConversation, HostileMessage};
use proptest::prelude::*;

use dump::{assert_same, bodies, options, run, without_sources};

type Bodies = Vec<(String, Vec<u8>)>;

/// As it comes out of a batch that it travelled in.
fn sent<S: MergeableState>(state: &S) -> S {
    S::from_arrow(&state.to_arrow().unwrap()).unwrap()
}

/// Bodies as rows.
fn batch_of(bodies: &Bodies) -> RecordBatch {
    let names: ArrayRef = Arc::new(bodies.iter().map(|(name, _)| Some(name)).collect::<StringArray>());
    let values: ArrayRef = Arc::new(bodies.iter().map(|(_, body)| Some(body)).collect::<BinaryArray>());
    RecordBatch::try_from_iter([("source", names), ("body", values)]).unwrap()
}

/// Deals bodies out, so that those that follow one another go to different workers.
fn dealt(bodies: &Bodies, workers: usize) -> Vec<Bodies> {
    let mut hands = vec![Vec::new(); workers];
    for (at, body) in bodies.iter().enumerate() {
        hands[at % workers].push(body.clone());
    }
    hands
}

/// What is to be exchanged by message before sessions are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    Messages,
    Sessions,
}

/// The whole chain over what workers mapped, each in a process of its own as it were.
fn chain(mapped: &[MappedEvents], first: First, options: &AnalyzeOptions) -> (Tables, Counts) {
    let mut events: Vec<RecordBatch> =
        mapped.iter().rev().flat_map(|mapped| mapped.batches.clone()).collect();
    let mut coverage = Coverage::default();
    if first == First::Messages {
        let partitions = exchange(&events, ExchangeBy::Message, 4).unwrap();
        events.clear();
        for partition in partitions {
            let winners = deduplicate_events(&[partition]).unwrap();
            coverage.merge(sent(&Coverage::of_events(&winners).unwrap()));
            events.extend(winners);
        }
    }
    for mapped in mapped {
        let known =
            if first == First::Messages { mapped.coverage.of_requests() } else { mapped.coverage.clone() };
        coverage.merge(sent(&known));
    }
    let mut sessions = Vec::new();
    let mut users = Vec::new();
    let mut states = Vec::new();
    for partition in exchange(&events, ExchangeBy::Session, 3).unwrap() {
        let folded = fold_events(&[partition], &coverage, options).unwrap();
        sessions.push(folded.sessions);
        users.push(folded.users);
        states.push(sent(&folded.state));
    }
    for partition in exchange(&users, ExchangeBy::User, 2).unwrap() {
        states.push(sent(&fold_users(&[partition]).unwrap()));
    }
    let mut state = Aggregates::default();
    states.rotate_left(2);
    states.into_iter().rev().for_each(|other| state.merge(other));
    let mut batches: BTreeMap<Metric, Vec<RecordBatch>> = BTreeMap::from([(Metric::Sessions, sessions)]);
    let mut put = |metric, batch| {
        batches.entry(metric).or_default().push(batch);
        Ok(())
    };
    let counts = state.tables(options, None, &mut put).unwrap();
    let tables = batches
        .iter()
        .map(|(metric, batches)| (metric.name(), concat_batches(&metric.arrow_schema(), batches).unwrap()));
    (without_sources(tables.collect()), counts)
}

fn map_all(bodies: &Bodies, workers: usize, options: &AnalyzeOptions) -> Vec<MappedEvents> {
    let map = |(at, hand): (usize, Bodies)| {
        // Bodies in memory or as rows: it is the same step.
        if at == 0 {
            map_events(&InputList::from_bytes(hand), options, &()).unwrap()
        } else {
            map_batches(&[batch_of(&hand)], options, &()).unwrap()
        }
    };
    dealt(bodies, workers).into_iter().enumerate().map(map).collect()
}

/// Either way of bringing together what workers mapped gives what one run gave.
fn assert_as_whole(
    mapped: &[MappedEvents],
    (whole, counts): (&Tables, Counts),
    options: &AnalyzeOptions,
    what: &str,
) {
    for (first, name) in [(First::Messages, "messages first"), (First::Sessions, "sessions alone")] {
        let (tables, found) = chain(mapped, first, options);
        assert_eq!(found, counts, "{what}, {name}");
        assert_same(whole, &tables, &format!("{what}, {name}"));
    }
}

fn kept(mapped: &[MappedEvents]) -> u64 {
    mapped.iter().map(|mapped| mapped.run.ledger.totals().0.kept).sum()
}

#[test]
fn texts_that_come_again_show_what_they_showed_first() {
    let mut options = AnalyzeOptions { threads: 1, ..options() };
    options.run.dedup = false;
    let bodies = bodies();
    let copies = 4;
    let copy = |copy: usize| bodies.iter().map(move |(name, body)| (format!("{copy}-{name}"), body.clone()));
    let inputs = InputList::from_bytes((0..copies).flat_map(copy));
    let mapped = map_events(&inputs, &options, &()).unwrap();
    let events = concat_batches(&mapped.batches[0].schema(), &mapped.batches).unwrap();
    let payloads: &BinaryArray = events["payload"].as_binary();
    let (seqs, kinds) =
        (events["seq"].as_primitive::<UInt64Type>(), events["kind"].as_primitive::<UInt8Type>());
    // Messages of sessions, and of none: records of sessions have other numbers.
    let mut messages: Vec<usize> = (0..events.num_rows()).filter(|&row| kinds.value(row) < 2).collect();
    messages.sort_unstable_by_key(|&row| seqs.value(row));
    let payloads: Vec<&[u8]> = messages.into_iter().map(|row| payloads.value(row)).collect();
    assert!(payloads.len() > 15_000 && payloads.len().is_multiple_of(copies));
    // A text is looked into the first time and the second, and known from then on.
    let first = &payloads[..payloads.len() / copies];
    assert!(payloads.chunks(first.len()).all(|copy| copy == first));
}

#[test]
fn workers_whose_pages_overlap_give_what_one_run_gives() {
    let bodies = bodies();
    let options = options();
    let (whole, counts, _) = run(bodies.clone(), &options);
    let mapped = map_all(&bodies, 3, &options);
    let alone = kept(&map_all(&bodies, 1, &options));
    assert!(kept(&mapped) > alone + 400, "copies go to different workers: {} {alone}", kept(&mapped));
    assert_as_whole(&mapped, (&whole, counts), &options, "overlapping");
}

/// Copies of each message that differ in all that decides, of sessions and of none.
#[test]
fn the_same_copy_wins_as_in_one_run() {
    let mut numbers = Numbers(5);
    let copy = |id: u64, numbers: &mut Numbers| {
        let mut pick = |of: &[&'static str]| of[numbers.next() as usize % of.len()];
        let version = pick(&[
            "",
            r#""lmodifiedOn":"2025-09-03T11:00:00.000Z","#,
            r#""__lModifiedOn__":"2025-09-03T12:00:00.000Z","#,
        ]);
        let language = pick(&["", r#""lang":"en","#]);
        let text = pick(&["yes", "no", "maybe"]);
        let session =
            if id.is_multiple_of(3) { String::new() } else { format!(r#""sessionId":"s-{}","#, id % 7) };
        format!(
            r#"{{"_id":"m{id}","botId":"b",{session}{version}{language}"tN":"{text}","type":"incoming",
            "createdOn":"2025-09-03T10:00:00.000Z","components":[{{"cT":"text","data":{{"text":"{text}"}}}}]}}"#
        )
    };
    let copies: Vec<String> = (0..400).map(|at| copy(at % 59, &mut numbers)).collect();
    let body = |(at, copies): (usize, &[String])| {
        let body = format!(r#"{{"total":5,"moreAvailable":false,"messages":[{}]}}"#, copies.join(","));
        (at.to_string(), body.into_bytes())
    };
    let bodies: Bodies = copies.chunks(5).enumerate().map(body).collect();
    let options = options();
    let (whole, counts, _) = run(bodies.clone(), &options);
    assert_eq!((counts.sessions, counts.unsessioned), (7, 20));
    let mapped = map_all(&bodies, 3, &options);
    assert_as_whole(&mapped, (&whole, counts), &options, "copies");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equal_messages_belong_to_the_same_session_wherever_they_are_read(bodies in surrounded::bodies()) {
        let bodies = surrounded::named(bodies);
        let options = options();
        let (whole, counts, _) = run(bodies.clone(), &options);
        let (tables, found) = chain(&map_all(&bodies, 2, &options), First::Messages, &options);
        prop_assert_eq!(found, counts);
        assert_same(&whole, &tables, "messages first");
    }
}

/// What is broken, odd or hostile.
#[test]
fn odd_dumps_are_mapped_and_folded_too() {
    let dumps = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/dumps");
    let files = expand(&[dumps], &ExpandOptions::default()).unwrap();
    let read = |input: &InputInfo| match &input.kind {
        InputKind::File(path) => (input.display.clone(), std::fs::read(path).unwrap()),
        other => panic!("{other:?}"),
    };
    let mut bodies: Bodies = files.inputs.iter().map(read).collect();
    let messages = (0..200).map(HostileMessage::generate);
    let records = (0..60).map(HostileConversation::generate);
    // Each comes twice, to different workers.
    let hostile = messages
        .chain(records)
        .enumerate()
        .flat_map(|(at, body)| [1, 2].map(|time| (format!("{at} {time}"), body.clone())));
    bodies.extend(hostile);
    let options = options();
    let (whole, counts, _) = run(bodies.clone(), &options);
    let (tables, found) = chain(&map_all(&bodies, 3, &options), First::Messages, &options);
    assert_eq!(found, counts);
    assert_same(&whole, &tables, "odd");

    // Where all events are of one run, it tells where something was first.
    let (whole, _) = collect(&InputList::from_bytes(bodies.clone()), &options, &()).unwrap();
    let mapped = &map_all(&bodies, 1, &options)[0];
    let folded = fold_events(&mapped.batches, &mapped.coverage, &options).unwrap();
    let mut drift = Vec::new();
    let mut put = |metric, batch| {
        drift.extend((metric == Metric::Drift).then_some(batch));
        Ok(())
    };
    folded.state.tables(&options, Some(&mapped.run), &mut put).unwrap();
    assert!(drift[0].num_rows() > 10);
    assert!(drift == [whole["drift"].clone()]);
}

#[test]
fn filters_decide_about_the_copy_that_wins_wherever_it_was_read() {
    let message = |second: u32, version: u32| {
        format!(
            r#"{{"_id":"m","botId":"b","sessionId":"s","type":"incoming","createdOn":"2025-09-03T10:00:{second:02}.000Z",
            "lmodifiedOn":"2025-09-03T11:00:{version:02}.000Z","components":[{{"cT":"text","data":{{"text":"Hello"}}}}]}}"#
        )
    };
    let body = |second, version| {
        let message = message(second, version);
        (
            format!("{second}"),
            format!(r#"{{"total":1,"moreAvailable":false,"messages":[{message}]}}"#).into_bytes(),
        )
    };
    let mut options = options();
    options.run.filter = Filter { date_from: Some(1_756_893_630_000_000), ..Filter::default() };
    // The older copy passes and the newer one does not, and the other way round.
    for (bodies, messages) in [(vec![body(40, 0), body(20, 1)], 0), (vec![body(20, 0), body(40, 1)], 1)] {
        let (whole, counts, _) = run(bodies.clone(), &options);
        assert_eq!(whole["sessions"].num_rows(), messages);
        let mapped = map_all(&bodies, 2, &options);
        assert_as_whole(&mapped, (&whole, counts), &options, "filtered");
    }
    let bodies = bodies();
    let (all, ..) = run(bodies.clone(), &crate::options());
    let starts = all["sessions"].column_by_name("started_at").unwrap();
    let starts = starts.as_primitive::<TimestampMicrosecondType>();
    let mut starts: Vec<i64> = starts.iter().flatten().collect();
    starts.sort_unstable();
    options.run.filter = Filter { date_from: Some(starts[starts.len() / 2]), ..Filter::default() };
    let (whole, counts, _) = run(bodies.clone(), &options);
    assert!(counts.sessions > 20 && counts.sessions < all["sessions"].num_rows() as u64, "{counts:?}");
    let mapped = map_all(&bodies, 3, &options);
    let filtered: u64 = mapped.iter().map(|mapped| mapped.run.ledger.totals().0.filtered).sum();
    assert!(filtered > 100);
    assert_as_whole(&mapped, (&whole, counts), &options, "filtered");
}

#[test]
fn records_that_name_no_session_are_counted_once() {
    let body = |(at, ids): (usize, &Vec<Option<usize>>)| {
        let record = |id: &Option<usize>| {
            let id = id.map_or_else(|| "null".to_owned(), |id| format!("\"s{id}\""));
            format!(r#"{{"botId":"b","sessionId":{id},"sessionType":"interactive"}}"#)
        };
        let records: Vec<String> = ids.iter().map(record).collect();
        let body = format!(r#"{{"total":9,"moreAvailable":false,"sessions":[{}]}}"#, records.join(","));
        (at.to_string(), body.into_bytes())
    };
    // Copies stand at the same place; they and others go to different workers.
    let ids = [vec![None, Some(1), None], vec![None], vec![Some(1), None], vec![None, None, Some(2), None]];
    let bodies: Bodies = ids.iter().enumerate().map(body).collect();
    let mut options = options();
    for (dedup, unmatched) in [(true, 4 + 2), (false, 7 + 2)] {
        options.run.dedup = dedup;
        let (whole, counts, _) = run(bodies.clone(), &options);
        let sessions = whole["containment_check"].column_by_name("sessions").unwrap();
        assert_eq!(sessions.as_primitive::<Int64Type>().values(), &[unmatched]);
        for workers in [1, 3] {
            assert_as_whole(&map_all(&bodies, workers, &options), (&whole, counts), &options, "nameless");
        }
    }
}

#[test]
fn copies_are_kept_where_the_options_say_so() {
    let bodies = bodies();
    let mut options = options();
    options.run.dedup = false;
    let (whole, counts, _) = run(bodies.clone(), &options);
    let mapped = map_all(&bodies, 3, &options);
    assert_as_whole(&mapped, (&whole, counts), &options, "with copies");
}

#[test]
fn copies_that_disagree_about_their_session_need_the_exchange_by_message() {
    let full = r#"{"_id":"m","botId":"b","sessionId":"s","type":"incoming","createdOn":"2025-09-03T10:00:00.000Z",
        "lmodifiedOn":"2025-09-03T10:00:00.000Z","components":[{"cT":"text","data":{"text":"Hello"}}]}"#;
    // It is older, and lies far outside of what the winners cover.
    let lite = r#"{"_id":"m","botId":"b","type":"incoming","createdOn":"2025-09-01T10:00:00.000Z"}"#;
    let body = |at: usize, messages: &str| {
        let body = format!(r#"{{"total":1,"moreAvailable":false,"messages":[{messages}]}}"#);
        (at.to_string(), body.into_bytes())
    };
    let bodies = vec![body(0, full), body(1, lite)];
    let options = options();
    let (whole, counts, _) = run(bodies.clone(), &options);
    assert_eq!((counts.sessions, counts.unsessioned, counts.left_cut), (1, 0, 1));
    let mapped = map_all(&bodies, 2, &options);
    let (tables, found) = chain(&mapped, First::Messages, &options);
    assert_eq!(found, counts);
    assert_same(&whole, &tables, "messages first");
    let (_, found) = chain(&mapped, First::Sessions, &options);
    assert_eq!((found.sessions, found.unsessioned, found.left_cut), (1, 1, 0));
}

#[test]
fn an_exchange_keeps_rows_their_order_and_what_belongs_together() {
    let mapped = map_all(&bodies(), 2, &options());
    let events: Vec<RecordBatch> = mapped.into_iter().flat_map(|mapped| mapped.batches).collect();
    for (by, column) in [(ExchangeBy::Message, "id"), (ExchangeBy::Session, "key")] {
        let values = |batch: &RecordBatch| -> Vec<(Vec<u8>, Vec<u8>)> {
            let keys = batch.column_by_name(column).unwrap().as_fixed_size_binary();
            let payloads = batch.column_by_name("payload").unwrap().as_binary::<i32>();
            (0..batch.num_rows())
                .map(|row| (keys.value(row).to_vec(), payloads.value(row).to_vec()))
                .collect()
        };
        let all: Vec<_> = events.iter().flat_map(values).collect();
        let partitions = exchange(&events, by, 5).unwrap();
        assert_eq!(partitions.len(), 5);
        let found: Vec<Vec<_>> = partitions.iter().map(values).collect();
        assert!(found.iter().all(|rows| rows.len() > all.len() / 10));
        for (at, rows) in found.iter().enumerate() {
            let (least, greatest) = (rows.iter().min().unwrap(), rows.iter().max().unwrap());
            let expected: Vec<_> =
                all.iter().filter(|row| row.0 >= least.0 && row.0 <= greatest.0).cloned().collect();
            assert!(*rows == expected, "{by:?} {at}");
        }
        assert_eq!(found.iter().map(Vec::len).sum::<usize>(), all.len());
        assert!(exchange(&events, by, 5).unwrap() == partitions);
        let one = exchange(&events, by, 1).unwrap();
        assert!(one[0] == concat_batches(&events_schema(), &events).unwrap());
    }
    let none = exchange(&[], ExchangeBy::User, 2).unwrap();
    assert_eq!((none.len(), none[0].num_rows(), none[1].schema()), (2, 0, notes_schema()));
    assert!(is_state(&exchange(&events, ExchangeBy::Session, 0)));
    assert!(is_state(&exchange(&none, ExchangeBy::Message, 2)));
}

#[test]
fn bodies_come_in_columns_of_any_string_or_bytes() {
    let message = |id: u32| {
        format!(
            r#"{{"_id":"m{id}","botId":"b","sessionId":"s","type":"incoming","tN":"","createdOn":"2025-09-03T10:00:00.000Z"}}"#
        )
    };
    let texts = [Some(message(1)), None, Some(format!(r#"{{"messages":[{}]}}"#, message(2)))];
    let bytes = || texts.iter().map(|text| text.as_ref().map(String::as_bytes));
    let columns: [ArrayRef; 6] = [
        Arc::new(texts.iter().cloned().collect::<StringArray>()),
        Arc::new(texts.iter().cloned().collect::<LargeStringArray>()),
        Arc::new(texts.iter().cloned().collect::<StringViewArray>()),
        Arc::new(bytes().collect::<BinaryArray>()),
        Arc::new(bytes().collect::<LargeBinaryArray>()),
        Arc::new(bytes().collect::<BinaryViewArray>()),
    ];
    let names: ArrayRef = Arc::new(StringViewArray::from(vec![Some("one"), None, None]));
    for body in columns {
        let batch = RecordBatch::try_from_iter([("body", body.clone()), ("source", names.clone())]).unwrap();
        let mapped = map_batches(&[batch.slice(2, 1), batch], &options(), &()).unwrap();
        let inputs = mapped.run.ledger.inputs();
        let names: Vec<&str> = inputs.iter().map(|report| report.input.display.as_str()).collect();
        assert_eq!(names, ["row 0", "one", "row 3"]);
        assert_eq!(mapped.run.ledger.totals().0.kept, 2);
        assert_eq!(mapped.batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
        let other = RecordBatch::try_from_iter([("bodies", body.clone())]).unwrap();
        assert!(is_state(&map_batches(&[other], &options(), &())));
    }
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let batch = RecordBatch::try_from_iter([("body", numbers.clone())]).unwrap();
    assert!(is_state(&map_batches(&[batch], &options(), &())));
    let batch = RecordBatch::try_from_iter([("body", names), ("source", numbers)]).unwrap();
    assert!(is_state(&map_batches(&[batch], &options(), &())));
}

fn is_state<T>(result: &Result<T, AnalyticsError>) -> bool {
    matches!(result, Err(AnalyticsError::State(_)))
}

/// The batch with another column of that name, which may hold nulls.
fn with(batch: &RecordBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let schema = batch.schema_ref();
    let mut columns = batch.columns().to_vec();
    columns[schema.index_of(name).unwrap()] = column;
    let names = schema.fields().iter().map(|field| field.name());
    RecordBatch::try_from_iter_with_nullable(names.zip(columns).map(|(name, column)| (name, column, true)))
        .unwrap()
}

/// The batch without a column.
fn without(batch: &RecordBatch, name: &str) -> RecordBatch {
    let mut batch = batch.clone();
    batch.remove_column(batch.schema().index_of(name).unwrap());
    batch
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// The batch with payloads that somebody scribbled on, behind their first bytes: those of events are times, which are
    /// checked.
    fn damaged(&mut self, batch: &RecordBatch, behind: usize) -> RecordBatch {
        let payloads = batch.column_by_name("payload").unwrap().as_binary::<i32>();
        let damaged: BinaryArray = payloads
            .iter()
            .map(|payload| {
                let mut payload = payload?.to_vec();
                for _ in 0..self.next() % 4 {
                    let at = behind + self.next() as usize % payload.len().max(1);
                    match self.next() % 5 {
                        0 => payload.truncate(at),
                        1 => payload.iter_mut().skip(at).take(8).for_each(|byte| *byte = 0xff),
                        2 => payload.iter_mut().skip(at).take(2).for_each(|byte| *byte = 0),
                        _ => payload.iter_mut().skip(at).take(1).for_each(|byte| *byte = self.next() as u8),
                    }
                }
                Some(payload)
            })
            .collect();
        with(batch, "payload", Arc::new(damaged))
    }
}

/// Events of a few sessions, their notes and their state.
fn few() -> (RecordBatch, RecordBatch, Aggregates) {
    let mapped = map_events(&InputList::from_bytes(bodies().into_iter().take(12)), &options(), &()).unwrap();
    let events = concat_batches(&events_schema(), &mapped.batches).unwrap();
    let folded = fold_events(from_ref(&events), &mapped.coverage, &options()).unwrap();
    (events, folded.users, folded.state)
}

#[test]
fn events_that_are_none_are_refused_and_damaged_ones_cost_no_more_than_themselves() {
    let (events, users, _) = few();
    let options = options();
    let fold = |batch: &RecordBatch| fold_events(from_ref(batch), &Coverage::default(), &options);
    let all_of = |batch: &RecordBatch| {
        [
            is_state(&fold(batch)),
            is_state(&deduplicate_events(from_ref(batch))),
            is_state(&Coverage::of_events(from_ref(batch))),
        ]
    };
    let rows = events.num_rows();
    let kinds = |kind: u8| -> ArrayRef { Arc::new(UInt8Array::from(vec![kind; rows])) };
    let nulls = |column: &str| {
        let column = events.column_by_name(column).unwrap();
        arrow::array::new_null_array(column.data_type(), rows)
    };
    let far = {
        let mut payload = vec![1];
        payload.extend_from_slice(&i64::MAX.to_le_bytes());
        BinaryArray::from_iter_values(std::iter::repeat_n(payload, rows))
    };
    let refused = [
        users.clone(),
        with(&events, "kind", kinds(2)),
        with(&events, "kind", kinds(7)),
        with(&events, "kind", kinds(255)),
        with(&events, "key", nulls("key")),
        with(&events, "payload", nulls("payload")),
        with(&events, "seq", Arc::new(Int64Array::from(vec![0; rows]))),
        with(
            &events,
            "id",
            Arc::new(FixedSizeBinaryArray::try_from_iter(vec![[0; 8]; rows].into_iter()).unwrap()),
        ),
        with(&with(&events, "kind", kinds(0)), "payload", Arc::new(far)),
        without(&events, "id"),
        without(&events, "payload"),
    ];
    for (at, batch) in refused.iter().enumerate() {
        assert_eq!(all_of(batch), [true; 3], "{at}");
    }
    assert!(is_state(&fold_users(from_ref(&events))));
    assert!(is_state(&fold_users(&[with(
        &users,
        "key",
        arrow::array::new_null_array(users.column(0).data_type(), users.num_rows())
    )])));

    let notes: &BinaryArray = users["payload"].as_binary();
    let shortened = notes.iter().map(|note| note.map(|note| &note[..note.len() - 1]));
    let shortened: BinaryArray = shortened.collect();
    assert!(is_state(&fold_users(&[with(&users, "payload", Arc::new(shortened))])));

    // The order of columns, whether they may hold nulls, and other columns do not matter; neither do slices.
    let mut turned: Vec<_> = events
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .zip(events.columns().to_vec())
        .collect();
    turned.reverse();
    turned.push(("partition".to_owned(), Arc::new(UInt64Array::from(vec![7; rows]))));
    let turned = RecordBatch::try_from_iter_with_nullable(
        turned.into_iter().map(|(name, column)| (name, column, true)),
    )
    .unwrap();
    let slices = [turned.slice(0, 7), turned.slice(7, rows - 7)];
    let (one, other) =
        (fold(&events).unwrap(), fold_events(&slices, &Coverage::default(), &options).unwrap());
    assert!(one.sessions == other.sessions && one.users == other.users);
    let exchanged = |batches: &[RecordBatch]| exchange(batches, ExchangeBy::Session, 3).unwrap();
    assert!(exchanged(from_ref(&events)) == exchanged(&slices));

    // Where nothing is known of copies they are all kept.
    let unknown = with(&with(&events, "id", nulls("id")), "richness", nulls("richness"));
    assert_eq!(deduplicate_events(&[unknown.clone(), unknown]).unwrap()[1].num_rows(), rows);
    let known = deduplicate_events(&[events.clone(), with(&events, "content", nulls("content"))]).unwrap();
    assert_eq!(known.iter().map(RecordBatch::num_rows).sum::<usize>(), rows);

    let mut numbers = Numbers(1);
    let put = |state: Aggregates| {
        let outcome = state.tables(&options, None, &mut |_, _| Ok(()));
        assert!(outcome.is_ok() || is_state(&outcome));
    };
    for round in 0..40 {
        let damaged = numbers.damaged(&events, if round % 8 == 0 { 0 } else { 17 });
        let coverage = Coverage::of_events(from_ref(&damaged));
        match fold_events(&[damaged], &coverage.unwrap_or_default(), &options) {
            Ok(folded) => put(folded.state),
            refused => assert!(is_state(&refused)),
        }
        match fold_users(&[numbers.damaged(&users, 0)]) {
            Ok(state) => put(state),
            refused => assert!(is_state(&refused)),
        }
    }
}

#[test]
fn states_that_are_none_are_refused() {
    let (_, _, state) = few();
    let good = state.to_arrow().unwrap();
    let rows = good.num_rows();
    let read = |batch: &RecordBatch| Aggregates::from_arrow(batch);
    let options = options();
    let tables_of = |state: Aggregates| {
        let mut all = Vec::new();
        state.tables(&options, None, &mut |metric, batch| {
            all.push((metric, batch));
            Ok(())
        })?;
        Ok(all)
    };
    // Groups in pieces, and under columns in another order, are the same state.
    let mut pieces = read(&good.slice(rows / 2, rows - rows / 2)).unwrap();
    pieces.merge(read(&good.slice(0, rows / 2)).unwrap());
    assert!(tables_of(pieces).unwrap() == tables_of(state).unwrap());
    let turned: Vec<usize> = (0..good.num_columns()).rev().collect();
    assert!(read(&good.project(&turned).unwrap()).is_ok());

    let names = |name: &str| -> ArrayRef { Arc::new(StringArray::from(vec![name; rows])) };
    let longs = |row: &[Option<i64>]| -> ArrayRef {
        let mut lists = ListBuilder::new(Int64Builder::new());
        (0..rows).for_each(|_| lists.append_value(row.iter().copied()));
        Arc::new(lists.finish())
    };
    let ints = |row: &[Option<i32>]| -> ArrayRef {
        let mut lists = ListBuilder::new(Int32Builder::new());
        (0..rows).for_each(|_| lists.append_value(row.iter().copied()));
        Arc::new(lists.finish())
    };
    let keys = |key: &[u8]| -> ArrayRef { Arc::new(BinaryArray::from_iter_values(vec![key; rows])) };
    let nulls =
        |name: &str| arrow::array::new_null_array(good.column_by_name(name).unwrap().data_type(), rows);
    let mut refused =
        vec![without(&good, "key"), with(&good, "key", names("")), with(&good, "aggregate", names("moods"))];
    refused.extend(
        ["aggregate", "key", "cells", "buckets", "counts"].map(|name| with(&good, name, nulls(name))),
    );
    refused.extend(
        [&b"\x01no end"[..], b"\x01a\0\0\0\0\0\0\0\0\0", b"\xff"].map(|key| with(&good, "key", keys(key))),
    );
    refused.push(with(&good, "cells", longs(&[])));
    refused.push(with(&good, "cells", longs(&[Some(1); 99])));
    // A group of waits, as it ought to be but for one thing.
    let latency = |cells: &[Option<i64>], buckets: &[Option<i32>], counts: &[Option<i64>]| {
        let batch = with(&with(&good, "aggregate", names("latency")), "key", keys(b"\0\0\0\0\x01think\0"));
        with(&with(&with(&batch, "cells", longs(cells)), "buckets", ints(buckets)), "counts", longs(counts))
    };
    let cells = [Some(1), Some(2), Some(2), Some(2)];
    for (buckets, counts) in [
        (vec![Some(3)], vec![]),
        (vec![], vec![Some(3)]),
        (vec![None], vec![Some(3)]),
        (vec![Some(3)], vec![None]),
        (vec![Some(-1)], vec![Some(3)]),
        (vec![Some(i32::MAX)], vec![Some(3)]),
        (vec![Some(3)], vec![Some(-3)]),
    ] {
        refused.push(latency(&cells, &buckets, &counts));
    }
    refused.push(latency(&[None; 4], &[], &[]));
    refused.push(with(&latency(&cells, &[Some(3)], &[Some(3)]), "aggregate", names("containment_check")));
    for (at, batch) in refused.iter().enumerate() {
        assert!(is_state(&read(batch)), "{at}");
    }
    // Numbers that no sessions add up to overflow nothing.
    let most = latency(&[Some(i64::MAX); 4], &[Some(9), Some(3), Some(3)], &[Some(i64::MAX); 3]);
    let mut most = read(&most).unwrap();
    most.merge(most.clone());
    assert!(tables_of(most).is_ok_and(|tables| tables.len() == Metric::ALL.len() - 1));
    assert!(is_state(&tables_of(read(&latency(&cells, &[], &[])).unwrap())));
    let mut long = with(&with(&good, "aggregate", names("concurrency")), "cells", longs(&[Some(i64::MAX)]));
    long = with(&with(&long, "buckets", ints(&[])), "counts", longs(&[]));
    let days: Vec<Vec<u8>> = (0..rows).map(|row| vec![0x82, 1, row as u8]).collect();
    long = with(&long, "key", Arc::new(BinaryArray::from_iter_values(days)));
    assert!(tables_of(read(&long).unwrap()).is_ok());
    // Sessions that never end run for as long as any may, not for thousands of years.
    let at = |key: &[u8]| read(&with(&long, "key", keys(key))).unwrap();
    let mut forever = at(&[0x82, 1, 0]);
    forever.merge(at(&[0x84, 0xf0, 0, 0, 0]));
    let tables = tables_of(forever).unwrap();
    let hours = tables.iter().filter(|(metric, _)| *metric == Metric::Concurrency);
    let hours: usize = hours.map(|(_, batch)| batch.num_rows()).sum();
    // Where the clock went back, two of them show the same.
    assert!((9_999..=10_001).contains(&hours), "{hours}");
    assert!(is_state(&read(&with(
        &long,
        "key",
        keys(&[0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
    ))));
}

#[test]
fn coverage_travels() {
    let message = |id: usize, bot: &str, day: u32| {
        format!(
            r#"{{"_id":"m{id}",{bot}"type":"incoming","tN":"","createdOn":"2025-09-{day:02}T10:00:00.000Z"}}"#
        )
    };
    let bots = [r#""botId":"b","#, "", r#""botId":"a","#];
    let messages: Vec<String> =
        bots.iter().enumerate().map(|(at, bot)| message(at, bot, 3 + at as u32)).collect();
    let body = format!(r#"{{"messages":[{}]}}"#, messages.join(","));
    let response = format!(
        "GET /api/public/bot/b/getMessages?dateFrom=2025-09-01&dateTo=2025-09-09 HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mapped = map_events(&InputList::from_bytes([("a", response.into_bytes())]), &options(), &()).unwrap();
    let batch = mapped.coverage.to_arrow().unwrap();
    let bots: Vec<_> = batch.column(0).as_string::<i32>().iter().collect();
    assert_eq!(bots, [None, Some("a"), Some("b")]);
    let edges = |column: usize| -> Vec<Option<i64>> {
        batch
            .column(column)
            .as_primitive::<Int64Type>()
            .iter()
            .map(|at| at.map(|at| at / 3_600_000_000))
            .collect()
    };
    let (first, day) = (487_968, 24);
    assert_eq!(edges(1), [None, None, Some(first)]);
    assert_eq!(edges(2), [None, None, Some(first + 9 * day)]);
    let seen = [3, 4, 2].map(|days| Some(first + days * day + 10));
    assert_eq!((edges(3), edges(4)), (seen.to_vec(), seen.to_vec()));

    let again = |coverage: &Coverage| coverage.to_arrow().unwrap();
    assert!(again(&sent(&mapped.coverage)) == batch);
    let mut pieces = Coverage::from_arrow(&batch.slice(1, 2)).unwrap();
    pieces.merge(Coverage::from_arrow(&batch.slice(0, 2)).unwrap());
    assert!(again(&pieces) == batch);
    let mut apart = mapped.coverage.of_requests();
    apart.merge(Coverage::of_events(&mapped.batches).unwrap());
    assert!(again(&apart) == batch);
    assert_eq!(again(&Coverage::default()).num_rows(), 0);

    let read = |batch: &RecordBatch| is_state(&Coverage::from_arrow(batch));
    let none: ArrayRef = Arc::new(Int64Array::from(vec![None; 3]));
    let some: ArrayRef = Arc::new(Int64Array::from(vec![1; 3]));
    assert!(read(&with(&batch, "requested_from", none.clone())));
    assert!(read(&with(&batch, "seen_to", none)));
    assert!(read(&with(&with(&batch, "requested_from", some.clone()), "requested_to", some.clone())));
    assert!(read(&with(&batch, "bot", some)));
    assert!(read(&without(&batch, "seen_from")));
}
