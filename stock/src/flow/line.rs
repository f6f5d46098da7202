//! All fields of a line at once, when the line has the usual form.
//!
//! Of 64 bytes at a time it is found which are commas and which are quotes, one bit for each. From the bits of the
//! quotes it follows which bytes are inside quotes, and so which commas part fields. That is right for lines on which
//! quotes stand around whole fields, and doubled inside these; any other line is left to
//! [`split`](super::split::split).

use super::split::Field;

const BLOCK: usize = 64;

/// What [`split_line`] found.
pub(super) struct Found {
    /// The number of fields.
    pub(super) count: usize,
    /// There are doubled quotes.
    pub(super) doubled: bool,
}

/// Splits the text of a line, from `start` on, and puts the first fields into `fields`. None when the line has not the
/// usual form: a quote inside a field that is not doubled, or one that is not closed.
#[inline]
pub(super) fn split_line(text: &mut Vec<u8>, start: usize, fields: &mut [Field]) -> Option<Found> {
    let end = text.len();
    // Blocks are whole, and there always is a byte behind the text.
    text.extend_from_slice(&[0; BLOCK]);
    let found = split_padded(text, start, end, fields);
    text.truncate(end);
    found
}

#[inline]
fn split_padded(text: &[u8], start: usize, end: usize, fields: &mut [Field]) -> Option<Found> {
    let mut before = Before { comma: 1, closing: 0, quoted: 0, doubled: 0 };
    let (mut at, mut raw, mut count) = (start, start, 0);
    for block in text.get(start..)?.as_chunks::<BLOCK>().0 {
        // The end of the line ends a field, as a comma does.
        let last = if end - at < BLOCK { 1 << (end - at) } else { 0 };
        let mut commas = before.commas(block, last)?;
        while commas != 0 {
            let comma = at + usize::from(commas.trailing_zeros().to_le_bytes()[0]);
            commas &= commas - 1;
            if let Some(field) = fields.get_mut(count) {
                *field = Field::whole(text, raw, comma);
            }
            count += 1;
            raw = comma + 1;
        }
        at += BLOCK;
        if last != 0 {
            break;
        }
    }
    (before.quoted == 0).then_some(Found { count, doubled: before.doubled != 0 })
}

/// What the bytes so far say about the next: one bit, or all bits for `quoted`.
struct Before {
    /// The last byte was a comma that parts fields, or there was none.
    comma: u64,
    /// The last byte was a closing quote.
    closing: u64,
    /// The next byte is inside quotes.
    quoted: u64,
    /// There were doubled quotes.
    doubled: u64,
}

impl Before {
    /// The commas of a block that part fields, with `end`. None when quotes are not in the usual form.
    #[inline(always)]
    fn commas(&mut self, block: &[u8; BLOCK], end: u64) -> Option<u64> {
        let commas = equal(block, b',');
        let quotes = equal(block, b'"');
        if quotes | self.quoted | self.closing == 0 {
            self.comma = commas >> 63;
            return Some(commas | end);
        }
        let inside = self.quoted ^ up_to(quotes);
        let commas = (commas & !inside) | end;
        let (opening, closing) = (quotes & inside, quotes & !inside);
        // A doubled quote looks like the end of the quotes and a new beginning. Else a field begins with its opening
        // quote, and its end follows the closing quote.
        let after_comma = commas << 1 | self.comma;
        let after_closing = closing << 1 | self.closing;
        if opening & !(after_comma | after_closing) | after_closing & !(commas | opening) != 0 {
            return None;
        }
        self.comma = commas >> 63;
        self.closing = closing >> 63;
        self.quoted = 0_u64.wrapping_sub(inside >> 63);
        self.doubled |= opening & after_closing;
        Some(commas)
    }
}

/// One bit for each byte that is this one, the first byte's lowest.
#[inline(always)]
fn equal(block: &[u8; BLOCK], byte: u8) -> u64 {
    let equal: [u8; BLOCK] = std::array::from_fn(|index| u8::from(block[index] == byte));
    let words: [u64; 8] = std::array::from_fn(|index| {
        let (words, _) = equal.as_chunks::<8>();
        u64::from_le_bytes(words[index])
    });
    if words.iter().fold(0, |any, word| any | word) == 0 {
        return 0;
    }
    // Moves the lowest bits of the eight bytes to the highest byte, in order.
    let eight = |index: usize| words[index].wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * index);
    (eight(0) | eight(1)) | (eight(2) | eight(3)) | ((eight(4) | eight(5)) | (eight(6) | eight(7)))
}

/// For each bit, whether the number of bits up to it, itself included, is odd.
#[inline(always)]
fn up_to(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}
