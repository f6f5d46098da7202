//! The sums of a flow file, for reconciliation.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use favor_core::time::rfc3339_option;
use favor_core::{Fen, MoneyError, Timestamp};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::row::FlowRow;
use super::text::FlowText;

/// The sums over the rows of a flow file. Feed it each row; its size is bounded.
///
/// In a refund file the sums are of the rows as they stand there: what was refunded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FlowSummary {
    all: FlowTally,
    consumed: FlowSpan,
    #[serde(skip_serializing_if = "FlowSpan::is_empty")]
    refunded: FlowSpan,
    by_kind: FlowGroups,
    by_merchant: FlowGroups,
}

/// Number and amounts of some rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FlowTally {
    /// The rows.
    pub rows: u64,
    /// The sum of the discounts.
    pub discount: Fen,
    /// The sum of the order totals.
    pub order_total: Fen,
}

/// The first and the last of some moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FlowSpan {
    /// The first; none when there was none at all.
    #[serde(with = "rfc3339_option")]
    pub first: Option<Timestamp>,
    /// The last.
    #[serde(with = "rfc3339_option")]
    pub last: Option<Timestamp>,
}

/// Tallies by the text of a column. Those that come after the first 10 000 texts share one tally.
#[derive(Clone, Default)]
pub struct FlowGroups {
    groups: Vec<(Box<str>, FlowTally)>,
    /// Where each text is in the groups.
    places: HashMap<Box<str>, usize>,
    /// The places of texts that came lately, by their ends.
    recent: Vec<usize>,
    rest: Option<FlowTally>,
}

impl FlowSummary {
    /// No rows yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a row. An amount whose column is missing counts as none.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when a sum gets too large. Nothing is added then.
    pub fn add(&mut self, row: &FlowRow<'_>) -> Result<(), MoneyError> {
        // What does not fit the whole is refused here; what fits the whole fits each part.
        let tally = FlowTally {
            rows: 1,
            discount: row.discount().unwrap_or_default(),
            order_total: row.order_total().unwrap_or_default(),
        };
        self.all.add(tally)?;
        self.consumed.add(row.consume_time());
        self.refunded.add(row.refund_time());
        if let Some(kind) = row.kind() {
            self.by_kind.add(kind, tally)?;
        }
        self.by_merchant.add(row.merchant().unwrap_or_default(), tally)
    }

    /// Number and amounts of all rows.
    pub fn all(&self) -> FlowTally {
        self.all
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.all.rows
    }

    /// The sum of the discounts.
    pub fn discount(&self) -> Fen {
        self.all.discount
    }

    /// The sum of the order totals.
    pub fn order_total(&self) -> Fen {
        self.all.order_total
    }

    /// The first and the last redemption.
    pub fn consumed(&self) -> FlowSpan {
        self.consumed
    }

    /// The first and the last refund; refund files only.
    pub fn refunded(&self) -> FlowSpan {
        self.refunded
    }

    /// By kind of coupon (优惠类型).
    pub fn by_kind(&self) -> &FlowGroups {
        &self.by_kind
    }

    /// By redeeming merchant (消耗商户号); rows without one under the empty text.
    pub fn by_merchant(&self) -> &FlowGroups {
        &self.by_merchant
    }
}

impl FlowTally {
    #[inline]
    fn add(&mut self, more: Self) -> Result<(), MoneyError> {
        *self = Self {
            discount: self.discount.checked_add(more.discount)?,
            order_total: self.order_total.checked_add(more.order_total)?,
            rows: self.rows + more.rows,
        };
        Ok(())
    }
}

impl FlowSpan {
    /// Whether there was no moment at all.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    #[inline]
    fn add(&mut self, moment: Option<Timestamp>) {
        let Some(moment) = moment else { return };
        if self.first.is_none_or(|first| moment < first) {
            self.first = Some(moment);
        }
        if self.last.is_none_or(|last| last < moment) {
            self.last = Some(moment);
        }
    }
}

impl FlowGroups {
    /// The most texts that are told apart.
    pub const MAX: usize = 10_000;

    /// The tallies, in the order of their texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, FlowTally)> {
        let mut groups: Vec<_> = self.groups.iter().map(|(text, tally)| (&**text, *tally)).collect();
        groups.sort_unstable_by_key(|(text, _)| *text);
        groups.into_iter()
    }

    /// The tally of this text.
    pub fn get(&self, text: &str) -> Option<FlowTally> {
        self.places.get(text).and_then(|place| self.groups.get(*place)).map(|(_, tally)| *tally)
    }

    /// The tally that all texts after the first 10 000 share; none when there are not so many.
    pub fn rest(&self) -> Option<FlowTally> {
        self.rest
    }

    #[inline]
    fn add(&mut self, text: FlowText<'_>, row: FlowTally) -> Result<(), MoneyError> {
        let recent = self.recent.get(slot(text.as_bytes())).and_then(|place| self.groups.get_mut(*place));
        match recent {
            Some((recent, tally)) if recent.as_bytes() == text.as_bytes() => tally.add(row),
            _ => self.place(&text.to_str_lossy()).add(row),
        }
    }

    fn place(&mut self, text: &str) -> &mut FlowTally {
        let place = match self.places.get(text) {
            Some(place) => *place,
            None if self.groups.len() < Self::MAX => {
                self.places.insert(text.into(), self.groups.len());
                self.groups.push((text.into(), FlowTally::default()));
                self.groups.len() - 1
            }
            None => return self.rest.get_or_insert_default(),
        };
        self.recent.resize(SLOTS, place);
        self.recent[slot(text.as_bytes())] = place;
        &mut self.groups[place].1
    }
}

const SLOTS: usize = 128;

/// Tells apart texts that end in other digits.
#[inline]
fn slot(text: &[u8]) -> usize {
    match text {
        [.., tens, ones] => (usize::from(*tens) * 10 + usize::from(*ones)) % SLOTS,
        _ => 0,
    }
}

impl PartialEq for FlowGroups {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter()) && self.rest == other.rest
    }
}

impl Eq for FlowGroups {}

impl fmt::Debug for FlowGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups: BTreeMap<_, _> = self.iter().collect();
        f.debug_struct("FlowGroups").field("groups", &groups).field("rest", &self.rest).finish()
    }
}

impl Serialize for FlowGroups {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("FlowGroups", 2)?;
        fields.serialize_field("groups", &self.iter().collect::<BTreeMap<_, _>>())?;
        match self.rest {
            Some(rest) => fields.serialize_field("rest", &rest)?,
            None => fields.skip_field("rest")?,
        }
        fields.end()
    }
}
