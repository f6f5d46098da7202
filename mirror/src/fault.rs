//! Planned failures: what shall go wrong, where, and how often.

mod apply;
mod card;
mod chance;
mod errcode;
mod file;
mod kind;
mod link;
mod plan;
mod wire;

use std::time::Duration;

use crate::card::endpoint;
use crate::card::push::PUSH;
use crate::error::MirrorError;
use crate::notify::NOTIFY;
use crate::operation::OPERATIONS;

pub(crate) use apply::{after_answer, alter_answer, alter_outgoing, instead_of_work};
pub(crate) use card::{alter_reply, alter_response, instead_of_call};
pub(crate) use chance::ALWAYS;
pub(crate) use file::read as read_file;
use kind::{CARDS, is_card_call};
pub use kind::{FaultKind, FaultPlace, GzipHash};
pub(crate) use link::alter_link;
pub use plan::PlannedFault;
pub(crate) use plan::{FaultPlan, Subject};

/// A failure and the requests it strikes.
///
/// ```
/// use favor_mirror::{FaultKind, FaultPlace, FaultRule};
///
/// // The next two coupons are given, and their answers get lost.
/// let rule = FaultRule::new(FaultKind::Cut)
///     .operation("coupon.send")
///     .place(FaultPlace::AfterCommit)
///     .times(2);
/// # assert_eq!(rule.count, 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultRule {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Where it goes wrong.
    pub place: FaultPlace,
    /// Name of the operation, a family such as `stock.*`, or `*`.
    pub operation: String,
    /// Wait this long first.
    pub delay: Duration,
    /// How often it strikes; 0 is always.
    pub count: u64,
    /// It strikes each n-th request that fits; 0 and 1 are each.
    pub every: u64,
    /// Of those it strikes this many in a million, by its own generator; a million is all of them.
    pub probability_ppm: u32,
    /// Start of the rule's generator. A run repeated with the same rules strikes the same requests.
    pub seed: u64,
    /// Only requests about this user: those of `coupon.*`, and deliveries.
    pub openid: Option<String>,
}

impl FaultRule {
    /// Strikes once, on any operation, before the work; kinds that spoil an answer strike after it.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        let place = if kind.spoils_an_answer() { FaultPlace::AfterCommit } else { FaultPlace::BeforeCommit };
        Self {
            kind,
            place,
            operation: "*".to_owned(),
            delay: Duration::ZERO,
            count: 1,
            every: 1,
            probability_ppm: ALWAYS,
            seed: 0,
            openid: None,
        }
    }

    /// Strikes only this operation, e.g. `coupon.send`.
    #[must_use]
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        self.operation = name.into();
        self
    }

    /// Strikes here.
    #[must_use]
    pub fn place(mut self, place: FaultPlace) -> Self {
        self.place = place;
        self
    }

    /// Waits before it strikes.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Strikes this often; 0 is always.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    /// Strikes each n-th request that fits.
    #[must_use]
    pub fn every(mut self, every: u64) -> Self {
        self.every = every;
        self
    }

    /// Strikes this many in a million of the requests that fit, without end; [`times`](Self::times) after it sets
    /// one. Which ones is drawn by a generator that starts the same in each run.
    ///
    /// ```
    /// use favor_mirror::{FaultKind, FaultRule};
    ///
    /// // One answer in a hundred is a signature probe.
    /// let rule = FaultRule::new(FaultKind::Probe).probability_ppm(10_000);
    /// ```
    #[must_use]
    pub fn probability_ppm(mut self, parts_per_million: u32) -> Self {
        self.probability_ppm = parts_per_million;
        self.count = 0;
        self
    }

    /// Another start of the generator, for a probability that strikes other requests.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Strikes only requests about this user. Calls of `coupon.*`, notifications and pushed events tell of one, others do
    /// not.
    #[must_use]
    pub fn openid(mut self, openid: impl Into<String>) -> Self {
        self.openid = Some(openid.into());
        self
    }

    /// Whether its pattern means this operation. `*` is every call of the API; notifications, which nobody calls for,
    /// must be named, or be all that the kind concerns.
    fn means(&self, operation: &str) -> bool {
        let unnamed = is_delivery(operation) && self.operation == "*" && !self.kind.is_for_notifications();
        !unnamed && fits(&self.operation, operation)
    }

    /// Refuses rules that could never strike or cannot be carried out.
    pub(crate) fn check(&self) -> Result<(), MirrorError> {
        let refuse = |reason: String| Err(MirrorError::Fault { reason });
        if self.kind.spoils_an_answer() && self.place != FaultPlace::AfterCommit {
            return refuse(format!("{} spoils an answer, so its place is after_commit", self.kind.name()));
        }
        if self.place == FaultPlace::AfterAnswer && self.kind.end().is_none() {
            return refuse(format!(
                "{} cannot come after an answer; cut, reset and hang can",
                self.kind.name()
            ));
        }
        if self.place == FaultPlace::AfterAnswer && !self.delay.is_zero() {
            return refuse("nothing can be delayed after an answer".to_owned());
        }
        if !(1..=ALWAYS).contains(&self.probability_ppm) {
            return refuse("a probability is more than 0 and at most 1 (a million in a million)".to_owned());
        }
        let known = || {
            OPERATIONS.iter().map(|operation| operation.name).chain(endpoint::names()).chain([NOTIFY, PUSH])
        };
        if !known().any(|operation| self.means(operation)) {
            let known: Vec<_> = known().collect();
            return refuse(format!(
                "no operation is named {}; there are {}",
                self.operation,
                known.join(", ")
            ));
        }
        if !known().any(|operation| self.means(operation) && self.kind.concerns(operation)) {
            let why = match &self.kind {
                FaultKind::ErrCode { .. } => ": it is for calls of the card API, such as card.code_consume",
                kind if kind.spoils_a_signature() => ": what is not signed has no signature to spoil",
                _ => "",
            };
            return refuse(format!("{} does not concern {}{why}", self.kind.name(), self.operation));
        }
        let struck: Vec<_> =
            known().filter(|operation| self.means(operation) && self.kind.concerns(operation)).collect();
        self.check_cards(&struck)?;
        match &self.kind {
            FaultKind::Redirect { status, .. } if !(300..400).contains(status) => {
                refuse(format!("{status} does not redirect"))
            }
            FaultKind::Redirect { location: text, .. } | FaultKind::LinkTo { url: text }
                if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                refuse(format!("{text} cannot be an address"))
            }
            FaultKind::Slow { bytes_per_second: 0 } => refuse("a body that never moves".to_owned()),
            FaultKind::Status { status, .. } if !(400..600).contains(status) => refuse(format!(
                "{status} is no error status; what the card API answers with 200 is kind errcode"
            )),
            FaultKind::ErrCode { errcode: 0, .. } => refuse("errcode 0 is success".to_owned()),
            FaultKind::ErrCode { errcode, message: None } if errcode::known(*errcode).is_none() => {
                refuse(format!("no errcode {errcode} is documented; with a message it is taken"))
            }
            FaultKind::OversizedBody { bytes } if *bytes > LARGEST_BODY => {
                refuse(format!("a body has at most {LARGEST_BODY} bytes"))
            }
            FaultKind::MissingSignature { header: Some(header) }
                if !crate::outgoing::SIGNATURE_HEADERS
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(header)) =>
            {
                refuse(format!("{header} is no signature header"))
            }
            FaultKind::Duplicate { copies } if !(2..=MOST_COPIES).contains(copies) => {
                refuse(format!("a notification is duplicated 2 to {MOST_COPIES} times"))
            }
            FaultKind::Hold { seconds } if !(1..=LONGEST_HOLD).contains(seconds) => {
                refuse(format!("a notification is held for 1 to {LONGEST_HOLD} seconds"))
            }
            FaultKind::Delay if self.delay.is_zero() => refuse("a delay needs delay_ms".to_owned()),
            _ => Ok(()),
        }
    }

    /// Refuses what would come to nothing, or to something else, on the calls of the card API that a rule names.
    fn check_cards(&self, struck: &[&str]) -> Result<(), MirrorError> {
        let refuse = |reason: String| Err(MirrorError::Fault { reason });
        let names_calls = self.operation.starts_with(CARDS) && self.operation != PUSH;
        let only_calls = struck.iter().all(|operation| is_card_call(operation));
        match &self.kind {
            kind if names_calls && kind.spoils_a_signature() => refuse(format!(
                "{} does not concern {}: the card API signs no answers; its pushed events are {PUSH}",
                kind.name(),
                self.operation
            )),
            FaultKind::Status { code, .. } if only_calls && code.parse::<i64>().is_ok() => refuse(format!(
                "status puts a proxy's page in the place of an answer; for errcode {code} there is kind errcode"
            )),
            FaultKind::RateLimited { retry_after: Some(_) } if only_calls => refuse(
                "the card API answers rate_limited with errcode 45009, and without a Retry-After".to_owned(),
            ),
            _ if self.openid.is_some() && !self.knows_whom(struck) => refuse(format!(
                "{} tells of no user; those of an openid are coupon.*, {NOTIFY} and {PUSH}",
                self.operation
            )),
            _ => Ok(()),
        }
    }

    /// Whether what it strikes says which user it is about. `card.*` does not: only the events among it would be struck.
    fn knows_whom(&self, struck: &[&str]) -> bool {
        let is_by_user = |name: &str| {
            name == NOTIFY || OPERATIONS.iter().any(|known| known.name == name && known.is_about_a_user())
        };
        struck.iter().any(|name| is_by_user(name)) || struck == [PUSH]
    }
}

const LARGEST_BODY: usize = 256 * 1024 * 1024;
const MOST_COPIES: u32 = 16;
const LONGEST_HOLD: u64 = 366 * 24 * 60 * 60;

/// Whether the mirror is the one who sends.
fn is_delivery(operation: &str) -> bool {
    operation == NOTIFY || operation == PUSH
}

/// Whether an operation is meant by a pattern.
fn fits(pattern: &str, operation: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(family) => operation.starts_with(family),
        None => pattern == operation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_cannot_work_are_refused() {
        let refused = |rule: FaultRule| rule.check().unwrap_err().to_string();
        let spoiled = FaultRule::new(FaultKind::Probe).place(FaultPlace::BeforeVerify);
        assert!(refused(spoiled).contains("after_commit"));
        assert!(refused(FaultRule::new(FaultKind::Cut).operation("coupon.sent")).contains("coupon.send"));
        let status = FaultKind::Status { status: 200, code: "OK".into(), message: None };
        assert!(refused(FaultRule::new(status)).contains("kind errcode"));
        assert!(refused(FaultRule::new(FaultKind::Delay)).contains("delay_ms"));
        assert!(refused(FaultRule::new(FaultKind::WrongHash).operation("coupon.send")).contains("concern"));
        let packed = FaultKind::Gzip { hash: GzipHash::Packed };
        assert!(refused(FaultRule::new(packed).operation("stock.flow_file")).contains("concern"));
        let redirect = |status, location: &str| {
            FaultRule::new(FaultKind::Redirect { status, location: location.into() })
        };
        assert!(refused(redirect(200, "https://evil.example/")).contains("200"));
        assert!(refused(redirect(302, "a\r\nb")).contains("address"));
        assert!(refused(FaultRule::new(FaultKind::Slow { bytes_per_second: 0 })).contains("moves"));
        let header = FaultKind::MissingSignature { header: Some("Date".into()) };
        assert!(refused(FaultRule::new(header)).contains("Date"));
        let after = |kind| FaultRule::new(kind).place(FaultPlace::AfterAnswer);
        assert!(refused(after(FaultKind::HtmlError)).contains("after an answer"));
        assert!(refused(after(FaultKind::Cut).delay(Duration::from_secs(1))).contains("delayed"));
        assert!(refused(FaultRule::new(FaultKind::Cut).probability_ppm(0)).contains("probability"));
        assert!(refused(FaultRule::new(FaultKind::Cut).probability_ppm(ALWAYS + 1)).contains("probability"));
        assert!(after(FaultKind::Reset).check().is_ok());
        assert!(FaultRule::new(FaultKind::Cut).operation("stock.*").check().is_ok());
        let notify = |kind| FaultRule::new(kind).operation(NOTIFY);
        for kind in [FaultKind::Cut, FaultKind::NotJson, FaultKind::WrongHash] {
            assert!(refused(notify(kind)).contains("does not concern callback.notify"));
        }
        let [few, many] = [1, 17].map(|copies| FaultRule::new(FaultKind::Duplicate { copies }));
        assert!(refused(few).contains("2 to 16") && refused(many).contains("2 to 16"));
        assert!(refused(FaultRule::new(FaultKind::Hold { seconds: 0 })).contains("1 to"));
        let duplicate = FaultRule::new(FaultKind::Duplicate { copies: 2 });
        assert!(refused(duplicate.clone().operation("coupon.send")).contains("concern"));
        assert!(duplicate.check().is_ok());
        assert!(notify(FaultKind::Probe).check().is_ok());
        assert!(!FaultRule::new(FaultKind::Probe).means(NOTIFY));
        assert!(FaultRule::new(FaultKind::Probe).operation("callback.*").means(NOTIFY));
        let push = |kind| FaultRule::new(kind).operation(PUSH);
        for kind in [FaultKind::Cut, FaultKind::Probe, FaultKind::WrongSerial] {
            assert!(refused(push(kind)).contains("does not concern card.event"));
        }
        assert!(push(FaultKind::CorruptBody).check().is_ok());
        assert!(!FaultRule::new(FaultKind::CorruptBody).means(PUSH));
    }

    #[test]
    fn errcodes_are_of_the_card_api() {
        let refused = |rule: FaultRule| rule.check().unwrap_err().to_string();
        let errcode = |errcode| FaultRule::new(FaultKind::ErrCode { errcode, message: None });
        for operation in ["coupon.send", "stock.*", NOTIFY, PUSH, "card.qr_picture"] {
            assert!(refused(errcode(-1).operation(operation)).contains("card.code_consume"), "{operation}");
        }
        for operation in ["*", "card.*", "card.code_consume", "card.stable_token", "card.upload_image"] {
            assert!(errcode(-1).operation(operation).check().is_ok(), "{operation}");
        }
        assert!(!errcode(-1).kind.concerns("coupon.send"), "* leaves the other API alone");
        assert!(refused(errcode(0)).contains("success"));
        assert!(refused(errcode(4_001)).contains("4001") && errcode(48_001).check().is_ok());
        let told = FaultKind::ErrCode { errcode: 4_001, message: Some("later".into()) };
        assert!(FaultRule::new(told).check().is_ok());
        let status = |code: &str| FaultKind::Status { status: 502, code: code.into(), message: None };
        assert!(refused(FaultRule::new(status("45009")).operation("card.*")).contains("kind errcode"));
        assert!(FaultRule::new(status("")).operation("card.code_get").check().is_ok());
        let limited = |retry_after| FaultRule::new(FaultKind::RateLimited { retry_after });
        assert!(refused(limited(Some(1)).operation("card.code_get")).contains("45009"));
        assert!(refused(limited(None).operation("card.qr_picture")).contains("concern"));
        assert!(limited(Some(1)).check().is_ok() && limited(None).operation("card.*").check().is_ok());
    }

    #[test]
    fn no_signature_is_spoiled_where_there_is_none() {
        let refused = |rule: FaultRule| rule.check().unwrap_err().to_string();
        let missing =
            |header: Option<&str>| FaultKind::MissingSignature { header: header.map(str::to_owned) };
        for kind in [
            FaultKind::CorruptSignature,
            missing(None),
            missing(Some("Wechatpay-Nonce")),
            FaultKind::WrongSerial,
            FaultKind::Probe,
        ] {
            let rule = FaultRule::new(kind.clone());
            for operation in ["card.*", "card.c*", "card.code_get", "card.stable_token"] {
                let told = refused(rule.clone().operation(operation));
                assert!(told.contains(&format!("does not concern {operation}")), "{told}");
                assert!(told.contains("sign"), "{told}");
            }
            assert!(rule.check().is_ok(), "{kind:?}");
            assert!(kind.concerns("coupon.send") && !kind.concerns("card.code_get"), "{kind:?}");
        }
        assert!(FaultRule::new(FaultKind::CorruptSignature).operation(PUSH).check().is_ok());
    }

    #[test]
    fn an_openid_narrows_what_is_about_a_user() {
        let delay = FaultRule::new(FaultKind::Delay).delay(Duration::from_secs(1)).openid("oUser");
        let rule = |operation: &str| delay.clone().operation(operation);
        for operation in ["*", "coupon.*", "coupon.send", "coupon.list", "callback.*", NOTIFY, PUSH] {
            assert!(rule(operation).check().is_ok(), "{operation}");
        }
        for operation in ["stock.*", "stock.get", "callback.set", "image.upload", "card.*", "card.code_get"] {
            let told = rule(operation).check().unwrap_err().to_string();
            assert!(told.contains("tells of no user") && told.contains(PUSH), "{told}");
        }
        let hold = FaultRule::new(FaultKind::Hold { seconds: 1 }).operation("card.*").openid("oUser");
        assert!(hold.check().is_ok(), "only events can be held");
    }
}
