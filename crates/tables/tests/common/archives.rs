//! Archives of files, as programs write them.

use std::io::Write as _;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};
use korpus_core::write_json_string;

/// Names and contents.
pub type Files = Vec<(String, Vec<u8>)>;

/// A tar archive.
pub fn tar(files: &Files) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &content[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

/// The same as gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zip archive, every other member of it compressed.
pub fn zip(files: &Files) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (index, (name, content)) in files.iter().enumerate() {
        let (method, packed) = if index % 2 == 0 {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(content).unwrap();
            (8_u16, encoder.finish().unwrap())
        } else {
            (0, content.clone())
        };
        let mut sum = Crc::new();
        sum.update(content);
        let mut common = vec![20, 0, 0, 0];
        common.extend(method.to_le_bytes());
        common.extend([0; 4]);
        for number in [sum.sum(), packed.len() as u32, content.len() as u32] {
            common.extend(number.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0; 2]);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend((out.len() as u32).to_le_bytes());
        directory.extend(name.bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.bytes());
        out.extend(packed);
    }
    let (start, count) = (out.len() as u32, files.len() as u16);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// A HAR file whose responses are the files: as text where that is possible.
pub fn har(files: &Files) -> Vec<u8> {
    let mut out = String::from(r#"{"log":{"version":"1.2","entries":["#);
    for (index, (name, content)) in files.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(r#"{"request":{"method":"POST","url":"https://example.org/api/public/bot/st-1/getMessagesV2?name="#);
        out.push_str(name);
        out.push_str(r#"","postData":{"mimeType":"application/json","text":"{\"skip\":7}"}},"response":{"status":200,"content":{"text":"#);
        if let Ok(text) = str::from_utf8(content) {
            write_json_string(text, &mut out);
        } else {
            write_json_string(&base64(content), &mut out);
            out.push_str(r#","encoding":"base64""#);
        }
        out.push_str("}}}");
    }
    out.push_str("]}}");
    out.into_bytes()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let six = (bits >> (18 - 6 * at)) as usize & 63;
            out.push(if at <= chunk.len() { char::from(ALPHABET[six]) } else { '=' });
        }
    }
    out
}
