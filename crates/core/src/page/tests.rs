use super::*;

/// The ids of the messages of an input, those of its rejects, and how many bodies it has.
fn read(text: &str) -> (Vec<String>, Vec<Option<String>>, usize) {
    let mut parser = PageParser::new(Limits::default());
    parser.feed(text.as_bytes());
    parser.finish(InputEnd::Complete);
    let (mut ids, mut rejects, mut pages) = (Vec::new(), Vec::new(), 0);
    while let Some(block) = parser.next_block() {
        ids.extend(block.messages().filter_map(|message| Some(message.id()?.lossy().into_owned())));
        rejects.extend(block.rejects().iter().map(|reject| reject.message_id.clone()));
        pages += block.pages().iter().filter(|page| page.end.is_some()).count();
    }
    (ids, rejects, pages)
}

fn pretty(id: usize, more: &str) -> String {
    format!(
        "  {{\n    \"_id\": \"ms-{id}\",\n    \"type\": \"incoming\",\n{more}    \"components\": []\n  }}"
    )
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|id| format!("ms-{id}")).collect()
}

#[test]
fn an_object_inside_a_broken_message_is_no_body() {
    for key in ["total", "limit", "errors", "messages"] {
        let cart = format!(
            "    \"cart\": [\n      {{\n        \"{key}\": [5]\n      }}\n    ],\n    \"status\": x,\n"
        );
        let messages: Vec<_> = (0..10).map(|id| pretty(id, if id == 1 { &cart } else { "" })).collect();
        let page = format!("{{\n \"total\": 10,\n \"messages\": [\n{}\n ]\n}}\n", messages.join(",\n"));
        let kept = [ids(0..1), ids(2..10)].concat();
        assert_eq!(read(&page), (kept, vec![Some("ms-1".to_owned())], 1), "{key}");
    }
}

#[test]
fn a_body_behind_a_cut_off_one_is_one_wherever_its_line_begins() {
    let body = |id: &str| {
        format!("{{\"total\":1,\"messages\":[{{\"_id\":\"{id}\",\"type\":\"x\",\"components\":[]}}]}}")
    };
    let cut = &body("a")[..60];
    for indent in ["", "  "] {
        let (found, _, pages) = read(&format!("{cut}\n{indent}{}\n", body("b")));
        assert_eq!((found, pages), (vec!["b".to_owned()], 2), "{indent:?}");
    }
}

#[test]
fn bodies_and_bytes_are_counted_on_behind_a_stream_that_broke() {
    let body = |ids: &[&str]| {
        let message = |id: &&str| format!("{{\"_id\":\"{id}\",\"type\":\"x\",\"components\":[]}}");
        let messages: Vec<_> = ids.iter().map(message).collect();
        format!("{{\"total\":1,\"messages\":[{}]}}", messages.join(","))
    };
    let whole = body(&["a", "b"]);
    let second = body(&["c", "d"]);
    let mut parser = PageParser::new(Limits::default());
    for cut in 0..=whole.len() {
        parser.reset();
        let (mut ids, mut pages) = (Vec::new(), Vec::new());
        let mut drain = |parser: &mut PageParser| {
            while let Some(block) = parser.next_block() {
                for message in block.messages() {
                    ids.push((message.id().unwrap().lossy().into_owned(), message.position().byte_offset));
                }
                pages.extend(
                    block.pages().iter().filter_map(|page| {
                        Some((page.page_index, page.body_start, page.end.clone()?.reason))
                    }),
                );
            }
        };
        parser.feed(&whole.as_bytes()[..cut]);
        parser.finish(InputEnd::Corrupt);
        drain(&mut parser);
        parser.resume();
        parser.feed(second.as_bytes());
        parser.finish(InputEnd::Complete);
        drain(&mut parser);
        assert_eq!(pages, [(0, 0, Some(Reason::CorruptStream)), (1, cut as u64, None)], "cut at {cut}");
        let first = [whole.find('}').unwrap() + 1, whole.rfind(']').unwrap()];
        let kept = first.iter().filter(|&&end| end <= cut).count();
        let ids: Vec<_> = ids.iter().map(|(id, at)| (id.as_str(), *at)).collect();
        assert_eq!(ids.len(), kept + 2, "cut at {cut}");
        let start = |text: &str, id: &str| text.find(&format!("{{\"_id\":\"{id}")).unwrap() as u64;
        assert_eq!(ids[kept], ("c", start(&second, "c")));
    }
}

#[test]
fn messages_with_commas_between_them_need_no_list() {
    for end in [",\n", "\n", ""] {
        let lines: Vec<_> =
            (0..50).map(|id| format!("{{\"_id\":\"ms-{id}\",\"type\":\"x\",\"components\":[]}}")).collect();
        let (found, rejects, pages) = read(&format!("{}{end}", lines.join(",\n")));
        assert_eq!((found, rejects.len(), pages), (ids(0..50), 0, 1), "{end:?}");
        let broken = lines.join(",\n").replace("\"ms-7\",", "\"ms-7\",x");
        let (found, rejects, _) = read(&broken);
        assert_eq!((found, rejects), ([ids(0..7), ids(8..50)].concat(), vec![Some("ms-7".to_owned())]));
    }
    // The end of a page whose beginning is lost.
    let messages: Vec<_> = (0..20).map(|id| pretty(id, "")).collect();
    let page = format!("{{\n \"messages\": [\n{}\n ]\n}}\n", messages.join(",\n"));
    let (found, ..) = read(&page[page.find("ms-3").unwrap()..]);
    assert_eq!(found, ids(4..20));
}

#[test]
fn the_id_of_a_reject_is_its_own() {
    let page = |first: &str| {
        format!("{{\"messages\":[{first},{{\"_id\":\"b\",\"type\":\"x\",\"components\":[]}}]}}")
    };
    for (first, id) in [
        (r#"{"type":"x","components":[{"_id":"cp-1","cT":"text"}],"_id":"ms-1","chnl":x}"#, Some("ms-1")),
        (r#"{"type":"x","components":[{"_id":"cp-1"}],"chnl":x}"#, None),
        (r#"{"t\"_id\"":"no","_id" : "ms-1","chnl":x}"#, Some("ms-1")),
    ] {
        let (found, rejects, _) = read(&page(first));
        assert_eq!((found, rejects), (vec!["b".to_owned()], vec![id.map(str::to_owned)]), "{first}");
    }
}

#[test]
fn a_body_in_another_object_comes_block_by_block() {
    let message = |id: usize| format!("{{\"_id\":\"ms-{id}\",\"type\":\"x\",\"components\":[]}}");
    let messages: Vec<_> = (0..2000).map(message).collect();
    let body = format!("{{\"data\":[{}]}}", messages.join(","));
    let mut parser = PageParser::new(Limits { block_bytes: 4 << 10, ..Limits::default() });
    parser.feed(body.as_bytes());
    parser.finish(InputEnd::Complete);
    let (mut found, mut large) = (0, 0);
    while let Some(block) = parser.next_block() {
        found += block.message_count();
        assert!(parser.ready.is_empty());
        let crate::block::BlockText::Owned(bytes, len) = &block.text else { panic!("its own text") };
        large += usize::from(bytes.len() > 4 * len);
    }
    assert_eq!(found, messages.len());
    // What the parser read into goes to one of the last.
    assert!(large <= 2, "{large}");
}
