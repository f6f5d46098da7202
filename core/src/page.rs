//! Pages of a list.

use std::collections::VecDeque;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use serde::{Deserialize, Deserializer};

use crate::api_error::{ApiError, ErrorCode};
use crate::error::Error;
use crate::lenient;

/// One page of a list. On the wire `offset` is a page number, not a count of entries (spec §8).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries of this page.
    pub data: Vec<T>,
    /// How many entries there are on all pages.
    pub total_count: u64,
    /// The page's number, from 0.
    pub offset: u64,
    /// How many entries a page holds at most.
    pub limit: u64,
}

impl<T> Page<T> {
    /// A page without entries.
    pub fn empty(offset: u64, limit: u64) -> Self {
        Self { data: Vec::new(), total_count: 0, offset, limit }
    }

    /// The number of the next page, when there is one.
    pub fn next(&self) -> Option<u64> {
        let next = self.offset.checked_add(1)?;
        let seen = next.checked_mul(self.limit)?;
        (!self.data.is_empty() && seen < self.total_count).then_some(next)
    }
}

/// The entries of all pages, one page fetched at a time. `fetch` gets a page's number, from 0.
///
/// It ends where the total says, or where the platform says that a later page does not exist (spec §3.8).
pub fn all_pages<T, F, R>(fetch: F) -> impl Stream<Item = Result<T, Error>>
where
    F: FnMut(u64) -> R,
    R: Future<Output = Result<Page<T>, Error>>,
{
    let state = (fetch, VecDeque::new(), Some(0));
    try_unfold(state, async |(mut fetch, mut entries, mut next)| {
        loop {
            if let Some(entry) = entries.pop_front() {
                return Ok(Some((entry, (fetch, entries, next))));
            }
            let Some(number) = next else { return Ok(None) };
            match fetch(number).await {
                Ok(page) => {
                    next = page.next();
                    entries = page.data.into();
                }
                Err(error) if number > 0 && is_past_the_end(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    })
}

fn is_past_the_end(error: &Error) -> bool {
    let code = error.api().and_then(ApiError::code);
    matches!(code, Some(ErrorCode::MerchantNotExists | ErrorCode::ResourceNotExists))
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(bound = "T: Deserialize<'de>")]
        struct Wire<T> {
            #[serde(default = "Vec::new", deserialize_with = "lenient::null_is_default")]
            data: Vec<T>,
            #[serde(deserialize_with = "lenient::count")]
            total_count: u64,
            #[serde(default, deserialize_with = "lenient::count")]
            offset: u64,
            #[serde(default, deserialize_with = "lenient::count")]
            limit: u64,
        }
        let wire = Wire::deserialize(deserializer)?;
        Ok(Self { data: wire.data, total_count: wire.total_count, offset: wire.offset, limit: wire.limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_may_be_missing_or_null_and_counts_may_be_text() {
        for data in ["", r#""data":null,"#, r#""data":[],"#] {
            let json = format!("{{{data}\"total_count\":\"0\",\"offset\":\"0\",\"limit\":\"10\"}}");
            let page: Page<String> = serde_json::from_str(&json).unwrap();
            assert!(page.data.is_empty());
            assert_eq!(page.next(), None);
        }
    }

    #[test]
    fn pages_end_where_the_total_says() {
        let page = |offset, total_count| Page { data: vec![1], total_count, offset, limit: 10 };
        assert_eq!(page(0, 11).next(), Some(1));
        assert_eq!(page(1, 11).next(), None);
        assert_eq!(page(0, 10).next(), None);
    }
}
