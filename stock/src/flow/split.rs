//! One field at a time, by the quoting rules of comma-separated text.

use memchr::memchr;

/// Where a field stands in the text of its record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Where it begins, its opening quote included.
    pub(super) raw: usize,
    /// Its value, unless [`Field::pieced`].
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
    let end = comma(text, raw);
    let field =
        Field { raw, start: raw, end: end.unwrap_or(text.len()), quoted: false, pieced: false, loose: false };
    Split::Field(field, end.map(|comma| comma + 1))
}

/// Splits off a quoted field, from where the search for its end stopped.
#[inline]
pub(super) fn split_quoted(text: &[u8], open: Open) -> Split {
    let Open { raw, searched: mut at, mut doubled } = open;
    let close = loop {
        let quote = match text.get(at) {
            Some(b'"') => at,
            _ => match memchr(b'"', text.get(at..).unwrap_or_default()) {
                Some(distance) => at + distance,
                None => return Split::Open(Open { raw, searched: text.len(), doubled }),
            },
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
            let end = comma(text, close + 1);
            let field = Field { end: end.unwrap_or(text.len()), pieced: true, loose: true, ..field };
            Split::Field(field, end.map(|comma| comma + 1))
        }
    }
}

#[inline]
fn comma(text: &[u8], from: usize) -> Option<usize> {
    memchr(b',', text.get(from..).unwrap_or_default()).map(|distance| from + distance)
}
