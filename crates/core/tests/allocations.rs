//! A warm reader allocates nothing for a message: the allocator is counted.

mod counting;

use korpus_core::{
    Author, Block, Channel, Component, InputEnd, LatencyField, LatencyPart, Limits, Message, MessageField,
    PageParser, TagsField, Text, parse_timestamp,
};
use korpus_synth::{Codec, Profile, Shape, Size, Synth, SynthOptions};

/// How often `work` allocated.
fn allocations<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let (allocated, result) = counting::allocated(work);
    (allocated.calls, result)
}

fn body(profile: Profile, seed: u64) -> Vec<u8> {
    let options = SynthOptions {
        seed,
        size: Size::Messages(10_000),
        page_size: 10_000,
        shapes: vec![Shape::V2],
        codecs: vec![Codec::Plain],
        profile,
        ..SynthOptions::default()
    };
    let (mut files, truth) = Synth::new(options).unwrap().write_memory().unwrap();
    assert_eq!((files.len(), truth.messages.seen), (1, 10_000));
    files.remove(0).1
}

/// Scratch that a caller keeps.
#[derive(Default)]
struct Scratch {
    text: String,
    bytes: Vec<u8>,
}

/// Reads everything there is, and gives a sum of it, so that nothing is optimised away.
fn read(message: Message<'_>, scratch: &mut Scratch) -> usize {
    let mut sum = 0;
    for &field in MessageField::ALL {
        if let Some(value) = message.value(field) {
            sum +=
                value.raw().len() + value.as_i64().unwrap_or(0) as usize % 7 + usize::from(value.is_null());
            sum += value.elements().count() + value.members().count();
        }
        if let Some(text) = message.text(field) {
            scratch.text.clear();
            sum += usize::from(text.decode_into(&mut scratch.text)) + scratch.text.len();
        }
        sum += usize::from(message.is_repeated(field)) + usize::from(message.is_regular_list(field));
    }
    if let Some(time) = message.created_on().and_then(Text::plain).and_then(parse_timestamp) {
        sum += usize::from(time.canonical);
    }
    sum += message.components().map(|component| read_component(component, scratch)).sum::<usize>();
    sum += message.channels().map(read_channel).sum::<usize>();
    if let Some(tags) = message.tags() {
        for &scope in TagsField::ALL {
            for tag in tags.scope(scope) {
                sum += tag.name().map_or(0, |name| name.raw().len());
                sum += tag.tag_value().map_or(0, |value| value.raw().len());
            }
            sum += usize::from(tags.is_regular_scope(scope));
        }
    }
    sum += message.author().map_or(0, read_author);
    if let Some(latency) = message.latency() {
        let duration = |part: LatencyPart<'_>| part.duration_ms().map_or(0, |value| value.raw().len());
        sum += LatencyField::ALL.iter().filter_map(|&part| latency.part(part)).map(duration).sum::<usize>();
    }
    for other in message.others() {
        scratch.text.clear();
        other.key.decode_into(&mut scratch.text);
        sum += scratch.text.len() + other.value.raw().len() + usize::from(other.is_earlier);
    }
    sum += message.other("resourceid").map_or(0, |value| value.raw().len());
    sum += message.richness() as usize + message.form().as_str().len() + message.message_index() as usize % 3;
    sum +=
        message.content_hash(&mut scratch.bytes) as usize % 5 + message.position().byte_offset as usize % 5;
    sum + message.whole().raw().len()
}

fn read_component(component: Component<'_>, scratch: &mut Scratch) -> usize {
    let mut sum = component.id().map_or(0, |id| id.raw().len()) + component.others().count();
    if let Some(text) = component.data_text() {
        scratch.text.clear();
        text.decode_into(&mut scratch.text);
        sum += scratch.text.len();
    }
    sum + component.thumbnails().count() + component.component_type().map_or(0, |text| text.raw().len())
}

fn read_channel(channel: Channel<'_>) -> usize {
    let others = channel.others().map(|other| other.value.members().count() + other.key.raw().len());
    others.sum::<usize>() + channel.channel_type().map_or(0, |text| text.raw().len())
}

fn read_author(author: Author<'_>) -> usize {
    author.author_type().map_or(0, |text| text.raw().len()) + author.others().count()
}

/// Messages, blocks, and what reading gave, with what it allocated.
#[derive(Debug, Default, PartialEq)]
struct Read {
    messages: usize,
    blocks: u64,
    sum: usize,
    /// Allocations of the parser, and of the accessors.
    parsing: u64,
    reading: u64,
}

fn read_blocks(parser: &mut PageParser, scratch: &mut Scratch, total: &mut Read) {
    while let Some(block) = parser.next_block() {
        total.blocks += 1;
        total.messages += block.message_count();
        let sum =
            |block: &Block, scratch: &mut Scratch| block.messages().map(|m| read(m, scratch)).sum::<usize>();
        let (count, sum) = allocations(|| sum(&block, scratch));
        total.reading += count;
        total.sum += sum;
        parser.recycle(block);
    }
}

/// Reads a page in windows of what a file gives at a time.
fn page(parser: &mut PageParser, scratch: &mut Scratch, body: &[u8]) -> Read {
    let mut total = Read::default();
    let (all, ()) = allocations(|| {
        parser.reset();
        for window in body.chunks(256 << 10) {
            parser.space(window.len())[..window.len()].copy_from_slice(window);
            parser.advance(window.len());
            read_blocks(parser, scratch, &mut total);
        }
        parser.finish(InputEnd::Complete);
        read_blocks(parser, scratch, &mut total);
    });
    total.parsing = all - total.reading;
    total
}

#[test]
fn a_warm_reader_allocates_nothing_per_message() {
    for profile in [Profile::Lean, Profile::Rich] {
        let (first, second) = (body(profile, 1), body(profile, 2));
        let mut parser = PageParser::new(Limits::default());
        let mut scratch = Scratch::default();
        let cold = page(&mut parser, &mut scratch, &first);
        page(&mut parser, &mut scratch, &second);
        let warm = page(&mut parser, &mut scratch, &first);
        assert_eq!((warm.messages, warm.blocks, warm.sum), (10_000, cold.blocks, cold.sum));
        assert_eq!(warm.reading, 0, "{profile}: accessors allocate nothing");
        assert!(warm.parsing <= 2 * warm.blocks + 16, "{profile}: {warm:?}");
        assert!(warm.blocks * 100 < warm.messages as u64, "{profile}: a block holds many messages");
    }
}

#[test]
fn a_body_that_is_there_whole_costs_no_allocation_per_message() {
    for profile in [Profile::Lean, Profile::Rich] {
        let body = body(profile, 3);
        let mut parser = PageParser::new(Limits::default());
        let mut scratch = Scratch::default();
        let mut last = Read::default();
        for _ in 0..3 {
            let whole = body.clone();
            let mut total = Read::default();
            let (all, ()) = allocations(|| {
                parser.reset();
                parser.feed_whole(whole);
                read_blocks(&mut parser, &mut scratch, &mut total);
                parser.finish(InputEnd::Complete);
                read_blocks(&mut parser, &mut scratch, &mut total);
            });
            total.parsing = all - total.reading;
            last = total;
        }
        assert_eq!((last.messages, last.reading), (10_000, 0), "{profile}");
        // All blocks of the body are there at once, more than the parser keeps for later: a dozen vectors each.
        assert!(last.parsing <= 100 * last.blocks + 16, "{profile}: {last:?}");
        assert!(last.parsing * 2 < last.messages as u64, "{profile}: {last:?}");
    }
}
