//! What is made of each answer: a table, kept in the manifest.

use serde::{Deserialize, Serialize};

/// What is made of answers other than a coupon. The first rule that fits decides; an answer that no rule fits parks
/// the coupon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Policy {
    /// The rules, in the order in which they are looked at.
    pub rules: Vec<Rule>,
    /// How often a coupon is tried while its outcome stays unknown, before it is set aside as unknown: 20.
    pub tries: u32,
    /// Pause when so many coupons are parked: 50, or one in a thousand of the campaign where that is more.
    pub pause_when_parked: u64,
    /// Pause when so many of the last 2,000 answers were refusals: 100.
    pub pause_when_refused: u32,
    /// What the daily budget does when it is used up: wait for the next day in Beijing, or pause.
    pub wait_for_next_day: bool,
}

/// A rule: which answers, and what is made of them. All that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The error's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A part of the error's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What is made of them.
    pub class: Class,
}

/// What is made of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Class {
    /// It may have been done: the same request again, later. Counts as a try.
    Again,
    /// Too fast: the rate goes down, the same request again. Does not count as a try.
    Pace,
    /// This person gets none, for good.
    Refuse,
    /// As `Refuse`, but asked once more after two seconds, since it is seen to be wrong at times.
    RefuseWhenRepeated,
    /// No send can succeed: pause the campaign, the coupon stays open.
    Pause,
    /// The daily budget is used up: wait for the next day in Beijing, or pause, as the policy says.
    NextDay,
    /// Set this coupon aside for a person to decide.
    #[default]
    Park,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            tries: 20,
            pause_when_parked: 50,
            pause_when_refused: 100,
            wait_for_next_day: true,
        }
    }
}
