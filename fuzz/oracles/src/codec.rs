//! Codecs: any bytes decode without a panic, read and given out in pieces of any size to the same, and whole as streamed.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use korpus_core::{Codec, CodecErrorKind, DecodeLimits, Decoder, NotWhole, WholeDecoder, sniff};

const LIMITS: DecodeLimits =
    DecodeLimits { max_ratio: 2000, ratio_floor: 1 << 20, max_codecs: 2, whole_limit: 1 << 22 };
/// More is not read: it would only cost time.
const MOST: usize = 4 << 20;

/// What comes out of a file.
#[derive(Debug, PartialEq)]
struct Decoded {
    bytes: Vec<u8>,
    codecs: Vec<Codec>,
    has_http: bool,
    end: Result<u64, CodecErrorKind>,
}

/// A reader that gives so many bytes at a time, as a pipe may.
#[derive(Clone, Copy)]
struct Pieces<'d>(&'d [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = self.1.min(out.len());
        self.0.read(&mut out[..len])
    }
}

fn decode(input: Pieces<'_>, name: Option<&str>, window: usize, limits: DecodeLimits) -> Decoded {
    let len = input.0.len() as u64;
    let mut decoder = Decoder::new(input, name, limits).expect("reading from memory does not fail");
    let mut bytes = Vec::new();
    let mut buffer = vec![0; window];
    let end = loop {
        match decoder.read(&mut buffer) {
            Ok(0) => break Ok(decoder.trailing()),
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
            Err(error) => {
                let again = decoder.read(&mut buffer).expect_err("damage stays");
                assert_eq!(again.kind(), error.kind());
                break Err(error.kind());
            }
        }
        if bytes.len() > MOST {
            break Ok(u64::MAX);
        }
    };
    assert!(bytes.len() > MOST || decoder.decoded_bytes() == bytes.len() as u64);
    assert!(decoder.compressed_bytes() <= len);
    Decoded { bytes, codecs: decoder.codecs().to_vec(), has_http: decoder.http().is_some(), end }
}

/// Decodes `data` in every way there is.
///
/// # Panics
/// If two ways disagree.
pub fn codec(data: &[u8]) {
    let at_once = Pieces(data, usize::MAX);
    let names = ["page.json.br", "page.deflate", "page.json.gz"];
    for name in [None, Some(names[data.len() % names.len()])] {
        let streamed = decode(at_once, name, 64 << 10, LIMITS);
        if streamed.bytes.len() > MOST {
            continue;
        }
        if streamed.bytes.len() < 64 << 10 {
            assert!(decode(at_once, name, 1, LIMITS) == streamed, "a window of one byte");
        }
        assert!(decode(at_once, name, 1000, LIMITS) == streamed, "a window of 1000 bytes");
        let piece = 1 + data.len() % 7;
        let dripped = decode(Pieces(data, piece), name, 4096, LIMITS);
        assert!(dripped == streamed, "read {piece} bytes at a time");
        if streamed.codecs.is_empty() && !streamed.has_http {
            assert!(streamed.bytes == data, "plain bytes pass as they are");
            assert_eq!(streamed.end, Ok(0));
        }
        let mut whole = Vec::new();
        match WholeDecoder::new().decode(data, name, &LIMITS, &mut whole) {
            Ok(done) => {
                assert!(whole == streamed.bytes, "whole as streamed");
                assert_eq!(streamed.codecs, [done.codec]);
                assert_eq!(streamed.end, Ok(done.trailing));
                assert_eq!(sniff(data, name), done.codec);
            }
            Err(NotWhole::OtherCodec(codec)) => assert_eq!(codec, sniff(data, name)),
            Err(NotWhole::Damaged) => {}
            Err(_) => assert!(whole.is_empty()),
        }
    }
    wrapped(data);
}

/// What was packed with gzip comes out as what it was.
fn wrapped(data: &[u8]) {
    let limits = DecodeLimits { max_ratio: u64::MAX, ..LIMITS };
    let mut inner = decode(Pieces(data, usize::MAX), None, 4096, DecodeLimits { max_codecs: 1, ..limits });
    if inner.bytes.len() > MOST {
        return;
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(data).expect("writing to memory");
    let packed = gzip.finish().expect("writing to memory");
    let outer = decode(Pieces(&packed, usize::MAX), None, 4096, limits);
    inner.codecs.insert(0, Codec::Gzip);
    assert!(outer == inner, "packed as unpacked");
}
