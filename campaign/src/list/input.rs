//! The bytes of a list: hashed as they are in the file, unpacked if they are gzip.

use std::cell::RefCell;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use data_encoding::HEXLOWER;
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::{ListError, ListSource};

const BUFFER: usize = 64 << 10;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The text of a list.
pub(super) enum Input {
    Plain(BufReader<Hashing>),
    Packed(BufReader<MultiGzDecoder<BufReader<Hashing>>>),
}

impl Input {
    /// Begins to read; tells the tally as well, which counts along.
    pub(super) fn new(source: Box<dyn Read>) -> io::Result<(Self, Rc<RefCell<Tally>>)> {
        let tally = Rc::new(RefCell::new(Tally::default()));
        let mut bytes = BufReader::with_capacity(BUFFER, Hashing { source, tally: tally.clone() });
        let input = if bytes.fill_buf()?.starts_with(&GZIP) {
            Self::Packed(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(bytes)))
        } else {
            Self::Plain(bytes)
        };
        Ok((input, tally))
    }

    /// SHA-256 over the bytes of a source, in hexadecimal.
    pub(super) fn hash_of(mut source: Box<dyn Read>) -> io::Result<String> {
        let mut hash = Sha256::new();
        io::copy(&mut source, &mut hash)?;
        Ok(HEXLOWER.encode(&hash.finalize()))
    }

    pub(super) fn is_packed(&self) -> bool {
        matches!(self, Self::Packed(_))
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(text) => text.read(into),
            Self::Packed(text) => text.read(into),
        }
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain(text) => text.fill_buf(),
            Self::Packed(text) => text.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match self {
            Self::Plain(text) => text.consume(amount),
            Self::Packed(text) => text.consume(amount),
        }
    }
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Tally {
    hash: Sha256,
    pub(super) bytes: u64,
}

impl Tally {
    pub(super) fn sha256(&self) -> String {
        HEXLOWER.encode(&self.hash.clone().finalize())
    }
}

/// Hashes what passes.
pub(super) struct Hashing {
    source: Box<dyn Read>,
    tally: Rc<RefCell<Tally>>,
}

impl Read for Hashing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(into)?;
        let mut tally = self.tally.borrow_mut();
        tally.hash.update(&into[..count]);
        tally.bytes += u64::try_from(count).unwrap_or(u64::MAX);
        Ok(count)
    }
}

/// A list's file that is open, and how it was then.
#[derive(Debug)]
pub(super) struct Opened {
    file: File,
    before: Metadata,
}

impl Opened {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let before = file.metadata()?;
        if before.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        Ok(Self { file, before })
    }

    pub(super) fn reader(&self) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(self.file.try_clone()?))
    }

    /// Its size, unless it is a pipe or the like.
    pub(super) fn size(&self) -> Option<u64> {
        self.before.is_file().then(|| self.before.len())
    }

    /// Whether it is as it was when it was opened, and `read` bytes are all of it.
    pub(super) fn is_unchanged(&self, read: u64) -> io::Result<bool> {
        let after = self.file.metadata()?;
        let same_time = after.modified().ok() == self.before.modified().ok();
        Ok(!self.before.is_file() || (same_time && after.len() == self.before.len() && after.len() == read))
    }
}

/// The bytes of a source, and the open file if it is one.
pub(super) fn open(source: &ListSource) -> Result<(Box<dyn Read>, Option<Opened>), ListError> {
    if source.is_stdin() {
        return Ok((Box::new(io::stdin()), None));
    }
    let fault = |cause| ListError::Read { file: source.file.clone(), cause };
    let opened = Opened::new(&source.file).map_err(fault)?;
    Ok((opened.reader().map_err(fault)?, Some(opened)))
}
