//! What a payload costs is linear in its size, whatever its shape: calls, bytes of pointers and columns, and bytes of memory
//! are counted, and nothing is timed.

mod counting;

use korpus_core::{Action, Element, Limits, PathStep, Scratch, TemplateVisitor, write_json_string};

/// What was given out: each call, and the bytes of its texts.
#[derive(Debug, Default)]
struct Given(usize);

impl Given {
    fn put<'a>(&mut self, texts: impl IntoIterator<Item = Option<&'a str>>) {
        self.0 += 1 + texts.into_iter().flatten().map(str::len).sum::<usize>();
    }
}

impl TemplateVisitor for Given {
    fn element(&mut self, e: &Element<'_, '_>) {
        self.put([Some(e.path), e.title, e.subtitle, e.value, e.image_url]);
        self.put(e.value_list.into_iter().flatten().copied());
    }

    fn action(&mut self, a: &Action<'_, '_>) {
        self.put([Some(a.path), a.action_type, a.title, a.payload, a.value, a.url]);
    }
}

/// Reads all there is of a text: the bytes that it took, and what was given out.
fn cost(text: &str) -> [usize; 2] {
    let (allocated, given) = counting::allocated(|| {
        let mut given = Given::default();
        let scratch = Scratch::new(&Limits::default());
        let classified = scratch.classify_str(text);
        given.put([classified.visible()]);
        if let Some(template) = classified.template() {
            given.put([template.envelope_type(), template.template_type(), template.template_type_norm()]);
            given.put(template.voice_verbs().map(Some));
            template.visit(&mut given);
            template.for_each_leftover(|pointer, raw| given.put([Some(pointer), Some(raw)]));
            template.for_each_path(|path, _| {
                given.put(path.iter().map(|step| match step {
                    PathStep::Key(key) => Some(*key),
                    PathStep::Item => None,
                }));
            });
        }
        given
    });
    [allocated.bytes as usize, given.0]
}

fn string(text: &str) -> String {
    let mut out = String::new();
    write_json_string(text, &mut out);
    out
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

fn template(payload: &str) -> String {
    format!(r#"{{"type":"template","payload":{payload}}}"#)
}

/// `inside`, that many times in something.
fn nested(levels: usize, open: &str, inside: &str, close: &str) -> String {
    open.repeat(levels) + inside + &close.repeat(levels)
}

/// Texts whose size grows with `n`, by what they are made of.
fn shapes(n: usize) -> Vec<(&'static str, String)> {
    let entities = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;");
    let button = |i: usize| format!(r#"{{"type":"postback","title":"b{i}","payload":{{"a":[{i}]}}}}"#);
    let buttons = format!(r#"{{"template_type":"button","buttons":[{}]}}"#, list(n, button));
    let element =
        |i| format!(r#"{{"title":{{"type":"text","text":{{"title":"t{i}"}}}},"values":[1,[2],null]}}"#);
    let long = "k".repeat(400);
    let deep = nested(40, r#"{"items":[{"title":"t","buttons":[{"title":"b","payload":"#, r#""p"}]}]}"#, "");
    vec![
        ("buttons", template(&buttons)),
        ("with entities", entities(&template(&buttons))),
        ("as a string", entities(&string(&template(&buttons)))),
        ("in a string", template(&string(&buttons))),
        ("in strings", template(&string(&template(&string(&buttons))))),
        ("broken in a string", template(&string(&buttons[..buttons.len() - 2]))),
        ("elements", format!(r#"{{"elements":[{}]}}"#, list(n, element))),
        ("numbers", format!("{{\"x\":[{}]}}", list(n, |i| i.to_string()))),
        ("keys", format!("{{{}}}", list(n, |i| format!("\"k{i}\":{{\"a\":{i}}}")))),
        ("one key", format!("{{{}}}", list(n, |i| format!("\"title\":{i}")))),
        ("escaped keys", format!("{{{}}}", list(n, |i| format!("\"\\u006b{i}\":{i}")))),
        ("below a long key", format!("{{\"{long}\":[{}]}}", list(n, button))),
        ("long keys", format!("{{{}}}", list(n / 20, |i| format!("\"{long}{i}\":[{{\"x\":[1,2]}}]")))),
        (
            "elements in elements",
            format!("{{\"z\":[{}]}}", list(n / 40, |_| nested(30, r#"{"items":["#, "", "]}"))),
        ),
        (
            "actions in actions",
            format!(
                "{{\"z\":[{}]}}",
                list(n / 80, |_| nested(20, r#"{"buttons":[{"title":"b","url":"#, "1", "}]}"))
            ),
        ),
        ("unclosed", format!("{{\"z\":[{}", list(n / 40, |_| deep.clone()))),
        ("too deep", "{\"a\":".repeat(n)),
        ("lists too deep", format!("{{\"a\":{}", "[".repeat(n))),
        (
            "speech",
            format!(
                r#"{{"type":"command","command":"x","data":[{}]}}"#,
                list(n, |i| format!(r#"{{"verb":"say","text":["<b>{i}</b>","&amp;"]}}"#))
            ),
        ),
        (
            "nested speech",
            format!(
                r#"{{"type":"command","command":"x","data":[{{"verb":"say","say":{}}}]}}"#,
                nested(60, "[", &list(n, |i| format!("{{\"text\":\"{i}\"}}")), "]")
            ),
        ),
        (
            "answers",
            template(&format!(
                r#"{{"template_type":"search","graph_answer":{{"center_panel":{{"data":[{}]}}}}}}"#,
                list(n, |i| format!(r#"{{"snippet_content":["s{i}"]}}"#))
            )),
        ),
        ("ampersands", "&".repeat(n)),
        ("entities that end nowhere", format!("{{{}", "&#x0".repeat(n))),
        ("entities", "&amp;".repeat(n)),
        ("angle brackets", "<".repeat(n)),
        ("tags", format!("<speak>{}</speak>", "<a b='".repeat(n))),
        ("quotes", format!("&quot;{{{}", "\"".repeat(n))),
        ("backslashes", format!("&quot;{{{}", "\\".repeat(n))),
        ("white space", format!("{{{}", " \u{a0}".repeat(n))),
        ("surrogates", template(&format!("\"{{{}\"", "\\ud83d".repeat(n)))),
    ]
}

#[test]
fn costs_are_linear_in_the_size_of_a_text() {
    const TIMES: usize = 16;
    for ((name, small), (_, large)) in shapes(500).into_iter().zip(shapes(500 * TIMES)) {
        assert!(large.len() > 9 * small.len(), "{name}");
        let (few, many) = (cost(&small), cost(&large));
        for (few, many) in few.into_iter().zip(many) {
            // Room is doubled as it runs out, and there is some from the start.
            assert!(many <= 3 * TIMES * few + (64 << 10), "{name}: {few} and {many}");
        }
        let [bytes, given] = many;
        assert!(bytes < 200 * large.len() + (64 << 10), "{name}: {bytes} bytes for {}", large.len());
        assert!(given < 60 * large.len() + (64 << 10), "{name}: {given} given for {}", large.len());
    }
}
