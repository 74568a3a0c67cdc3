//! Archives for tests: tar by the crate of that name, zip and HAR by hand, so that they can be wrong on purpose.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use korpus_core::write_json_string;

pub(in crate::source) const STORED: u16 = 0;
pub(in crate::source) const DEFLATE: u16 = 8;
pub(in crate::source) const ZSTD: u16 = 93;

/// A tar archive of regular files.
pub(in crate::source) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// The head of a tar member of any type and name, its content aside.
pub(in crate::source) fn tar_head(name: &[u8], kind: u8, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// A member of a zip archive.
#[derive(Clone)]
pub(in crate::source) struct Zipped<'a> {
    pub(in crate::source) name: &'a str,
    pub(in crate::source) content: &'a [u8],
    pub(in crate::source) method: u16,
    pub(in crate::source) flags: u16,
    /// Its lengths stand behind it.
    pub(in crate::source) open_ended: bool,
    pub(in crate::source) long: bool,
    pub(in crate::source) mode: u32,
    pub(in crate::source) crc: Option<u32>,
}

impl<'a> Zipped<'a> {
    pub(in crate::source) fn new(name: &'a str, content: &'a [u8], method: u16) -> Self {
        Self { name, content, method, flags: 0, open_ended: false, long: false, mode: 0o100_644, crc: None }
    }
}

fn packed(content: &[u8], method: u16) -> Vec<u8> {
    match method {
        DEFLATE => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        }
        ZSTD => zstd::encode_all(content, 1).unwrap(),
        _ => content.to_vec(),
    }
}

/// A zip archive.
pub(in crate::source) fn zip(members: &[Zipped<'_>]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let content = packed(member.content, member.method);
        let mut sum = Crc::new();
        sum.update(member.content);
        let crc = member.crc.unwrap_or(sum.sum());
        let lens = (content.len() as u32, member.content.len() as u32);
        let head = file.len() as u32;
        let flags = member.flags | if member.open_ended { 1 << 3 } else { 0 };
        let long = if member.long {
            let mut field = vec![1, 0, 16, 0];
            field.extend(u64::from(lens.1).to_le_bytes());
            field.extend(u64::from(lens.0).to_le_bytes());
            field
        } else {
            Vec::new()
        };
        let common = |crc: u32, lens: (u32, u32)| {
            let mut bytes = Vec::new();
            bytes.extend(45_u16.to_le_bytes());
            bytes.extend(flags.to_le_bytes());
            bytes.extend(member.method.to_le_bytes());
            bytes.extend([0; 4]);
            for number in [crc, lens.0, lens.1] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.extend((member.name.len() as u16).to_le_bytes());
            bytes.extend((long.len() as u16).to_le_bytes());
            bytes
        };
        let shown = if member.long { (u32::MAX, u32::MAX) } else { lens };
        file.extend(b"PK\x03\x04");
        file.extend(if member.open_ended { common(0, (0, 0)) } else { common(crc, shown) });
        file.extend(member.name.bytes());
        file.extend(&long);
        file.extend(&content);
        if member.open_ended {
            file.extend(b"PK\x07\x08");
            for number in [crc, lens.0, lens.1] {
                file.extend(number.to_le_bytes());
            }
        }
        directory.extend(b"PK\x01\x02");
        directory.extend([45, 3]);
        directory.extend(common(crc, shown));
        directory.extend([0; 6]);
        directory.extend((member.mode << 16).to_le_bytes());
        directory.extend(head.to_le_bytes());
        directory.extend(member.name.bytes());
        directory.extend(&long);
    }
    let (start, len, count) = (file.len() as u32, directory.len() as u32, members.len() as u16);
    file.extend(directory);
    if members.iter().any(|member| member.long) {
        let end_64 = file.len() as u64;
        file.extend(b"PK\x06\x06");
        file.extend(44_u64.to_le_bytes());
        file.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for number in [u64::from(count), u64::from(count), u64::from(len), u64::from(start)] {
            file.extend(number.to_le_bytes());
        }
        file.extend(b"PK\x06\x07\0\0\0\0");
        file.extend(end_64.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
    }
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend(len.to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}

/// A HAR file of responses, in Base64 where `base64` says so.
pub(in crate::source) fn har(entries: &[(&str, &[u8])], base64: bool) -> Vec<u8> {
    let mut file =
        String::from(r#"{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"entries":["#);
    for (index, (url, content)) in entries.iter().enumerate() {
        let mut text = String::new();
        if base64 {
            write_json_string(&encode(content), &mut text);
        } else {
            write_json_string(str::from_utf8(content).unwrap(), &mut text);
        }
        let comma = if index == 0 { "" } else { "," };
        let encoding = if base64 { r#","encoding":"base64""# } else { "" };
        write!(
            file,
            r#"{comma}{{"startedDateTime":"2025-09-01T00:00:00Z","request":{{"method":"GET","url":"{url}","headers":[{{"name":"auth","value":"x"}}]}},
            "response":{{"status":200,"content":{{"size":1,"mimeType":"application/json","text":{text}{encoding}}}}},"time":1.5e0}}"#
        )
        .unwrap();
    }
    file.push_str("]}}\n");
    file.into_bytes()
}

/// Base64.
pub(in crate::source) fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let six = (bits >> (18 - 6 * at)) as usize & 63;
            out.push(if at <= chunk.len() { char::from(ALPHABET[six]) } else { '=' });
        }
    }
    out
}
