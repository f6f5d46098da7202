//! One field at a time, by the quoting rules of comma-separated text.

use memchr::memchr;

/// Where a field stands in the text of its record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Field {
    /// Where it begins, its opening quote included.
    pub(super) raw: usize,
    /// Its value, unless [`Field::pieced`]; without the backtick that an unquoted field may begin with.
    pub(super) start: usize,
    /// The end of its value.
    pub(super) end: usize,
    /// It begins with a quote.
    pub(super) quoted: bool,
    /// Its value is not there in one piece: it has a doubled quote, or text after its closing quote. Then `start` and
    /// `end` are the ends of its text.
    pub(super) pieced: bool,
    /// Text follows its closing quote.
    pub(super) loose: bool,
}

impl Field {
    /// The field of `text` from `raw` to its end, with nothing but the quotes around it to be taken off.
    #[inline(always)]
    pub(super) fn whole(text: &[u8], raw: usize, end: usize) -> Self {
        let first = text.get(raw);
        let (quoted, ticked) = (first == Some(&b'"'), first == Some(&b'`'));
        let (start, end) = (raw + usize::from(quoted | ticked), end - usize::from(quoted));
        Self { raw, start, end, quoted, pieced: false, loose: false }
    }
}

/// A quoted field whose closing quote is not in the text so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    /// Where the field begins.
    pub(super) raw: usize,
    /// How far it was searched.
    searched: usize,
    doubled: bool,
}

impl Open {
    /// The search for the end of the field that begins at `raw`.
    pub(super) fn at(raw: usize) -> Self {
        Self { raw, searched: raw + 1, doubled: false }
    }
}

/// What [`split`] found.
pub(super) enum Split {
    /// A field, and where the next one begins; none after the last.
    Field(Field, Option<usize>),
    /// The text ends inside quotes.
    Open(Open),
}

/// Splits off the field of `text` that begins at `raw`.
#[inline]
pub(super) fn split(text: &[u8], raw: usize) -> Split {
    if text.get(raw) == Some(&b'"') {
        return split_quoted(text, Open::at(raw));
    }
    let end = find(b',', text, raw);
    let field = Field::whole(text, raw, end.unwrap_or(text.len()));
    Split::Field(field, end.map(|comma| comma + 1))
}

/// Splits off a quoted field, from where the search for its end stopped.
#[inline]
pub(super) fn split_quoted(text: &[u8], open: Open) -> Split {
    let Open { raw, searched: mut at, mut doubled } = open;
    let close = loop {
        let Some(quote) = find(b'"', text, at) else {
            return Split::Open(Open { raw, searched: text.len(), doubled });
        };
        if text.get(quote + 1) != Some(&b'"') {
            break quote;
        }
        doubled = true;
        at = quote + 2;
    };
    let field = Field { raw, start: raw + 1, end: close, quoted: true, pieced: doubled, loose: false };
    match text.get(close + 1) {
        None => Split::Field(field, None),
        Some(b',') => Split::Field(field, Some(close + 2)),
        Some(_) => {
            let end = find(b',', text, close + 1);
            let field = Field { end: end.unwrap_or(text.len()), pieced: true, loose: true, ..field };
            Split::Field(field, end.map(|comma| comma + 1))
        }
    }
}

/// Where `byte` is next. Most fields are short, so their first bytes are searched here, eight at a time.
#[inline(always)]
fn find(byte: u8, text: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let (mut rest, mut at) = (text.get(from..)?, from);
    for _ in 0..4 {
        let Some((word, next)) = rest.split_first_chunk::<8>() else { break };
        let different = u64::from_le_bytes(*word) ^ (ONES * u64::from(byte));
        // The lowest bit that is set is the high bit of the first byte that does not differ.
        let equal = different.wrapping_sub(ONES) & !different & HIGH;
        if equal != 0 {
            return Some(at + usize::from(equal.trailing_zeros().to_le_bytes()[0]) / 8);
        }
        (rest, at) = (next, at + 8);
    }
    let found = if rest.len() < 8 { rest.iter().position(|b| *b == byte) } else { memchr(byte, rest) };
    found.map(|distance| at + distance)
}
