//! The input, and what of it is to be read once more.

use std::io::{self, BufRead, ErrorKind};

/// Gives what is to be read again first, then the input.
pub(super) struct Source<R> {
    input: R,
    again: Vec<u8>,
    at: usize,
}

impl<R: BufRead> Source<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, again: Vec::new(), at: 0 }
    }

    /// Whether something is still to be read again.
    pub(super) fn replays(&self) -> bool {
        self.at < self.again.len()
    }

    /// Puts back `text`, which was the last that was read. Nothing else may still be there to be read again.
    pub(super) fn replay(&mut self, text: &[u8]) {
        self.again.clear();
        self.again.extend_from_slice(text);
        self.at = 0;
    }

    /// What comes next; nothing at the end.
    #[inline(always)]
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.at < self.again.len() {
            return Ok(&self.again[self.at..]);
        }
        while let Err(error) = self.input.fill_buf() {
            if error.kind() != ErrorKind::Interrupted {
                return Err(error);
            }
        }
        self.input.fill_buf()
    }

    /// Reads over `length` bytes of what [`Source::fill`] gave.
    #[inline(always)]
    pub(super) fn consume(&mut self, length: usize) {
        if self.at < self.again.len() {
            self.at += length;
        } else {
            self.input.consume(length);
        }
    }
}
