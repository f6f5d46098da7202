//! Pictures of squares as JPEG, which is all that a QR code needs.
//!
//! A square is one block of eight by eight points of one brightness, so nothing of it but its mean has to be written.
//! That makes a baseline JPEG of two tiny Huffman tables, which any reader opens.

/// Points of a block, either way.
const BLOCK: usize = 8;
/// Step of the mean: 8 times the brightness is written, divided by this.
const STEP: u8 = 8;
/// Brightness of a light square, and of a dark one, as they are written: less 128.
const LIGHT: i16 = 127;
const DARK: i16 = -128;

/// Categories of differences of means, by their codes: none (`0`), 8 bits (`10`), 7 bits (`110`).
const CATEGORIES: [u8; 3] = [0, 8, 7];

/// Bits, most significant first. A byte of ones is followed by one of zeros, as the format wants.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u8,
    count: u8,
}

impl Bits {
    fn push(&mut self, value: u16, count: u8) {
        for place in (0..count).rev() {
            self.held = (self.held << 1) | u8::from((value >> place) & 1 == 1);
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.held);
                if self.held == 0xFF {
                    self.bytes.push(0);
                }
                (self.held, self.count) = (0, 0);
            }
        }
    }

    /// The bytes, the last one filled up with ones.
    fn finish(mut self) -> Vec<u8> {
        while self.count != 0 {
            self.push(1, 1);
        }
        self.bytes
    }
}

/// One segment: marker, length, content.
fn segment(into: &mut Vec<u8>, marker: u8, content: &[u8]) {
    // Segments here are far below 64 KiB.
    let length = u16::try_from(content.len() + 2).unwrap_or(u16::MAX);
    into.extend_from_slice(&[0xFF, marker]);
    into.extend_from_slice(&length.to_be_bytes());
    into.extend_from_slice(content);
}

/// A picture of `side` by `side` squares, row by row, each as wide as eight points. None if it is not square, has no
/// square at all, or more points to a side than the format can say.
pub(super) fn squares(dark: &[bool], side: usize) -> Option<Vec<u8>> {
    if side == 0 || dark.len() != side.checked_mul(side)? {
        return None;
    }
    let points = u16::try_from(side.checked_mul(BLOCK)?).ok()?.to_be_bytes();
    let mut jpeg = vec![0xFF, 0xD8];
    segment(&mut jpeg, 0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    let mut steps = vec![0];
    steps.extend([STEP; BLOCK * BLOCK]);
    segment(&mut jpeg, 0xDB, &steps);
    // One component of 8 bits, not sampled down, with the table of steps above.
    segment(&mut jpeg, 0xC0, &[8, points[0], points[1], points[0], points[1], 1, 1, 0x11, 0]);
    // How many codes of 1 to 16 bits there are, and what they mean.
    let mut means = vec![0, 1, 1, 1];
    means.extend([0; 13]);
    means.extend(CATEGORIES);
    segment(&mut jpeg, 0xC4, &means);
    // Of the rest of a block there is only its end.
    let mut rest = vec![0x10, 1];
    rest.extend([0; 15]);
    rest.push(0);
    segment(&mut jpeg, 0xC4, &rest);
    segment(&mut jpeg, 0xDA, &[1, 1, 0, 0, 63, 0]);
    let mut bits = Bits::default();
    let mut before = 0;
    for dark in dark {
        let mean = if *dark { DARK } else { LIGHT };
        match mean - before {
            0 => bits.push(0b0, 1),
            // From one to the other; a negative difference is written as its complement.
            255 => bits.push(0b10_1111_1111, 10),
            -255 => bits.push(0b10_0000_0000, 10),
            // The first block, which has nothing before it.
            127 => bits.push(0b11_0111_1111, 10),
            // -128 has eight bits.
            _ => bits.push(0b10_0111_1111, 10),
        }
        // The end of the block.
        bits.push(0b0, 1);
        before = mean;
    }
    jpeg.extend(bits.finish());
    jpeg.extend([0xFF, 0xD9]);
    Some(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_squares_of_squares_are_drawn() {
        assert!(squares(&[], 0).is_none());
        assert!(squares(&[true; 3], 2).is_none());
        assert!(squares(&vec![false; 8_192 * 8_192], 8_192).is_none());
        let jpeg = squares(&[true, false, false, true], 2).unwrap();
        assert_eq!((&jpeg[..2], &jpeg[jpeg.len() - 2..]), (&[0xFF, 0xD8][..], &[0xFF, 0xD9][..]));
    }

    #[test]
    fn a_byte_of_ones_does_not_look_like_a_marker() {
        let mut bits = Bits::default();
        bits.push(0xFFFF, 16);
        bits.push(0, 3);
        assert_eq!(bits.finish(), [0xFF, 0, 0xFF, 0, 0b0001_1111]);
    }
}
