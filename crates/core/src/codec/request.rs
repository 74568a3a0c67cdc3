//! The parameters that stand in the body of a request, in the form that a URL gives them.

use std::fmt::Write;

use crate::value::{Kind, Value};

/// Longer bodies are no parameters of a query.
const LONGEST: usize = 64 << 10;

/// The parameters in the body of a request, as `name=value&…`: of a JSON object its plain members (a list of plain values
/// gives a parameter each), of a form what it is. `None` where there are none.
///
/// ```
/// let query = korpus_core::request_parameters(br#"{"callId":"a b","skip":100,"tags":{"and":[]}}"#);
/// assert_eq!(query.as_deref(), Some("callId=a%20b&skip=100"));
/// ```
pub fn request_parameters(body: &[u8]) -> Option<String> {
    let text = str::from_utf8(body).ok()?.trim();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let mut query = String::new();
    if text.starts_with('{') {
        let object = Value::parse(text)?;
        for (name, value) in object.members() {
            let name = name.lossy();
            if value.kind() == Kind::Array {
                value.elements().for_each(|element| put(&mut query, &name, element));
            } else {
                put(&mut query, &name, value);
            }
        }
    } else if text.contains('=') && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        query.push_str(text);
    }
    (!query.is_empty()).then_some(query)
}

/// Adds a plain value: a string, a number, true or false.
fn put(query: &mut String, name: &str, value: Value<'_>) {
    match value.as_text() {
        Some(text) => put_parameter(query, name, &text.lossy()),
        None if matches!(value.kind(), Kind::Array | Kind::Object | Kind::Null) => {}
        None => put_parameter(query, name, value.raw()),
    }
}

/// Adds `name=value` to a query, encoded.
pub fn put_parameter(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    encode(query, name);
    query.push('=');
    encode(query, value);
}

/// The value of a parameter of a URL, decoded. Names are compared without regard to case.
///
/// ```
/// let url = "https://h/getMessages?callId=a%2Fb+c&skip=100";
/// assert_eq!(korpus_core::query_value(url, "callid").as_deref(), Some("a/b c"));
/// ```
pub fn query_value(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.eq_ignore_ascii_case(name).then(|| percent_decode(value))
    })
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|&b| char::from(b).to_digit(16));
        match (bytes[at], digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'+', ..) => {
                out.push(b' ');
                at += 1;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encode(query: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            query.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(query, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_requests_become_queries() {
        let query = |body: &[u8]| request_parameters(body);
        let object =
            r#" {"skip":0,"limit":1e2,"isDeveloper":false,"sessionId":["s-1","s&2"],"x":null,"ü":"="} "#;
        let expected = "skip=0&limit=1e2&isDeveloper=false&sessionId=s-1&sessionId=s%262&%C3%BC=%3D";
        assert_eq!(query(object.as_bytes()).as_deref(), Some(expected));
        assert_eq!(query(b"skip=1&limit=2\r\n").as_deref(), Some("skip=1&limit=2"));
        for none in [&b""[..], b"{}", b"{\"a\":", b"[1]", b"\xff=1", b"a = b", b"{\"tags\":{\"a\":1}}"] {
            assert_eq!(query(none), None);
        }
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(LONGEST));
        assert_eq!(query(long.as_bytes()), None);
    }
}
