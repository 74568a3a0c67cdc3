//! The ground truth against an independent recount of the files with `serde_json`.

mod reader;

use std::collections::{BTreeMap, BTreeSet};

use korpus_synth::{
    Books, Codec, Damage, Layout, NamedFiles, Profile, Shape, Size, Synth, SynthOptions, Truth,
};
use reader::{Found, decode, read_body};
use serde_json::Value;

/// A message of the dump as the recount sees it.
struct Seen {
    body: usize,
    id: Option<String>,
    version: String,
    richness: usize,
    text: String,
    value: Value,
}

fn generate(options: SynthOptions) -> (NamedFiles, Truth) {
    Synth::new(options).expect("the options fit").write_memory().expect("memory does not fail")
}

fn string<'v>(value: &'v Value, keys: &[&str]) -> Option<&'v str> {
    keys.iter().find_map(|key| value.get(key).and_then(Value::as_str))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn seen(body: usize, value: Value) -> Seen {
    let times = [string(&value, &["lmodifiedOn"]), string(&value, &["__lModifiedOn__"])];
    Seen {
        body,
        id: string(&value, &["_id"]).map(str::to_owned),
        // Canonical timestamps order as text does.
        version: times.into_iter().flatten().max().unwrap_or_default().to_owned(),
        richness: value
            .as_object()
            .map_or(0, |fields| fields.values().filter(|value| !is_empty(value)).count()),
        text: value.to_string(),
        value,
    }
}

/// De-duplicates: by id, and where there is none by the whole body (`equal_bodies` maps a body to its first copy).
fn books(
    messages: &[Seen],
    found: &[Found],
    equal_bodies: &BTreeMap<usize, usize>,
) -> (Vec<Books>, Vec<usize>) {
    let mut books = vec![Books::default(); found.len()];
    let mut winners = Vec::new();
    let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, message) in messages.iter().enumerate() {
        books[message.body].seen += 1;
        if let Some(id) = &message.id {
            by_id.entry(id).or_default().push(index);
        } else if equal_bodies.contains_key(&message.body) {
            books[message.body].duplicate += 1;
        } else {
            winners.push(index);
        }
    }
    for copies in by_id.into_values() {
        let rank = |index: usize| (&messages[index].version, messages[index].richness);
        let best =
            copies.iter().copied().rev().max_by_key(|&index| rank(index)).expect("copies are never none");
        let first = copies.iter().copied().find(|&index| messages[index].text == messages[best].text);
        for &index in &copies {
            let books = &mut books[messages[index].body];
            if Some(index) == first {
                winners.push(index);
            } else if messages[index].text == messages[best].text {
                books.duplicate += 1;
            } else {
                assert!(rank(index) < rank(best), "a copy that only its hash could tell apart");
                books.superseded += 1;
            }
        }
    }
    for &index in &winners {
        books[messages[index].body].kept += 1;
    }
    for (books, found) in books.iter_mut().zip(found) {
        books.rejected = found.rejects.len() as u64;
        books.seen += books.rejected;
    }
    (books, winners)
}

/// Counts everything again and compares it with the truth.
fn recount(options: &SynthOptions) -> Truth {
    let (files, truth) = generate(options.clone());
    let mut found = Vec::new();
    let mut messages = Vec::new();
    let mut records = Vec::new();
    for (name, bytes) in &files {
        let body = decode(name, bytes);
        for (index, part) in reader::split(options.layout, &body).into_iter().enumerate() {
            let number = found.len();
            let (mut body, items) = read_body(part, options.layout);
            (body.file, body.page_index) = (name.clone(), index as u64);
            for item in items {
                if ["convId", "noOfTasksExecuted"].iter().any(|key| item.get(key).is_some()) {
                    let inner = item.get("messages").and_then(Value::as_array).into_iter().flatten();
                    messages.extend(inner.map(|message| seen(number, message.clone())));
                    let id = string(&item, &["_id", "sessionId"]).expect("records have ids");
                    records.push((number, id.to_owned()));
                } else {
                    messages.push(seen(number, item));
                }
            }
            found.push(body);
        }
    }
    let mut firsts = BTreeMap::new();
    let mut equal_bodies = BTreeMap::new();
    for (number, body) in found.iter().enumerate() {
        if body.array_bytes.len() > 2 && *firsts.entry(&body.array_bytes).or_insert(number) != number {
            equal_bodies.insert(number, firsts[&body.array_bytes]);
        }
    }
    let (books, winners) = books(&messages, &found, &equal_bodies);
    assert_eq!(truth.files, files.len() as u64);
    assert_eq!(truth.bodies.len(), found.len());
    let mut known = BTreeSet::new();
    let mut record_books = vec![Books::default(); found.len()];
    for (number, id) in records {
        record_books[number].seen += 1;
        if known.insert(id) {
            record_books[number].kept += 1;
        } else {
            record_books[number].duplicate += 1;
        }
    }
    for (number, (body, found)) in truth.bodies.iter().zip(&found).enumerate() {
        assert_eq!((&body.file, body.page_index), (&found.file, found.page_index));
        assert_eq!(body.messages, books[number], "messages of {}", body.file);
        assert_eq!(body.records, record_books[number], "records of {}", body.file);
        if found.whole > 0 || found.shape == "error" {
            assert_eq!(body.shape, found.shape, "{}", body.file);
        }
        assert_eq!(body.page_status, found.status(), "{}", body.file);
        assert_eq!(body.body_bytes, found.bytes, "{}", body.file);
        let rejects: Vec<_> =
            body.rejects.iter().map(|r| (r.message_index, r.byte_offset, r.byte_length)).collect();
        assert_eq!(rejects, found.rejects, "{} with {:?}", body.file, body.damage);
        let b = body.messages;
        assert_eq!(b.seen, b.kept + b.duplicate + b.superseded + b.rejected);
    }
    volumes(&truth, winners.iter().map(|&index| &messages[index].value));
    truth
}

/// Counts the kept messages by everything that the truth counts them by.
fn volumes<'v>(truth: &Truth, kept: impl Iterator<Item = &'v Value>) {
    type Key = [Option<String>; 7];
    let mut rows: BTreeMap<Key, u64> = BTreeMap::new();
    let mut templates: BTreeMap<String, u64> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    let mut sessions = BTreeSet::new();
    for message in kept {
        let hour = match string(message, &["createdOn", "timestamp"]) {
            Some(time) => time[..13].to_owned(),
            None => reader::hour(message["timestampValue"].as_i64().expect("a time")),
        };
        let own = |keys: &[&str]| string(message, keys).map(str::to_owned);
        let key = [
            Some(hour[..10].to_owned()),
            Some(hour[11..].to_owned()),
            own(&["botId"]),
            own(&["chnl", "channel"]),
            own(&["lang"]),
            own(&["type"]),
            own(&["status"]),
        ];
        *rows.entry(key).or_default() += 1;
        if let (Some(bot), Some(session)) = (own(&["botId"]), own(&["sessionId"])) {
            sessions.insert((bot, session));
        }
        let text = message.pointer("/components/0/data/text").or(message.get("text")).and_then(Value::as_str);
        let (kind, template) = reader::classify(text.unwrap_or_default());
        *kinds.entry(kind).or_default() += 1;
        if let Some(template) = template {
            *templates.entry(template).or_default() += 1;
        }
    }
    assert_eq!(truth.sessions, sessions.len() as u64);
    assert!(truth.by_text_kind.iter().eq(kinds.iter()), "{:?} {kinds:?}", truth.by_text_kind);
    assert_eq!(truth.by_template_type.len(), templates.len());
    for (template, count) in templates {
        assert_eq!(truth.by_template_type.get(template.as_str()), Some(&count), "{template}");
    }
    let total: u64 = truth.volumes.iter().map(|row| row.messages).sum();
    assert_eq!(total, truth.messages.kept);
    assert_eq!(truth.by_hour.values().sum::<u64>(), total);
    let told: BTreeMap<Key, u64> = truth
        .volumes
        .iter()
        .map(|row| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            let key = [
                own(Some(&row.event_date)),
                Some(format!("{:02}", row.event_hour)),
                row.bot_id.clone(),
                own(row.channel),
                own(row.language),
                own(Some(row.message_type)),
                own(row.status),
            ];
            (key, row.messages)
        })
        .collect();
    assert_eq!(told, rows);
}

fn small(messages: u64, page_size: u64) -> SynthOptions {
    SynthOptions { size: Size::Messages(messages), page_size, ..SynthOptions::default() }
}

#[test]
fn plain_pages() {
    let truth = recount(&small(2_000, 300));
    assert_eq!((truth.messages.seen, truth.messages.kept, truth.bodies.len()), (2_000, 2_000, 7));
    assert!(
        truth.by_language.len() >= 6 && truth.by_channel.len() >= 6 && truth.by_template_type.len() >= 18
    );
    for kind in ["plain", "empty", "template", "voice_command", "wrapped_text", "malformed"] {
        assert!(truth.by_text_kind.contains_key(kind), "no {kind}");
    }
}

#[test]
fn every_codec_and_shape_with_copies() {
    let truth = recount(&SynthOptions {
        shapes: Shape::ALL.to_vec(),
        codecs: Codec::ALL.to_vec(),
        profile: Profile::Rich,
        pretty: true,
        duplicates: 0.2,
        edited_copies: 0.1,
        overlap: 0.3,
        ..small(6_000, 120)
    });
    assert!(truth.messages.duplicate > 100 && truth.messages.superseded > 20, "{:?}", truth.messages);
    assert!(truth.records.duplicate > 0, "{:?}", truth.records);
}

#[test]
fn somebody_calls_however_few_there_are() {
    for seed in 0..12 {
        let users = 1 + seed as u32 % 3;
        let truth = recount(&SynthOptions { seed, users, shapes: vec![Shape::Call], ..small(40, 10) });
        assert_eq!(truth.messages.seen, 40);
    }
}

#[test]
fn copies_of_the_stream_endpoint() {
    let truth = recount(&SynthOptions {
        shapes: vec![Shape::Stream, Shape::Stream, Shape::Lite],
        duplicates: 0.1,
        edited_copies: 0.3,
        overlap: 0.5,
        forward: true,
        ..small(4_000, 250)
    });
    assert!(truth.messages.superseded > 100);
}

#[test]
fn a_busy_contact_centre() {
    let truth = recount(&SynthOptions {
        load: 20,
        users: 5000,
        duplicates: 0.1,
        edited_copies: 0.1,
        overlap: 0.2,
        ..small(4_000, 250)
    });
    assert!(truth.messages.duplicate > 100 && truth.messages.superseded > 100);
}

#[test]
fn every_damage() {
    for (pretty, shape) in
        [(false, Shape::V2), (true, Shape::Lite), (false, Shape::Stream), (true, Shape::V1)]
    {
        let truth = recount(&SynthOptions {
            shapes: vec![shape],
            codecs: vec![Codec::Plain, Codec::Brotli],
            pretty,
            damage: Damage::ALL.to_vec(),
            damage_every: 2,
            duplicates: 0.1,
            edited_copies: 0.1,
            overlap: 0.2,
            profile: Profile::Rich,
            ..small(2_000, 40)
        });
        for damage in Damage::ALL {
            assert!(truth.bodies.iter().any(|body| body.damage == Some(damage.as_str())), "no {damage}");
        }
        assert!(truth.messages.rejected >= 12);
    }
}

#[test]
fn pages_of_one_message_can_be_damaged_too() {
    let truth = recount(&SynthOptions { damage: Damage::ALL.to_vec(), damage_every: 1, ..small(40, 1) });
    assert!(truth.bodies.iter().any(|body| body.page_status == "rejected"));
}

#[test]
fn other_layouts() {
    for layout in [Layout::NdjsonBodies, Layout::NdjsonMessages, Layout::Concatenated] {
        recount(&SynthOptions {
            layout,
            bodies_per_file: 3,
            duplicates: 0.1,
            overlap: 0.2,
            ..small(1_000, 90)
        });
    }
}

#[test]
fn streams_hold_the_same_messages_in_one_body() {
    let synth =
        Synth::new(SynthOptions { codecs: vec![Codec::Plain], ..small(1_500, 100) }).expect("they fit");
    let mut out = Vec::new();
    let truth = synth.write_stream(&mut out).expect("memory does not fail");
    assert_eq!((truth.bodies.len(), truth.messages.kept), (1, 1_500));
    let body: Value = serde_json::from_slice(&out).expect("one body");
    assert_eq!(body["messages"].as_array().map(Vec::len), Some(1_500));
}

#[test]
fn folders_keep_the_truth_outside_of_the_dump() {
    let folder = tempfile::tempdir().expect("a folder");
    let synth = Synth::new(small(300, 100)).expect("they fit");
    let truth = synth.write_dir(folder.path()).expect("written");
    assert_eq!(std::fs::read_dir(folder.path().join("dump")).expect("there").count() as u64, truth.files);
    let told: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("truth.json")).expect("there"))
            .expect("JSON");
    assert_eq!(told["messages"]["kept"], 300);
    synth.write_dir(folder.path()).expect_err("an existing dump is left alone");
}

/// FNV-1a, so that the pin needs no dependency.
fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn equal_options_give_equal_bytes() {
    let options = |profile| SynthOptions {
        profile,
        shapes: Shape::ALL.to_vec(),
        codecs: vec![Codec::Plain],
        duplicates: 0.1,
        edited_copies: 0.1,
        overlap: 0.1,
        ..small(1_000, 80)
    };
    let pinned = [(Profile::Lean, PINNED_LEAN), (Profile::Rich, PINNED_RICH)];
    for (profile, pin) in pinned {
        let (files, _) = generate(options(profile));
        let all: Vec<u8> =
            files.into_iter().flat_map(|(name, bytes)| [name.into_bytes(), bytes].concat()).collect();
        assert_eq!(hash(&all), pin, "{profile}: the generator's output has changed: {:#x}", hash(&all));
    }
    let other = generate(SynthOptions { seed: 2, ..options(Profile::Lean) }).0;
    assert_ne!(other, generate(options(Profile::Lean)).0);
}

const PINNED_LEAN: u64 = 0x7200_3a0e_fc7f_6a6c;
const PINNED_RICH: u64 = 0xfa14_8f92_a6ad_b377;

#[test]
fn message_sizes_are_those_of_the_profiles() {
    for (profile, low, high) in [(Profile::Lean, 950, 1_150), (Profile::Rich, 2_000, 3_000)] {
        let (_, truth) =
            generate(SynthOptions { profile, codecs: vec![Codec::Plain], ..small(5_000, 5_000) });
        let mean = truth.bodies[0].body_bytes / truth.messages.seen;
        assert!((low..high).contains(&mean), "{profile}: {mean} bytes a message");
    }
}

#[test]
fn options_that_do_not_fit_are_refused() {
    for options in [
        SynthOptions { shapes: Vec::new(), ..SynthOptions::default() },
        SynthOptions { page_size: 0, ..SynthOptions::default() },
        SynthOptions { overlap: 1.0, ..SynthOptions::default() },
        SynthOptions { load: 0, ..SynthOptions::default() },
        SynthOptions { load: 1001, ..SynthOptions::default() },
        SynthOptions { layout: Layout::NdjsonMessages, shapes: vec![Shape::Call], ..SynthOptions::default() },
        SynthOptions {
            layout: Layout::Concatenated,
            damage: vec![Damage::EmptyFile],
            ..SynthOptions::default()
        },
    ] {
        Synth::new(options).expect_err("refused");
    }
    assert!("gzpi".parse::<Codec>().expect_err("no codec").to_string().contains("gzip"));
}
