//! One person in work: the coupons still to send, one after the other.

use std::time::Duration;

use favor_core::{OpenId, Outcome, Timestamp};

use super::breaker::Sign;
use super::chance::Chance;
use crate::answer::{Answer, Trouble};
use crate::ledger::{Fate, OpenSlot, Settlement, Task};
use crate::policy::{Class, Policy};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// When a refusal is asked for once more.
const SECOND_ASKING: Duration = Duration::from_secs(2);
/// No person is put off for longer, whatever the platform asks for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);
/// So much of a message goes into the ledger.
const LONGEST_MESSAGE: usize = 500;

/// A person in work. Whoever holds it is the only one to send to that person.
#[derive(Debug)]
pub(super) struct Job {
    /// The runner's key of the chunk.
    pub(super) chunk: u64,
    pub(super) openid: OpenId,
    pub(super) slot: u32,
    /// Whether the attempt under way is a probe.
    pub(super) probe: bool,
    place: u64,
    rest: std::vec::IntoIter<OpenSlot>,
    attempts: u32,
    first_tried_at: Option<Timestamp>,
    /// Attempts of the coupon that left it open whether it was given, but for those while nothing came through.
    tries: u32,
    /// Attempts in a row that do not count as tries.
    uncounted: u32,
    asked_again: bool,
    /// Whether an attempt may have given the coupon.
    doubtful: bool,
    /// Whether the coupon has been tried since it was claimed.
    begun: bool,
}

/// What is done with a person after an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Write it down.
    Settle(Settlement),
    /// The same request again, so much later.
    Wait(Duration),
    /// The same, and the rate goes down.
    SlowDown(Duration),
    /// Pause the campaign.
    Pause(Trouble, Option<String>),
    /// The daily budget is used up.
    Tomorrow(Trouble, Option<String>),
}

impl Job {
    /// None when no coupon of the task is open.
    pub(super) fn new(chunk: u64, task: Task) -> Option<Self> {
        let mut job = Self {
            chunk,
            openid: task.openid,
            slot: 0,
            probe: false,
            place: task.place,
            rest: task.open.into_iter(),
            attempts: 0,
            first_tried_at: None,
            tries: 0,
            uncounted: 0,
            asked_again: false,
            doubtful: false,
            begun: false,
        };
        job.turn_to_next().then_some(job)
    }

    /// Turns to the person's next open coupon; whether there is one.
    pub(super) fn turn_to_next(&mut self) -> bool {
        let Some(open) = self.rest.next() else {
            return false;
        };
        self.slot = open.slot;
        self.attempts = open.attempts;
        self.first_tried_at = open.first_tried_at;
        (self.tries, self.uncounted) = (0, 0);
        (self.asked_again, self.doubtful, self.begun) = (false, false, false);
        true
    }

    /// How many coupons are open, the one in work included.
    pub(super) fn open(&self) -> u64 {
        u64::try_from(self.rest.len()).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Whether the coupon has been tried since it was claimed.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// An attempt begins.
    pub(super) fn begin(&mut self, now: Timestamp, probe: bool) {
        self.attempts = self.attempts.saturating_add(1);
        self.first_tried_at.get_or_insert(now);
        self.probe = probe;
        self.begun = true;
    }

    /// What an answer says about the platform being within reach.
    pub(super) fn sign(&self, answer: &Answer) -> Sign {
        match &answer.result {
            Err(trouble) if trouble.outcome != Outcome::Refused => Sign::Doubt {
                general: trouble.outcome == Outcome::NotSent || self.tries <= 1,
                answered: trouble.status.is_some(),
            },
            _ => Sign::Alive,
        }
    }

    /// Decides what follows from an answer. `closed` says whether the breaker lets sends through: if not, an attempt does
    /// not count as a try.
    pub(super) fn after(
        &mut self,
        answer: Answer,
        policy: &Policy,
        closed: bool,
        now: Timestamp,
        chance: &mut Chance,
    ) -> Next {
        let Answer { result, request_id } = answer;
        let trouble = match result {
            Ok(coupon_id) => {
                return Next::Settle(self.settled(Fate::Sent { coupon_id }, None, request_id, now));
            }
            Err(trouble) => trouble,
        };
        self.doubtful |= trouble.outcome == Outcome::Unknown;
        match policy.judge(&trouble) {
            Class::Again => {
                if trouble.outcome == Outcome::NotSent || !closed {
                    self.uncounted = self.uncounted.saturating_add(1);
                    // With the breaker open, its own pauses count.
                    let pause = chance.back_off(self.uncounted, FIRST_PAUSE, LONGEST_PAUSE);
                    return Next::Wait(if closed { pause } else { Duration::ZERO });
                }
                self.tries = self.tries.saturating_add(1);
                if self.tries < policy.tries {
                    return Next::Wait(chance.back_off(self.tries, FIRST_PAUSE, LONGEST_PAUSE));
                }
                // What the platform refused all the time was surely not given.
                let fate = if self.doubtful { Fate::Unknown } else { Fate::Parked };
                Next::Settle(self.settled(fate, Some(trouble), request_id, now))
            }
            Class::Pace => {
                self.uncounted = self.uncounted.saturating_add(1);
                let pause = chance.back_off(self.uncounted, FIRST_PAUSE, LONGEST_PAUSE);
                let asked = trouble.retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
                Next::SlowDown(pause.max(asked))
            }
            Class::RefuseWhenRepeated if !self.asked_again => {
                self.asked_again = true;
                Next::Wait(SECOND_ASKING + chance.around(FIRST_PAUSE))
            }
            Class::Refuse | Class::RefuseWhenRepeated => {
                Next::Settle(self.settled(Fate::Refused, Some(trouble), request_id, now))
            }
            Class::Park => Next::Settle(self.settled(Fate::Parked, Some(trouble), request_id, now)),
            Class::Pause => Next::Pause(trouble, request_id),
            Class::NextDay => Next::Tomorrow(trouble, request_id),
        }
    }

    fn settled(
        &self,
        fate: Fate,
        trouble: Option<Trouble>,
        request_id: Option<String>,
        now: Timestamp,
    ) -> Settlement {
        let first_tried_at = self.first_tried_at.unwrap_or(now);
        let (code, message) = trouble.map(|trouble| (trouble.code, shortened(trouble.message))).unzip();
        Settlement {
            place: self.place,
            slot: self.slot,
            fate,
            attempts: self.attempts,
            code,
            message,
            request_id,
            first_tried_at,
            // The estimate of the ledger's time can step back a little.
            settled_at: now.max(first_tried_at),
        }
    }
}

fn shortened(mut message: String) -> String {
    if message.len() > LONGEST_MESSAGE {
        let mut end = LONGEST_MESSAGE;
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
        message.push('…');
    }
    message
}
