//! The file itself: scripts and styles with their hashes, and the data where nothing in it can run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

const FRAME: &str = include_str!("../../assets/page/page.html");
const STYLE: &str = include_str!("../../assets/page/page.css");
const LIBRARY: &str = include_str!("../../assets/echarts.min.js");
/// The licences of the library and of what is in it, which ask to go where it goes.
const LICENCES: [(&str, &str); 5] = [
    ("Apache ECharts: notice", include_str!("../../assets/NOTICE-echarts")),
    ("Apache ECharts: licence", include_str!("../../assets/LICENSE-echarts")),
    ("d3, parts of which are in Apache ECharts", include_str!("../../assets/LICENSE-d3")),
    ("zrender", include_str!("../../assets/LICENSE-zrender")),
    ("tslib", include_str!("../../assets/LICENSE-tslib")),
];
const SCRIPTS: [&str; 7] = [
    include_str!("../../assets/page/base.js"),
    include_str!("../../assets/page/figure.js"),
    include_str!("../../assets/page/outcomes.js"),
    include_str!("../../assets/page/failures.js"),
    include_str!("../../assets/page/behaviour.js"),
    include_str!("../../assets/page/trust.js"),
    include_str!("../../assets/page/main.js"),
];

/// The page. Only the library and the page's own script may run, only its own style applies, and nothing is loaded.
pub(super) fn write(title: &str, island: &Value) -> String {
    let page = format!("(() => {{\n\"use strict\";\n{}}})();\n", SCRIPTS.concat());
    let policy = format!(
        "default-src 'none'; script-src {} {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        source(LIBRARY),
        source(&page),
        source(STYLE)
    );
    let data = escape_json(&island.to_string());
    let title = escape_markup(title);
    let licences = LICENCES.map(|(name, text)| format!("{name}\n\n{}", text.trim_matches('\n')));
    let licences = escape_markup(&licences.join("\n\n\n"));
    let parts = [
        ("{csp}", policy.as_str()),
        ("{title}", &title),
        ("{style}", STYLE),
        ("{licences}", &licences),
        ("{data}", &data),
        ("{library}", LIBRARY),
        ("{page}", &page),
    ];
    // In one pass from left to right, so that nothing is looked for inside what was filled in.
    let mut out =
        String::with_capacity(parts.iter().map(|(_, text)| text.len()).sum::<usize>() + FRAME.len());
    let mut rest = FRAME;
    for (mark, text) in parts {
        let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
        out.push_str(before);
        out.push_str(text);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The hash by which the policy lets an inline script or style through.
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// JSON that cannot end the element it stands in, nor open a comment there; the same value to a JSON parser.
fn escape_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 32);
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

/// Text for the content of an element.
fn escape_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inlined_can_stand_in_its_element() {
        for script in SCRIPTS.iter().chain([&LIBRARY]) {
            let lower = script.to_ascii_lowercase();
            assert!(!lower.contains("</script") && !lower.contains("<!--") && !lower.contains("<script"));
            // A browser would read a line end of two bytes as one, and the hash would not fit.
            assert!(!script.contains('\r'));
        }
        assert!(!STYLE.to_ascii_lowercase().contains("</style") && !STYLE.contains('\r'));
        for mark in ["{csp}", "{title}", "{style}", "{licences}", "{data}", "{library}", "{page}"] {
            assert_eq!(FRAME.matches(mark).count(), 1, "{mark}");
        }
    }

    #[test]
    fn escaped_json_is_the_same_value() {
        let value = serde_json::json!({ "a": "</script>\u{2028}<!-- & \u{2029}{data}" });
        let escaped = escape_json(&value.to_string());
        assert!(!escaped.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
        assert_eq!(serde_json::from_str::<Value>(&escaped).ok(), Some(value));
    }
}
