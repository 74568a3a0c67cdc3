//! How texts begin, and speech markup: found and stripped. Every function is linear in its text.

use memchr::{memchr, memchr2, memchr3, memmem};

use super::entity::{decode_entities, entity_at};

/// The text without the white space that it begins with. A byte order mark counts as such: files that were put into a text
/// whole begin with one.
pub(super) fn trim_start(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// Whether `text`, white space before it removed, begins like an object: with `{`, or with a quote that is an entity
/// before it.
pub(super) fn begins_like_object(text: &str) -> bool {
    text.starts_with('{')
        || text.starts_with('&')
            && entity_at(text).is_some_and(|entity| entity.is_quote() && text[entity.len..].starts_with('{'))
}

/// Whether `text`, white space before it removed, begins like an object or a list of objects.
pub(super) fn begins_like_payload(text: &str) -> bool {
    let in_list = || text.strip_prefix('[').is_some_and(|inside| inside.trim_start().starts_with('{'));
    begins_like_object(text) || in_list()
}

/// The elements of speech markup that HTML does not have; those with an attribute count only where it is there.
const SPEECH: [(&str, &str); 13] = [
    ("speak", ""),
    ("break", ""),
    ("say-as", ""),
    ("prosody", ""),
    ("emphasis", ""),
    ("phoneme", ""),
    ("voice", ""),
    ("sub", "alias"),
    ("lang", "xml:lang"),
    ("mark", "name"),
    ("w", "role"),
    ("token", ""),
    ("lexicon", "uri"),
];
/// Vendors' own elements.
const SPEECH_PREFIXES: [&str; 2] = ["amazon:", "mstts:"];

fn speech_element(name: &str, rest: &str) -> Option<usize> {
    let known = SPEECH.iter().position(|(known, attribute)| {
        name.eq_ignore_ascii_case(known) && (attribute.is_empty() || rest.contains(attribute))
    });
    known.or_else(|| {
        let prefix = SPEECH_PREFIXES.iter().position(|prefix| {
            name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        });
        prefix.map(|index| SPEECH.len() + index)
    })
}

fn is_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b':' | b'_' | b'.')
}

fn starts_with_element(text: &str, name: &str) -> bool {
    text.get(1..=name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        && text.as_bytes().get(1 + name.len()).is_none_or(|&b| !is_name_byte(b))
}

/// Whether `text`, white space before it removed, is speech markup: begins with `<speak` or `<vxml`, or holds a
/// complete element that is speech markup and not HTML.
pub(super) fn is_ssml(text: &str) -> bool {
    if text.starts_with('<') && ["speak", "vxml"].iter().any(|name| starts_with_element(text, name)) {
        return true;
    }
    let mut opened = 0_u32;
    let mut from = 0;
    while let Some(found) = memchr(b'<', &text.as_bytes()[from..]) {
        let at = from + found;
        from = at + 1;
        let Some(end) = tag_end(text, at) else { continue };
        from = end;
        let inside = &text[at + 1..end - 1];
        let (closing, inside) = inside.strip_prefix('/').map_or((false, inside), |rest| (true, rest));
        let name_len = inside.bytes().take_while(|&b| is_name_byte(b)).count();
        let (name, rest) = inside.split_at(name_len);
        if closing {
            // A closing tag has no attributes.
            let index = SPEECH.iter().position(|(known, _)| name.eq_ignore_ascii_case(known));
            let index = index.or_else(|| speech_element(name, ""));
            if index.is_some_and(|index| opened >> index & 1 != 0) {
                return true;
            }
        } else if let Some(index) = speech_element(name, rest) {
            if rest.ends_with('/') {
                return true;
            }
            opened |= 1 << index;
        }
    }
    false
}

/// The position after the tag that begins at `at`, where one does.
///
/// Looks no further than the next `<`, so that many broken tags cost no more than their length.
fn tag_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    if !matches!(bytes.get(at + 1), Some(b'/' | b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z')) {
        return None;
    }
    let mut quote = None;
    let mut first = None;
    for (i, &b) in bytes.iter().enumerate().skip(at + 1) {
        match b {
            b'<' => break,
            b'>' if quote.is_none() => return Some(i + 1),
            b'>' => first = first.or(Some(i + 1)),
            b'"' | b'\'' if quote.is_none() => quote = Some(b),
            _ if quote == Some(b) => quote = None,
            _ => {}
        }
    }
    // A quote that is never closed is none.
    first
}

/// Appends the text of speech markup to `out`: tags and comments left out, entities decoded.
///
/// A pause or a paragraph between two words leaves a space.
pub(super) fn strip_speech(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let (mut from, mut search) = (0, 0);
    // Whether a comment or a section that begins may still end: looked for once.
    let mut may_end = [true; 2];
    while let Some(found) = memchr(b'<', &bytes[search..]) {
        let at = search + found;
        search = at + 1;
        let mut shown = "";
        let mut end = None;
        let sections = [("<!--", "-->", false), ("<![CDATA[", "]]>", true)];
        for ((open, close, is_text), may_end) in sections.into_iter().zip(&mut may_end) {
            if *may_end && text[at..].starts_with(open) {
                let inside = at + open.len();
                if let Some(len) = memmem::find(&bytes[inside..], close.as_bytes()) {
                    shown = if is_text { &text[inside..inside + len] } else { "" };
                    end = Some(inside + len + close.len());
                } else {
                    *may_end = false;
                }
            }
        }
        let Some(end) = end.or_else(|| tag_end(text, at)) else { continue };
        decode_entities(&text[from..at], out);
        out.push_str(shown);
        let pauses =
            ["break", "p", "/p", "s", "/s"].iter().any(|name| starts_with_element(&text[at..end], name));
        let follows = text[end..].chars().next().is_some_and(|c| !c.is_whitespace() && c != '<');
        if pauses && follows && out.chars().next_back().is_some_and(|c| !c.is_whitespace()) {
            out.push(' ');
        }
        from = end;
        search = end;
    }
    decode_entities(&text[from..], out);
}

/// Whether a text, as it stands in a JSON string, holds a `<` or a `&` once it is decoded.
pub(super) fn holds_markup(raw: &str, escaped: bool) -> bool {
    let bytes = raw.as_bytes();
    if !escaped {
        return memchr2(b'<', b'&', bytes).is_some();
    }
    let mut at = 0;
    while let Some(found) = memchr3(b'<', b'&', b'\\', &bytes[at..]) {
        at += found;
        match &bytes[at..] {
            [b'\\', b'u', b'0', b'0', b'3', b'c' | b'C', ..] | [b'\\', b'u', b'0', b'0', b'2', b'6', ..] => {
                return true;
            }
            [b'\\', ..] => at += 2,
            _ => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stripped(text: &str) -> String {
        let mut out = String::new();
        strip_speech(text, &mut out);
        out
    }

    #[test]
    fn speech_is_told_from_html() {
        for text in [
            "<speak>hi</speak>",
            "<speak",
            "<SPEAK version='1.1'>",
            "<vxml>",
            "wait <break time=\"1s\"/> there",
            "<break />",
            "<prosody rate=\"slow\">a</prosody>",
            "a <say-as interpret-as='digits'>1</say-as>",
            "<amazon:effect name=\"whispered\">x</amazon:effect>",
            "<mstts:express-as style=\"sad\">x</mstts:express-as>",
            "<sub alias=\"World Wide Web\">WWW</sub>",
            "< <br> <b>x</b> <voice name='a>b'>x</voice>",
            "go <mark name=\"here\"/> on",
            "<w role=\"amazon:VB\">read</w>",
        ] {
            assert!(is_ssml(text), "{text}");
        }
        for text in [
            "<speaker>",
            "<b>hi</b>",
            "H<sub>2</sub>O",
            "<p>a</p><s>b</s>",
            "<break",
            "<prosody rate='slow'>never closed",
            "</prosody><prosody>",
            "a < b > c",
            "<voicemail></voicemail>",
            "a <mark>word</mark> and <w>x</w>",
            "i <3 u",
            "",
        ] {
            assert!(!is_ssml(text), "{text}");
        }
    }

    #[test]
    fn markup_is_found_wherever_it_stands() {
        for len in 0..100 {
            for at in 0..len {
                for (mark, escaped, expected) in [
                    ("<", false, true),
                    ("&", true, true),
                    (r"\u003C", true, true),
                    (r"\u0026", true, true),
                    (r"\u003d", true, false),
                    (r"\\u0026", true, false),
                    (r"\u0026", false, false),
                    (">", false, false),
                ] {
                    let text = "ä".repeat(at / 2) + &"a".repeat(at % 2) + mark + &"b".repeat(len - at);
                    assert_eq!(holds_markup(&text, escaped), expected, "{text}");
                }
            }
        }
    }

    #[test]
    fn tags_are_stripped() {
        for (text, expected) in [
            ("<speak>Hello <b>you</b> &amp; me</speak>", "Hello you & me"),
            ("one<break time='1s'/>two", "one two"),
            ("one <break/> two", "one  two"),
            ("one<break/>", "one"),
            ("1 < 2 &lt;b&gt; <", "1 < 2 <b> <"),
            ("<!-- no > --><![CDATA[1 <2>]]>x", "1 <2>x"),
            ("<!-- never closed", "<!-- never closed"),
            ("<sub alias=\"a > b\">ab</sub>", "ab"),
            ("<sub alias=\"a > b>ab</sub>", " b>ab"),
        ] {
            assert_eq!(stripped(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn markup_never_panics(text in "[<>/!\\-a-z:\"'&;# \\[\\]CDATü]{0,60}") {
            is_ssml(&text);
            stripped(&text);
            crate::template::entity::has_entity(&text);
        }
    }
}
