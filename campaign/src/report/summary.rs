//! A campaign summed up.

use std::collections::BTreeMap;

use favor_core::{AppId, Fen, MerchantId, StockId, Timestamp, time::rfc3339_option};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use crate::ledger::{Campaign, OutcomeState, Row, Tally};
use crate::name::CampaignName;

/// A campaign summed up from its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Its name.
    pub name: CampaignName,
    /// How it stood when it was read.
    pub state: &'static str,
    /// Who sent.
    pub merchant_id: MerchantId,
    /// What was sent.
    pub stock_id: StockId,
    /// Under which appid.
    pub appid: AppId,
    /// People.
    pub people: u64,
    /// Coupons.
    pub coupons: u64,
    /// How many are in each state.
    pub states: BTreeMap<&'static str, u64>,
    /// How many have each state and code; those with a code only, the most frequent first.
    pub codes: Vec<CodeCount>,
    /// People who have a coupon.
    pub people_with_coupons: u64,
    /// Tries in all, as far as they were recorded.
    pub attempts: u64,
    /// Coupons that took more than one try.
    pub repeated: u64,
    /// What one coupon is worth, in fen, where it is known.
    pub face_value: Option<Fen>,
    /// What the coupons sent are worth, in yuan.
    #[serde(serialize_with = "decimal")]
    pub given_yuan: Option<Decimal>,
    /// When the first try was made.
    #[serde(with = "rfc3339_option")]
    pub first_tried_at: Option<Timestamp>,
    /// When the last answer came.
    #[serde(with = "rfc3339_option")]
    pub last_settled_at: Option<Timestamp>,
    /// Seconds from the first try to the last answer, pauses and nights included.
    pub seconds: Option<u64>,
    /// Coupons settled per second in that time, to a tenth.
    #[serde(serialize_with = "decimal")]
    pub per_second: Option<Decimal>,
}

/// How many coupons have a state and code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CodeCount {
    /// The state.
    pub state: &'static str,
    /// The code.
    pub code: String,
    /// How many.
    pub count: u64,
}

fn decimal<S: Serializer>(number: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => serializer.collect_str(number),
        None => serializer.serialize_none(),
    }
}

impl Summary {
    /// How many coupons are in a state.
    pub fn count(&self, state: OutcomeState) -> u64 {
        self.states.get(state.as_str()).copied().unwrap_or_default()
    }

    /// The counts in the form of the ledger's own, to compare with [`Standing::tallies`](crate::Standing::tallies).
    pub fn tallies(&self) -> Vec<Tally> {
        let state = |word: &str| OutcomeState::from_word(word).filter(|state| *state != OutcomeState::Open);
        let mut uncoded: BTreeMap<OutcomeState, u64> =
            self.states.iter().filter_map(|(word, count)| Some((state(word)?, *count))).collect();
        let mut tallies = Vec::new();
        for one in &self.codes {
            let Some(state) = state(one.state) else { continue };
            uncoded.entry(state).and_modify(|count| *count = count.saturating_sub(one.count));
            tallies.push(Tally { state, code: one.code.clone(), count: one.count });
        }
        let rest = uncoded.into_iter().filter(|(_, count)| *count > 0);
        tallies.extend(rest.map(|(state, count)| Tally { state, code: String::new(), count }));
        tallies.sort_by(|left, right| (left.state, &left.code).cmp(&(right.state, &right.code)));
        tallies
    }
}

/// Sums up rows.
#[derive(Debug, Default)]
pub(super) struct Tallying {
    people: u64,
    coupons: u64,
    people_with_coupons: u64,
    states: BTreeMap<OutcomeState, u64>,
    codes: BTreeMap<(OutcomeState, String), u64>,
    attempts: u64,
    repeated: u64,
    first_tried_at: Option<Timestamp>,
    last_settled_at: Option<Timestamp>,
}

impl Tallying {
    pub(super) fn add(&mut self, row: &Row) {
        self.people += 1;
        self.people_with_coupons +=
            u64::from(row.outcomes.iter().any(|outcome| outcome.state == OutcomeState::Sent));
        for outcome in &row.outcomes {
            self.coupons += 1;
            *self.states.entry(outcome.state).or_default() += 1;
            if let Some(code) = outcome.code.as_deref().filter(|code| !code.is_empty()) {
                match self.codes.get_mut(&(outcome.state, code.to_owned())) {
                    Some(count) => *count += 1,
                    None => {
                        self.codes.insert((outcome.state, code.to_owned()), 1);
                    }
                }
            }
            self.attempts += u64::from(outcome.attempts);
            self.repeated += u64::from(outcome.attempts > 1);
            let earlier = |known: Option<Timestamp>, at| Some(known.map_or(at, |known| known.min(at)));
            let later = |known: Option<Timestamp>, at| Some(known.map_or(at, |known| known.max(at)));
            if let Some(at) = outcome.first_tried_at {
                self.first_tried_at = earlier(self.first_tried_at, at);
            }
            if let Some(at) = outcome.settled_at {
                self.last_settled_at = later(self.last_settled_at, at);
            }
        }
    }

    pub(super) fn finish(self, campaign: &Campaign) -> Summary {
        let manifest = &campaign.manifest;
        let sent = self.states.get(&OutcomeState::Sent).copied().unwrap_or_default();
        let open = self.states.get(&OutcomeState::Open).copied().unwrap_or_default();
        let settled = self.coupons - open;
        let span = self.first_tried_at.zip(self.last_settled_at);
        let millis = span.map(|(first, last)| (last - first).num_milliseconds().max(0));
        let per_second = millis.filter(|millis| *millis > 0).map(|millis| {
            let rate = Decimal::from(settled) * Decimal::ONE_THOUSAND / Decimal::from(millis);
            rate.round_dp(1).normalize()
        });
        let mut codes: Vec<_> = self
            .codes
            .into_iter()
            .map(|((state, code), count)| CodeCount { state: state.as_str(), code, count })
            .collect();
        codes.sort_by(|left, right| right.count.cmp(&left.count));
        Summary {
            name: manifest.name.clone(),
            state: campaign.standing.state.as_str(),
            merchant_id: manifest.merchant_id.clone(),
            stock_id: manifest.stock_id.clone(),
            appid: manifest.appid.clone(),
            people: self.people,
            coupons: self.coupons,
            states: self.states.iter().map(|(state, count)| (state.as_str(), *count)).collect(),
            codes,
            people_with_coupons: self.people_with_coupons,
            attempts: self.attempts,
            repeated: self.repeated,
            face_value: manifest.face_value,
            given_yuan: manifest
                .face_value
                .and_then(|face| face.checked_mul(sent).ok())
                .map(favor_core::Fen::to_yuan),
            first_tried_at: self.first_tried_at,
            last_settled_at: self.last_settled_at,
            seconds: millis.and_then(|millis| u64::try_from(millis / 1_000).ok()),
            per_second,
        }
    }
}
