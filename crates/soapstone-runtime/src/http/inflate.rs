//! Decompresses request bodies as they arrive, a little at a time, and ends with what expands beyond measure.

use crate::soap::Fault;
use actix_web::http::header::{CONTENT_ENCODING, HeaderMap};
use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use std::io::{self, Write};

/// Compressed bytes that are decompressed in one step: they become 1 MB at most, as deflate's greatest ratio is 1032.
const STEP_BYTES: usize = 1 << 10;

/// A step ends once it has that many bytes.
const ENOUGH_BYTES: usize = 32 << 10;

/// Size that a body may expand to whatever its ratio.
pub const FREE_EXPANSION_BYTES: u64 = 8 << 20;

/// The default of [`super::BodyLimits::max_ratio`]: XML and tables are seldom compressed to less than a hundredth.
pub const MAX_COMPRESSION_RATIO: u64 = 200;

/// A `Content-Encoding` that is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Identity,
    Gzip,
    Deflate,
}

impl Coding {
    fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let unsupported = |coding: &str| {
            let shown: String = coding.chars().take(64).collect();
            let message = format!("The Content-Encoding {shown} is not supported; use gzip, deflate or identity");
            Fault::sender("http.media_type", 415, message)
        };
        let mut codings = headers.get_all(CONTENT_ENCODING);
        let Some(coding) = codings.next() else { return Ok(Self::Identity) };
        let coding = coding.to_str().map_err(|_| unsupported("sent"))?;
        if codings.next().is_some() {
            return Err(unsupported("sent twice"));
        }
        match coding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            _ => Err(unsupported(coding)),
        }
    }
}

/// Returns true if a request declares its body compressed.
///
/// # Errors
/// A coding that is not understood.
pub(super) fn is_compressed(headers: &HeaderMap) -> Result<bool, Fault> {
    Ok(Coding::of(headers)? != Coding::Identity)
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Deflate { state: Decompress, has_ended: bool },
}

/// Decompresses a body step by step.
pub(super) struct Inflater {
    decoder: Decoder,
    max_ratio: u64,
    received: u64,
    produced: u64,
}

fn unreadable(error: &dyn std::fmt::Display) -> Fault {
    Fault::sender("http.body", 400, format!("The body cannot be read: {error}"))
}

impl Inflater {
    /// For a request with these headers; None if its body is not compressed.
    ///
    /// # Errors
    /// A coding that is not understood.
    pub fn of(headers: &HeaderMap, max_ratio: u64) -> Result<Option<Self>, Fault> {
        let decoder = match Coding::of(headers)? {
            Coding::Identity => return Ok(None),
            Coding::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            Coding::Deflate => Decoder::Deflate { state: Decompress::new(true), has_ended: false },
        };
        Ok(Some(Self { decoder, max_ratio, received: 0, produced: 0 }))
    }

    /// Decompresses the beginning of `input`; returns how much of it was read, and what it became.
    ///
    /// # Errors
    /// Damaged input, or such that expands beyond measure.
    pub fn step(&mut self, input: &[u8]) -> Result<(usize, Vec<u8>), Fault> {
        let (mut read, mut out) = (0, Vec::new());
        while read < input.len() && out.len() < ENOUGH_BYTES {
            let piece = input.get(read..input.len().min(read + STEP_BYTES)).unwrap_or_default();
            self.decode(piece, &mut out).map_err(|error| unreadable(&error))?;
            read += piece.len();
        }
        self.received += read as u64;
        self.count(out.len())?;
        Ok((read, out))
    }

    /// Remaining content at the end of the body.
    ///
    /// # Errors
    /// If the compressed body is cut off.
    pub fn finish(&mut self) -> Result<Vec<u8>, Fault> {
        let out = match &mut self.decoder {
            // No body at all is an empty one.
            _ if self.received == 0 => Vec::new(),
            Decoder::Gzip(gzip) => {
                gzip.try_finish().map_err(|error| unreadable(&error))?;
                std::mem::take(gzip.get_mut())
            }
            Decoder::Deflate { has_ended: true, .. } => Vec::new(),
            Decoder::Deflate { .. } => return Err(unreadable(&"it ends early")),
        };
        self.count(out.len())?;
        Ok(out)
    }

    fn count(&mut self, length: usize) -> Result<(), Fault> {
        self.produced += length as u64;
        let allowed = self.received.saturating_mul(self.max_ratio).max(FREE_EXPANSION_BYTES);
        if self.produced <= allowed {
            return Ok(());
        }
        let message = format!(
            "The body expands to more than {} times its compressed size; send it uncompressed, or raise \
             max-compression-ratio",
            self.max_ratio
        );
        Err(Fault::sender("http.compression", 413, message))
    }

    fn decode(&mut self, piece: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match &mut self.decoder {
            Decoder::Gzip(gzip) => {
                gzip.write_all(piece)?;
                // What is still within the decoder comes with the next piece, or at the end.
                out.append(gzip.get_mut());
                Ok(())
            }
            Decoder::Deflate { state, has_ended } => {
                let mut rest = piece;
                let mut is_full = false;
                while !rest.is_empty() || is_full {
                    if *has_ended {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "something follows its end"));
                    }
                    out.reserve(ENOUGH_BYTES);
                    let (before, length) = (state.total_in(), out.len());
                    let status = state.decompress_vec(rest, out, FlushDecompress::None)?;
                    let used = usize::try_from(state.total_in() - before).unwrap_or(rest.len());
                    rest = rest.get(used..).unwrap_or_default();
                    *has_ended = status == Status::StreamEnd;
                    is_full = !*has_ended && out.len() == out.capacity();
                    if used == 0 && out.len() == length && !*has_ended {
                        break;
                    }
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    fn inflater(coding: &'static str) -> Inflater {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        Inflater::of(&headers, MAX_COMPRESSION_RATIO).unwrap().unwrap()
    }

    /// The whole, with the largest step.
    fn inflated(coding: &'static str, bytes: &[u8], pieces: usize) -> Result<(Vec<u8>, usize), Fault> {
        let mut inflater = inflater(coding);
        let (mut whole, mut largest) = (Vec::new(), 0);
        for mut piece in bytes.chunks(pieces) {
            while !piece.is_empty() {
                let (read, out) = inflater.step(piece)?;
                largest = largest.max(out.len());
                whole.extend(out);
                piece = &piece[read..];
            }
        }
        whole.extend(inflater.finish()?);
        Ok((whole, largest))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut out = ZlibEncoder::new(Vec::new(), Compression::best());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn bodies_are_decompressed_however_they_arrive() {
        let text: Vec<u8> = (0..40_000_u32).flat_map(|n| format!("{n},").into_bytes()).collect();
        for pieces in [1, 7, 4096, usize::MAX] {
            assert!(inflated("gzip", &gzip(&text), pieces).unwrap().0 == text, "in pieces of {pieces}");
            assert!(inflated("deflate", &zlib(&text), pieces).unwrap().0 == text, "in pieces of {pieces}");
        }
        let two = [gzip(b"one"), gzip(b"two")].concat();
        assert_eq!(inflated("gzip", &two, 3).unwrap().0, b"onetwo");
        assert_eq!(inflated("gzip", b"", 1).unwrap().0, b"");
    }

    #[test]
    fn what_is_damaged_or_cut_off_is_rejected() {
        for (coding, whole) in [("gzip", gzip(b"some text that is long enough")), ("deflate", zlib(b"some text"))] {
            for end in 1..whole.len() {
                assert_eq!(inflated(coding, &whole[..end], 5).unwrap_err().subcode, "http.body", "{coding} {end}");
            }
            assert!(inflated(coding, &[whole.clone(), b"more".to_vec()].concat(), 5).is_err(), "{coding}");
        }
    }

    #[test]
    fn a_bomb_is_rejected_before_it_grows() {
        let large = vec![b'x'; 64 << 20];
        for (coding, bomb) in [("gzip", gzip(&large)), ("deflate", zlib(&large))] {
            let mut inflater = inflater(coding);
            let (mut rest, mut produced) = (&bomb[..], 0);
            let fault = loop {
                match inflater.step(rest) {
                    Ok((read, out)) => {
                        assert!(out.len() < 2 << 20, "{coding}: {} at once", out.len());
                        produced += out.len() as u64;
                        rest = &rest[read..];
                    }
                    Err(fault) => break fault,
                }
            };
            assert_eq!((fault.status, fault.subcode.as_ref()), (413, "http.compression"), "{coding}");
            assert!(produced <= FREE_EXPANSION_BYTES, "{coding}: {produced}");
        }
    }

    #[test]
    fn other_codings_are_rejected() {
        for coding in ["br", "zstd", "gzip, gzip", "none"] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
            assert_eq!(Inflater::of(&headers, 1).err().map(|fault| fault.status), Some(415), "{coding}");
        }
    }
}
