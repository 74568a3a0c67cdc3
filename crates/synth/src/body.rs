//! Bodies: envelopes filled with messages or records, written in pieces, counted as they are written.

use std::io::{self, Write};

use crate::conversation::is_voice;
use crate::damage::{break_message, breaks_message, cuts_body, instead};
use crate::ids;
use crate::json::Json;
use crate::options::{Codec, Damage, Shape, Size, SynthOptions};
use crate::rng::{falls, mix};
use crate::shape::{self, Writer};
use crate::truth::{BodyTruth, Books, Tally, Truth};
use crate::walk::{Item, Messages, Sessions, share};

/// Text is handed on in pieces of about this size.
const PIECE: usize = 256 * 1024;
/// The API's limits a page.
const MOST_V1: u64 = 100;
const MOST_RECORDS: u64 = 20;

/// The bodies of a dump, one after the other.
pub(crate) struct Bodies {
    options: SynthOptions,
    /// The API's limits do not hold: all goes into one body.
    whole: bool,
    /// Messages (or what counts as one) so far, and bodies.
    done: u64,
    number: u64,
    json: Json,
    /// Bytes of the current body that left `json` already.
    flushed: u64,
    writer: Writer,
    tally: Tally,
    messages: Messages,
    calls: Sessions,
    conversations: Sessions,
    sessions: Sessions,
    /// What the current page repeats.
    replay: Vec<Item>,
    /// What the next page repeats, and the shape of the page it comes from.
    tail: Vec<Item>,
    tail_shape: Shape,
    /// The body that comes again: its shape, and the sessions as they were before it.
    again: Option<(Shape, Sessions)>,
}

/// What a body of records is written from.
struct Request {
    shape: Shape,
    repeated: bool,
    cap: u64,
    more: bool,
}

impl Bodies {
    pub(crate) fn new(options: SynthOptions, whole: bool) -> Self {
        Self {
            whole,
            done: 0,
            number: 0,
            json: Json::new(options.pretty),
            flushed: 0,
            writer: Writer::new(options.profile, options.seed),
            tally: Tally::new(options.seed),
            messages: Messages::new(&options),
            calls: Sessions::new(&options),
            conversations: Sessions::new(&options),
            sessions: Sessions::new(&options),
            replay: Vec::new(),
            tail: Vec::new(),
            tail_shape: options.shapes[0],
            again: None,
            options,
        }
    }

    pub(crate) fn finished(&self) -> bool {
        match self.options.size {
            Size::Messages(most) => self.done >= most,
            Size::Pages(most) => self.number >= most,
        }
    }

    fn remaining(&self) -> u64 {
        match self.options.size {
            Size::Messages(most) => most - self.done,
            Size::Pages(_) => u64::MAX,
        }
    }

    /// The match count of the imagined query.
    fn total(&self) -> i64 {
        let total = match self.options.size {
            Size::Messages(most) => most,
            Size::Pages(most) => most.saturating_mul(self.options.page_size),
        };
        i64::try_from(total).unwrap_or(i64::MAX)
    }

    /// The shape of the next body.
    pub(crate) fn next_shape(&self) -> Shape {
        match &self.again {
            Some((shape, _)) => *shape,
            None => self.options.shapes[(self.number % self.options.shapes.len() as u64) as usize],
        }
    }

    /// Whether the next body is the last one over again.
    pub(crate) fn repeats(&self) -> bool {
        self.again.is_some()
    }

    pub(crate) fn into_truth(mut self, files: u64) -> Truth {
        self.tally.files = files;
        self.tally.finish()
    }

    /// Writes the next body.
    pub(crate) fn write(
        &mut self,
        sink: &mut impl Write,
        file: &str,
        codec: Codec,
        page_index: u64,
        damage: Option<Damage>,
    ) -> io::Result<()> {
        let shape = self.next_shape();
        self.begin(shape, file, codec, page_index, damage);
        if let Some(text) = damage.and_then(instead) {
            self.failed(text);
        } else {
            match shape {
                Shape::V1 | Shape::V2 | Shape::Stream | Shape::Lite => self.page(sink, shape, damage)?,
                Shape::Call => self.call(sink)?,
                Shape::AgentAi | Shape::AgentAiHistory | Shape::Sessions => self.records(sink, shape)?,
                Shape::Error => {
                    let text = if self.number.is_multiple_of(2) {
                        r#"{"errors":[{"msg":"Invalid or expired token","code":4002}]}"#
                    } else {
                        r#"{"message":"API rate limit exceeded"}"#
                    };
                    self.failed(text);
                }
            }
        }
        self.end(sink)
    }

    /// Writes messages without an envelope, one a line.
    pub(crate) fn write_lines(&mut self, sink: &mut impl Write, file: &str, codec: Codec) -> io::Result<()> {
        let shape = self.next_shape();
        self.begin(shape, file, codec, 0, None);
        let limit = self.options.page_size.min(self.remaining());
        for index in 0..limit {
            let item = self.item(shape, index, limit);
            self.json.start_line();
            let meta = self.writer.message(&mut self.json, shape, &item);
            self.json.out.push(b'\n');
            self.tally.message(meta, item.group);
            self.flush(sink, PIECE)?;
        }
        self.done += limit;
        self.end(sink)
    }

    fn begin(&mut self, shape: Shape, file: &str, codec: Codec, page_index: u64, damage: Option<Damage>) {
        self.json.clear();
        self.flushed = 0;
        self.tally.bodies.push(BodyTruth {
            file: file.to_owned(),
            page_index,
            endpoint: shape.as_str(),
            shape: match shape {
                Shape::V1 | Shape::V2 | Shape::Stream => "full",
                Shape::Lite => "lite",
                Shape::Call => "call",
                Shape::AgentAi | Shape::AgentAiHistory => "agent_ai",
                Shape::Sessions => "sessions",
                Shape::Error => "error",
            },
            codec: codec.as_str(),
            page_status: "ok",
            damage: damage.map(Damage::as_str),
            body_bytes: 0,
            messages: Books::default(),
            records: Books::default(),
            rejects: Vec::new(),
        });
    }

    fn end(&mut self, sink: &mut impl Write) -> io::Result<()> {
        self.flush(sink, 0)?;
        self.tally.body().body_bytes = self.flushed;
        self.number += 1;
        Ok(())
    }

    /// A failed call: recorded as one, and as progress.
    fn failed(&mut self, text: &str) {
        self.json.out.extend_from_slice(text.as_bytes());
        let body = self.tally.body();
        body.shape = "error";
        body.page_status = if text.is_empty() { "empty" } else { "error_response" };
        self.again = None;
        self.done += 1;
    }

    /// Hands on what was written, if it is more than `most`.
    fn flush(&mut self, sink: &mut impl Write, most: usize) -> io::Result<()> {
        if self.json.out.len() > most {
            sink.write_all(&self.json.out)?;
            self.flushed += self.json.out.len() as u64;
            self.json.out.clear();
        }
        Ok(())
    }

    /// The message at `index` of a page of `limit`: from the end of the last page, else a new one.
    fn item(&mut self, shape: Shape, index: u64, limit: u64) -> Item {
        if index == 0 {
            self.replay.clear();
            std::mem::swap(&mut self.replay, &mut self.tail);
            if (shape == Shape::Stream) != (self.tail_shape == Shape::Stream) {
                self.replay.clear();
            }
        }
        let mut item = match self.replay.get(index as usize) {
            Some(&item) => item,
            None => self.messages.next(shape),
        };
        if self.options.overlap > 0.0 && index >= limit - (limit as f64 * self.options.overlap) as u64 {
            self.messages.group(&mut item);
            self.tail.push(item);
            self.tail_shape = shape;
        }
        item
    }

    /// A body of messages with ids.
    fn page(&mut self, sink: &mut impl Write, shape: Shape, damage: Option<Damage>) -> io::Result<()> {
        let most = if shape == Shape::V1 && !self.whole { MOST_V1 } else { u64::MAX };
        let limit = self.options.page_size.min(most).min(self.remaining());
        let victim = damage.and_then(|damage| {
            if breaks_message(damage) {
                Some((limit - 1) / 2)
            } else {
                cuts_body(damage).then_some(limit / 2)
            }
        });
        let more = self.has_more(limit);
        let late = mix(self.options.seed, self.number) % 8 == 7;
        self.json.open_object();
        if !late {
            self.envelope(shape, more);
        }
        self.json.key("messages");
        self.json.open_array();
        let mut broken = None;
        for index in 0..limit {
            let item = self.item(shape, index, limit);
            let start = self.json.start_item();
            if let Some((number, from)) = broken.take() {
                self.tally.reject(number, from, self.flushed + start as u64 - from);
            }
            let meta = self.writer.message(&mut self.json, shape, &item);
            self.done += 1;
            match damage {
                Some(damage) if victim == Some(index) => {
                    if cuts_body(damage) {
                        let length = (self.json.out.len() - start) / 2;
                        self.json.out.truncate(start + length);
                        self.tally.reject(index, self.flushed + start as u64, length as u64);
                        return Ok(());
                    }
                    let from = break_message(&mut self.json.out, start, damage);
                    broken = Some((index, self.flushed + from as u64));
                }
                _ => self.tally.message(meta, item.group),
            }
            self.flush(sink, PIECE)?;
        }
        if damage == Some(Damage::TrailingComma) {
            self.json.out.push(b',');
        }
        self.json.close_array();
        if damage == Some(Damage::TrailingComma) {
            self.tally.reject(limit, self.flushed + self.json.out.len() as u64 - 1, 0);
        }
        if late {
            self.envelope(shape, more);
        }
        self.json.close_object();
        if let Some((number, from)) = broken {
            self.tally.reject(number, from, self.flushed + self.json.out.len() as u64 - from);
        }
        Ok(())
    }

    fn has_more(&self, limit: u64) -> bool {
        match self.options.size {
            Size::Messages(_) => self.remaining() > limit,
            Size::Pages(most) => self.number + 1 < most,
        }
    }

    fn envelope(&mut self, shape: Shape, more: bool) {
        let total = self.total();
        let j = &mut self.json;
        j.field_int("total", total);
        j.field_raw("moreAvailable", if more { "true" } else { "false" });
        if !matches!(shape, Shape::Lite | Shape::Sessions) {
            let of = mix(self.options.seed, 0x1c0);
            j.key("icon").quoted(|out| {
                out.extend_from_slice(b"https://{{host}}/api/getMediaStream/market/");
                ids::prefixed(out, "f-", of);
                out.extend_from_slice(b".png?n=7388290499&s=IjVTTjhKV3ZIRDllOGZVMS9wdk$$");
            });
        }
    }

    /// Takes the walk for a body of records or of one call, and plans its repetition.
    fn take_again(&mut self, walk: impl Fn(&mut Self) -> &mut Sessions) -> (Sessions, bool) {
        match self.again.take() {
            Some((_, sessions)) => (sessions, true),
            None => (walk(self).clone(), false),
        }
    }

    /// After a body that took `used`: does it come again?
    fn plan_again(&mut self, shape: Shape, before: Sessions, repeated: bool, used: u64) {
        let chosen = falls(mix(self.options.seed ^ 0xa6, self.number), share(self.options.duplicates));
        if chosen && !repeated && used > 0 && self.remaining() >= used {
            self.again = Some((shape, before));
        }
    }

    /// A body that is one call.
    fn call(&mut self, sink: &mut impl Write) -> io::Result<()> {
        let (before, repeated) = self.take_again(|bodies| &mut bodies.calls);
        let mut walk = before.clone();
        let (head, mut turns) = loop {
            let session = walk.next();
            if is_voice(session.0.channel) {
                break session;
            }
        };
        turns.truncate(self.remaining().min(turns.len() as u64) as usize);
        self.json.open_object();
        self.envelope(Shape::Call, false);
        self.json.key("messages");
        self.json.open_array();
        for turn in &turns {
            self.json.start_item();
            let meta = self.writer.call(&mut self.json, &head, turn);
            if repeated {
                self.tally.repeated_message();
            } else {
                self.tally.message(meta, None);
            }
        }
        self.json.close_array();
        self.json.close_object();
        self.flush(sink, PIECE)?;
        self.done += turns.len() as u64;
        if !repeated {
            self.calls = walk;
        }
        self.plan_again(Shape::Call, before, repeated, turns.len() as u64);
        Ok(())
    }

    /// A body of records.
    fn records(&mut self, sink: &mut impl Write, shape: Shape) -> io::Result<()> {
        let of_sessions = shape == Shape::Sessions;
        let (before, repeated) = self
            .take_again(|bodies| if of_sessions { &mut bodies.sessions } else { &mut bodies.conversations });
        let mut walk = before.clone();
        let most = if of_sessions || self.whole { u64::MAX } else { MOST_RECORDS };
        let cap = self.options.page_size.min(most);
        let more = self.has_more(cap);
        let request = Request { shape, repeated, cap, more };
        let used = self.record_body(sink, &request, &mut walk)?;
        self.done += used;
        if !repeated {
            if of_sessions {
                self.sessions = walk;
            } else {
                self.conversations = walk;
            }
        }
        self.plan_again(shape, before, repeated, used);
        Ok(())
    }

    /// Writes the body and returns how many messages (or records, where they hold none) it took.
    fn record_body(
        &mut self,
        sink: &mut impl Write,
        request: &Request,
        walk: &mut Sessions,
    ) -> io::Result<u64> {
        let remaining = self.remaining();
        let history = request.shape == Shape::AgentAiHistory;
        let of_sessions = request.shape == Shape::Sessions;
        let (mut used, mut records) = (0, 0);
        self.json.open_object();
        if of_sessions {
            self.envelope(Shape::Sessions, request.more);
        }
        self.json.key(if of_sessions { "sessions" } else { "results" });
        self.json.open_array();
        while records < request.cap && used < remaining {
            let (head, mut turns) = walk.next();
            self.json.start_item();
            if of_sessions {
                let bot = self.writer.bot(head.bot);
                shape::session(&mut self.json, &head, bot);
                used += 1;
            } else {
                turns.truncate((remaining - used).min(turns.len() as u64) as usize);
                let (tally, repeated) = (&mut self.tally, request.repeated);
                let shown = history.then_some(&turns[..]);
                shape::conversation(&mut self.writer, &mut self.json, &head, shown, |meta| {
                    if repeated {
                        tally.repeated_message();
                    } else {
                        tally.message(meta, None);
                    }
                });
                used += if history { turns.len() as u64 } else { 1 };
            }
            records += 1;
            self.tally.record(request.repeated);
            self.flush(sink, PIECE)?;
        }
        self.json.close_array();
        if !of_sessions {
            let limit = request.cap.min(1_000_000) as i64;
            let skip = (self.number % 1_000_000) as i64 * limit;
            self.json.field_int("skip", skip);
            self.json.field_int("limit", limit);
            self.json.field_raw("hasMore", if request.more { "true" } else { "false" });
            let total = self.total();
            self.json.field_int("totalPages", total / limit.max(1) + 1);
            self.json.field_int("totalResults", total);
        }
        self.json.close_object();
        Ok(used)
    }
}
