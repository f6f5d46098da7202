//! Hashing what arrives, as it arrives.

use sha1::{Digest as _, Sha1};

use crate::flow::unpack::MAGIC;

/// The hash, length and first bytes of a file on its way.
#[derive(Default)]
pub(crate) struct Arrival {
    hash: Sha1,
    head: Vec<u8>,
    pub(crate) bytes: u64,
}

impl Arrival {
    pub(crate) fn add(&mut self, chunk: &[u8]) {
        let wanted = MAGIC.len().saturating_sub(self.head.len());
        self.head.extend_from_slice(&chunk[..wanted.min(chunk.len())]);
        self.hash.update(chunk);
        self.bytes = self.bytes.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
    }

    pub(crate) fn is_gzip(&self) -> bool {
        self.head == MAGIC
    }

    pub(crate) fn sha1(self) -> String {
        hex(&self.hash.finalize())
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
