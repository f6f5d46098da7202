//! Which columns of a list matter.

use favor_stock::csv::Record;

use super::{ListError, ListSource, ProblemKind};

/// Where the openid and the unionid stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) openid: usize,
    pub(super) unionid: Option<usize>,
    /// How many there are.
    pub(super) count: usize,
}

/// What the first line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstLine {
    Header(Columns),
    /// A row of a list with one openid per line.
    Row(Columns),
}

const ONE_PER_LINE: Columns = Columns { openid: 0, unionid: None, count: 1 };

impl FirstLine {
    pub(super) fn read(record: Record<'_>, source: &ListSource) -> Result<Self, ListError> {
        let found = record.count();
        let openid = position(record, source.openid_column.as_deref().unwrap_or("openid"))?;
        let unionid = position(record, source.unionid_column.as_deref().unwrap_or("unionid"))?;
        let missing = |wanted: &str| ListError::NoColumn { wanted: wanted.to_owned(), found };
        match (openid, unionid) {
            (Some(openid), Some(_)) if unionid == Some(openid) => {
                Err(ListError::RepeatedColumn(source.unionid_column.clone().unwrap_or_default()))
            }
            (_, None) if source.unionid_column.is_some() => {
                Err(missing(source.unionid_column.as_deref().unwrap_or_default()))
            }
            (Some(openid), unionid) => Ok(Self::Header(Columns { openid, unionid, count: found })),
            (None, _) if source.openid_column.is_none() && found == 1 => Ok(Self::Row(ONE_PER_LINE)),
            (None, _) => Err(missing(source.openid_column.as_deref().unwrap_or("openid"))),
        }
    }
}

/// Where the column of this name is, whatever its case.
fn position(record: Record<'_>, wanted: &str) -> Result<Option<usize>, ListError> {
    let is_it = |index: &usize| {
        let value = record.value(*index).unwrap_or_default();
        value.trim_ascii().eq_ignore_ascii_case(wanted.trim().as_bytes())
    };
    let mut found = (0..record.count()).filter(is_it);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(ListError::RepeatedColumn(wanted.to_owned())),
        (first, _) => Ok(first),
    }
}

impl Columns {
    /// The openid and the unionid of a row; the latter may be empty.
    pub(super) fn values<'a>(&self, record: Record<'a>) -> Result<(&'a [u8], &'a [u8]), ProblemKind> {
        let (expected, found) = (self.count, record.count());
        if expected != found {
            return Err(ProblemKind::FieldCount { expected, found });
        }
        let value = |index: usize| record.value(index).unwrap_or_default().trim_ascii();
        let (openid, unionid) = (value(self.openid), self.unionid.map(value).unwrap_or_default());
        // The rule of `OpenId`, over bytes.
        match openid {
            [] => Err(ProblemKind::Empty),
            long if long.len() > 128 => Err(ProblemKind::OpenidTooLong),
            b"." | b".." => Err(ProblemKind::NotAnOpenid),
            odd if !odd.iter().all(u8::is_ascii_graphic) => Err(ProblemKind::NotAnOpenid),
            _ if unionid.len() > 128 || !unionid.iter().all(u8::is_ascii_graphic) => {
                Err(ProblemKind::NotAUnionid)
            }
            _ => Ok((openid, unionid)),
        }
    }
}
