//! What a container prints, taken apart while it comes: standard output and error arrive as one stream of frames (Docker's API, "Attach
//! to a container": a byte for which, three of nothing, four of length).

use std::io::{Read, Result, copy};

const STDOUT: u8 = 1;

/// Reads standard output, and keeps standard error for whoever asks in the end.
pub(super) struct StandardOutput<R> {
    frames: R,
    /// What is still to come of a frame of standard output.
    left: u64,
    errors: Vec<u8>,
}

impl<R: Read> StandardOutput<R> {
    /// That of a stream of frames.
    pub(super) fn of(frames: R) -> Self {
        Self { frames, left: 0, errors: Vec::new() }
    }

    /// What came on standard error.
    pub(super) fn errors(self) -> Vec<u8> {
        self.errors
    }

    /// The next frame's header; none where the stream ends.
    fn header(&mut self) -> Result<Option<(u8, u64)>> {
        let mut header = [0; 8];
        if self.frames.read(&mut header[..1])? == 0 {
            return Ok(None);
        }
        self.frames.read_exact(&mut header[1..])?;
        let [which, _, _, _, length @ ..] = header;
        Ok(Some((which, u32::from_be_bytes(length).into())))
    }
}

impl<R: Read> Read for StandardOutput<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.left == 0 {
            match self.header()? {
                None => return Ok(0),
                Some((STDOUT, length)) => self.left = length,
                Some((_, length)) => drop(copy(&mut (&mut self.frames).take(length), &mut self.errors)?),
            }
        }
        let length = (&mut self.frames).take(self.left).read(buffer)?;
        self.left -= length as u64;
        if length == 0 && !buffer.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(which: u8, text: &str) -> Vec<u8> {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        [&[which, 0, 0, 0][..], &length, text.as_bytes()].concat()
    }

    #[test]
    fn reads_one_stream_past_the_other() {
        let frames = [frame(2, "oh"), frame(1, "hel"), frame(1, ""), frame(2, " no"), frame(1, "lo")].concat();
        let (mut output, mut printed) = (StandardOutput::of(frames.as_slice()), String::new());
        output.read_to_string(&mut printed).unwrap();
        assert_eq!((printed.as_str(), output.errors().as_slice()), ("hello", &b"oh no"[..]));
    }

    #[test]
    fn a_frame_that_breaks_off_is_an_error() {
        let frames = frame(1, "hello");
        for cut in [1, 8, 10] {
            assert!(StandardOutput::of(&frames[..cut]).read_to_end(&mut Vec::new()).is_err(), "{cut}");
        }
    }
}
