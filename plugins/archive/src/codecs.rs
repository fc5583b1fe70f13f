//! Compression: streams of bytes made of streams of bytes. The foreign crates of codecs are named here and nowhere else.
//!
//! All of them are limited: what asks for a larger window than there is memory for is refused before it gets one.

use std::{
    io::{self, BufRead, BufReader, Read},
    rc::Rc,
};

use bzip2::bufread::BzDecoder;
use deflate64::Deflate64Decoder;
use flate2::{Decompress, FlushDecompress, Status, bufread::GzDecoder};
use lzma_rust2::{LzmaReader, XzReader};
use sti_plugin::{Blob, Problem};
use structured_zstd::decoding::{ContentChecksum, FrameDecoder, StreamingDecoder, errors::FrameDecoderError};

use crate::reader::{Reader, Stream};

/// The largest window that the decoder of zstd gets: that of `zstd --long`.
const LARGEST_WINDOW: u32 = 128 << 20;
/// The largest that a decoder of xz or LZMA gets, which makes room for it twice: that of `xz -9`.
const LARGEST_LZMA_WINDOW: u32 = 64 << 20;
/// The same for xz in KiB, with what its decoder needs besides.
const XZ_MEMORY: u32 = (LARGEST_LZMA_WINDOW >> 10) + 1024;

/// How a tar file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// RFC 1952, in one member or several.
    Gzip,
    /// RFC 8878, in one frame or several, with skippable ones between them.
    Zstd,
    /// The .xz file format 1.2, in one stream or several.
    Xz,
    /// Bzip2, in one stream or several.
    Bzip2,
}

impl Codec {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }

    pub(crate) fn name_with_tar(self) -> &'static str {
        match self {
            Self::Gzip => "tar+gzip",
            Self::Zstd => "tar+zstd",
            Self::Xz => "tar+xz",
            Self::Bzip2 => "tar+bzip2",
        }
    }
}

/// Opens a blob at its beginning, decompressed.
pub(crate) fn open(blob: &Rc<Blob>, codec: Option<Codec>) -> Box<dyn Stream> {
    let reader = Reader::new(blob);
    match codec {
        None => Box::new(reader),
        Some(Codec::Gzip) => Box::new(decoded(Members::new(reader, b"\x1f\x8b", GzDecoder::new, GzDecoder::into_inner))),
        Some(Codec::Xz) => Box::new(decoded(Members::new(reader, b"\xfd7zXZ\0", xz, XzReader::into_inner))),
        Some(Codec::Bzip2) => Box::new(decoded(Members::new(reader, b"BZh", BzDecoder::new, BzDecoder::into_inner))),
        Some(Codec::Zstd) => Box::new(decoded(Zstd::new(reader))),
    }
}

/// How much is decoded at once: a decoder keeps its window apart and copies it each time.
const DECODED: usize = 1 << 18;

/// A decompressed stream, with the buffer that pieces are lent from.
struct Decoded<R>(BufReader<R>);

fn decoded<R: Read>(reader: R) -> Decoded<R> {
    Decoded(BufReader::with_capacity(DECODED, reader))
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl<R: Read> BufRead for Decoded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.0.consume(amount);
    }
}

impl<R: Read> Stream for Decoded<R> {}

/// Compressed streams one behind the other, with zeros between them (as xz allows), each decoded by a decoder of its own. What follows
/// the last one is not looked at, as with the programs of these formats: the rest of a tape, or a signature.
struct Members<D> {
    magic: &'static [u8],
    begin: fn(Reader) -> D,
    end: fn(D) -> Reader,
    state: State<D>,
}

enum State<D> {
    Between(Reader),
    Within(D),
    /// At the end, or after an error, behind which no decoder is asked again.
    Over,
}

impl<D: Read> Members<D> {
    fn new(reader: Reader, magic: &'static [u8], begin: fn(Reader) -> D, end: fn(D) -> Reader) -> Self {
        Self { magic, begin, end, state: State::Between(reader) }
    }
}

impl<D: Read> Read for Members<D> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Between(mut reader) => {
                    pass_over_zeros(&mut reader)?;
                    if reader.peek(self.magic.len())? != self.magic {
                        return Ok(0);
                    }
                    State::Within((self.begin)(reader))
                }
                State::Within(mut decoder) => match decoder.read(into)? {
                    0 => State::Between((self.end)(decoder)),
                    read => {
                        self.state = State::Within(decoder);
                        return Ok(read);
                    }
                },
            }
        }
    }
}

fn pass_over_zeros(reader: &mut Reader) -> io::Result<()> {
    loop {
        let there = reader.fill_buf()?;
        let zeros = there.iter().take_while(|byte| **byte == 0).count();
        let is_more = zeros > 0 && zeros == there.len();
        reader.consume(zeros);
        if !is_more {
            return Ok(());
        }
    }
}

fn xz<R: Read>(reader: R) -> XzReader<R> {
    XzReader::new_mem_limit(reader, false, XZ_MEMORY)
}

/// Zstd, with its sums checked, and its error for a window that is too large said as the others say it.
struct Zstd<R: Read>(StreamingDecoder<R, FrameDecoder>);

impl<R: Read> Zstd<R> {
    fn new(reader: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_content_checksum(ContentChecksum::Verify);
        Self(StreamingDecoder::new_with_decoder(reader, decoder))
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| {
            let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
            let is_too_large = matches!(cause, Some(FrameDecoderError::WindowSizeTooBig { .. }));
            if is_too_large { io::ErrorKind::OutOfMemory.into() } else { error }
        })
    }
}

/// Makes a decoder of an entry of a zip file.
pub(crate) type Decoder<'a> = Box<dyn Read + 'a>;

/// The methods of zip entries (APPNOTE 4.4.5) that can be decoded. `size` is that of the result, where the method needs to know it.
pub(crate) fn zip_decoder<'a>(
    method: u16,
    mut bytes: impl BufRead + 'a,
    size: Option<u64>,
    inflater: &'a mut Inflater,
) -> Option<io::Result<Decoder<'a>>> {
    Some(Ok(match method {
        0 => Box::new(bytes),
        8 => Box::new(inflater.decoder(bytes)),
        9 => Box::new(Deflate64Decoder::with_buffer(bytes)),
        12 => Box::new(BzDecoder::new(bytes)),
        14 => return Some(lzma(&mut bytes).and_then(|head| Ok(Box::new(head.decoder(bytes, size)?) as Decoder))),
        20 | 93 => Box::new(Zstd::new(bytes)),
        95 => Box::new(xz(bytes)),
        _ => return None,
    }))
}

/// What inflates one entry after the other: made anew for each it would cost as much as inflating a small file.
pub(crate) struct Inflater(Decompress);

impl Default for Inflater {
    fn default() -> Self {
        Self(Decompress::new(false))
    }
}

impl Inflater {
    fn decoder<R: BufRead>(&mut self, bytes: R) -> Inflated<'_, R> {
        self.0.reset(false);
        Inflated { bytes, decompress: &mut self.0 }
    }
}

/// Deflate (RFC 1951), decoded.
struct Inflated<'a, R> {
    bytes: R,
    decompress: &'a mut Decompress,
}

impl<R: BufRead> Read for Inflated<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let there = self.bytes.fill_buf()?;
            let is_end = there.is_empty();
            let (taken, made) = (self.decompress.total_in(), self.decompress.total_out());
            let status = self.decompress.decompress(there, into, FlushDecompress::None);
            let (taken, made) = (self.decompress.total_in() - taken, self.decompress.total_out() - made);
            // Neither is more than the lengths that were given.
            self.bytes.consume(usize::try_from(taken).unwrap_or(usize::MAX));
            match status {
                Ok(Status::Ok | Status::BufError) if made == 0 && is_end => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Status::Ok | Status::BufError) if made == 0 && !into.is_empty() => {}
                Ok(_) => return Ok(usize::try_from(made).unwrap_or(usize::MAX)),
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
        }
    }
}

/// What stands before LZMA in a zip file (APPNOTE 5.8.8).
struct LzmaHead {
    properties: u8,
    dictionary: u32,
}

fn lzma(bytes: &mut impl Read) -> io::Result<LzmaHead> {
    let mut head = [0; 9];
    bytes.read_exact(&mut head)?;
    let [_, _, 5, 0, properties, a, b, c, d] = head else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "LZMA with an unknown header"));
    };
    Ok(LzmaHead { properties, dictionary: u32::from_le_bytes([a, b, c, d]) })
}

impl LzmaHead {
    /// A window need not be larger than what comes out.
    fn decoder<R: Read>(&self, bytes: R, size: Option<u64>) -> io::Result<LzmaReader<R>> {
        let needed = size.and_then(|size| u32::try_from(size).ok()).map_or(self.dictionary, |size| self.dictionary.min(size));
        if needed > LARGEST_LZMA_WINDOW {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        LzmaReader::new_with_props(bytes, size.unwrap_or(u64::MAX), self.properties, needed.max(4096), None)
    }
}

/// Makes the problem of a window that no decoder gets.
pub(crate) fn window_too_large() -> Problem {
    let (zstd, lzma) = (LARGEST_WINDOW >> 20, LARGEST_LZMA_WINDOW >> 20);
    let message =
        format!("unpacking needs a larger window than there is memory for: at most {lzma} MiB of xz, {zstd} MiB of zstd");
    Problem::exhausted("window-too-large", message)
        .hint("compress it anew with a smaller window, such as by `zstd -19` or `xz -9`")
}
