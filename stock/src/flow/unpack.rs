//! Files that come as gzip after all (spec §7.3).

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, Write as _};

use flate2::bufread::MultiGzDecoder;
use sha1::{Digest as _, Sha1};

use crate::flow::FlowError;
use crate::flow::hash::hex;

/// How gzip begins.
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Text of flow files packs 5 to 20 times; what unpacks to far more is no flow file.
const LARGEST_RATIO: u64 = 200;
/// Below this size the ratio is not looked at.
const SMALL: u64 = 16 << 20;

/// Unpacks `packed` into `text` in constant memory and returns the text's length and SHA-1.
pub(crate) fn unpack(mut packed: File, mut text: File, limit: u64) -> Result<(u64, String), FlowError> {
    let rewind = |file: &mut File| file.rewind().map_err(FlowError::Gzip);
    rewind(&mut packed)?;
    let size = packed.metadata().map_err(FlowError::Gzip)?.len();
    let limit = limit.min(size.saturating_mul(LARGEST_RATIO).max(SMALL));
    let mut reader = MultiGzDecoder::new(BufReader::with_capacity(64 << 10, packed));
    let mut hash = Sha1::new();
    let mut written: u64 = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(FlowError::Gzip(error)),
        };
        written += u64::try_from(count).unwrap_or(u64::MAX);
        if written > limit {
            return Err(FlowError::TooLarge { limit });
        }
        hash.update(&buffer[..count]);
        text.write_all(&buffer[..count]).map_err(FlowError::file("write", "the unpacked file"))?;
    }
    Ok((written, hex(&hash.finalize())))
}
