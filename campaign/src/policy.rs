//! What is made of each answer: a table, kept in the manifest.

use favor_core::Outcome;
use serde::{Deserialize, Serialize};

use crate::answer::Trouble;

/// What is made of answers other than a coupon. The first rule that fits decides; an answer that no rule fits parks
/// the coupon.
///
/// Rules that are given, in a file or by [`rules`](Self::rules), take the place of the built-in ones;
/// [`preceded_by`](Self::preceded_by) puts some before them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// The rules, in the order in which they are looked at.
    pub rules: Vec<Rule>,
    /// How often a coupon is tried while its outcome stays unknown, before it is set aside as unknown: 20.
    pub tries: u32,
    /// Pause when so many coupons are parked: 50, or one in a thousand of the campaign where that is more. They are
    /// counted from the last time it was resumed. Zero means never.
    pub pause_when_parked: u64,
    /// Pause when so many of the last 2,000 answers were refusals: 100. Answers are counted by each worker, from the last
    /// time it was resumed. Zero means never.
    pub pause_when_refused: u32,
    /// What the daily budget does when it is used up: wait for the next day in Beijing, or pause.
    pub wait_for_next_day: bool,
}

/// A rule: which answers, and what is made of them. All that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The error's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A part of the error's message; capital Latin letters count as small ones. For codes that mean different things,
    /// which the messages alone tell apart.
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
            rules: built_in(),
            tries: 20,
            pause_when_parked: 50,
            pause_when_refused: 100,
            wait_for_next_day: true,
        }
    }
}

/// How many answers [`Policy::pause_when_refused`] looks back on.
pub(crate) const REFUSALS_OF: u32 = 2000;

/// What the spec knows of answers to a send (§2.6, §2.16, §3.0.1, §3.11, §4.1, §5.3). Where one code has several
/// meanings, the messages are told apart by their telling part; what remains of such a code parks the coupon.
fn built_in() -> Vec<Rule> {
    use Class::{Again, NextDay, Pace, Park, Pause, Refuse, RefuseWhenRepeated};
    let of = |code: &str, message: &str, class| Rule {
        status: None,
        code: (!code.is_empty()).then(|| code.to_owned()),
        message: (!message.is_empty()).then(|| message.to_owned()),
        class,
    };
    let status = |status, class| Rule { status: Some(status), class, ..Rule::default() };
    vec![
        status(429, Pace),
        of("FREQUENCY_LIMIT_EXCEED", "", Pace),
        of("SYSTEM_ERROR", "", Again),
        of("SERVICE_UNAVAILABLE", "", Again),
        of("NOT_ENOUGH", "单天限额", NextDay),
        of("RULE_LIMIT", "单天限额", NextDay),
        of("REQUEST_BLOCKED", "单天限额", NextDay),
        of("NOT_ENOUGH", "", Pause),
        of("REQUEST_BLOCKED", "活动未开始或已结束", Pause),
        of("INVALID_REQUEST", "活动已结束或未激活", Pause),
        of("INVALID_REQUEST", "openid与app", Refuse),
        of("INVALID_REQUEST", "暂时无法领取", Refuse),
        of("INVALID_REQUEST", "非法的商户号", Pause),
        of("REQUEST_BLOCKED", "用户被限领拦截", RefuseWhenRepeated),
        of("REQUEST_BLOCKED", "用户已达最大领券次数", RefuseWhenRepeated),
        of("RULE_LIMIT", "", RefuseWhenRepeated),
        of("USER_ACCOUNT_ABNORMAL", "", Refuse),
        // Seen to pass by itself, shortly after a stock was created.
        of("REQUEST_BLOCKED", "请检查批次参数", Again),
        of("REQUEST_BLOCKED", "无权", Pause),
        of("REQUEST_BLOCKED", "批次不支持跨商户发券", Pause),
        of("SIGN_ERROR", "", Pause),
        of("NO_AUTH", "", Pause),
        status(401, Pause),
        of("APPID_MCHID_NOT_MATCH", "", Pause),
        of("MCH_NOT_EXISTS", "", Pause),
        of("RESOURCE_NOT_EXISTS", "", Pause),
        of("NOT_FOUND", "", Pause),
        // Something about this person's openid must not hold up everybody else.
        of("PARAM_ERROR", "openid", Park),
        of("PARAM_ERROR", "", Pause),
        // Trouble on this side that every further send would have.
        of("config", "", Pause),
        of("keys", "", Pause),
    ]
}

impl Policy {
    /// The same with some rules that are looked at before the others.
    #[must_use]
    pub fn preceded_by(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules.splice(0..0, rules);
        self
    }

    /// What is made of an attempt that brought no coupon.
    ///
    /// Whatever the rules say, an attempt that may have been carried out is never made a final answer: it is tried again,
    /// unless a rule paces or pauses. And only what the platform answered can be a refusal.
    pub fn judge(&self, trouble: &Trouble) -> Class {
        let told = self.rules.iter().find(|rule| rule.fits(trouble)).map(|rule| rule.class);
        match (trouble.outcome, told) {
            (Outcome::Refused, told) => told.unwrap_or(Class::Park),
            (_, Some(class @ (Class::Pace | Class::Pause | Class::NextDay))) => class,
            (Outcome::NotSent, Some(Class::Park | Class::Refuse | Class::RefuseWhenRepeated)) => Class::Park,
            (Outcome::NotSent, None) if trouble.code == INVALID_REQUEST => Class::Park,
            (Outcome::NotSent | Outcome::Unknown, _) => Class::Again,
        }
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// [`PolicyError`] names the first thing that does not.
    pub fn check(&self) -> Result<(), PolicyError> {
        let wrong = |text: String| Err(PolicyError(text));
        if !(1..=1000).contains(&self.tries) {
            return wrong(format!("tries must be 1 to 1000, not {}", self.tries));
        }
        if self.pause_when_refused > REFUSALS_OF {
            return wrong(format!(
                "pause_when_refused counts among the last {REFUSALS_OF} answers, so it must be 0 to {REFUSALS_OF}, not {}",
                self.pause_when_refused
            ));
        }
        for (index, rule) in self.rules.iter().enumerate() {
            if let Err(why) = rule.check() {
                return wrong(format!("rule {} {why}", index + 1));
            }
        }
        Ok(())
    }
}

/// The word in [`Trouble::code`] for a request that the client refuses to send.
pub(crate) const INVALID_REQUEST: &str = "invalid-request";

/// Why a policy makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy cannot be used: {0}")]
pub struct PolicyError(String);

impl Rule {
    fn fits(&self, trouble: &Trouble) -> bool {
        let part_of = |part: &str| contains(trouble.message.as_bytes(), part.as_bytes());
        self.status.is_none_or(|status| trouble.status == Some(status))
            && self.code.as_ref().is_none_or(|code| *code == trouble.code)
            && self.message.as_deref().is_none_or(part_of)
    }

    fn check(&self) -> Result<(), String> {
        if self.status.is_none() && self.code.is_none() && self.message.is_none() {
            return Err("fits every answer: give it a status, a code or a part of a message".to_owned());
        }
        if self.code.as_deref() == Some("") || self.message.as_deref() == Some("") {
            return Err("has an empty code or message: leave it out instead".to_owned());
        }
        let Some(status) = self.status else {
            return Ok(());
        };
        if !(100..600).contains(&status) {
            return Err(format!("has the status {status}, and there is no such one"));
        }
        let final_answer = matches!(self.class, Class::Refuse | Class::RefuseWhenRepeated | Class::Park);
        match status {
            200..300 => Err("is for a success: whether a coupon came is not a matter of policy".to_owned()),
            408 | 500.. if final_answer => Err(format!(
                "makes a final answer of the status {status}, after which the coupon may have been given: only again, pace, pause and next-day are possible"
            )),
            _ => Ok(()),
        }
    }
}

/// Whether `part` is in `text`, capital ASCII letters counting as small ones.
fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(status: u16, code: &str, message: &str) -> Trouble {
        let outcome =
            if (400..500).contains(&status) && status != 408 { Outcome::Refused } else { Outcome::Unknown };
        Trouble {
            outcome,
            status: Some(status),
            code: code.to_owned(),
            message: message.to_owned(),
            retry_after: None,
        }
    }

    fn without_answer(outcome: Outcome, code: &str) -> Trouble {
        Trouble {
            outcome,
            status: None,
            code: code.to_owned(),
            message: "no answer".to_owned(),
            retry_after: None,
        }
    }

    #[test]
    fn every_answer_of_the_spec_has_its_class() {
        use Class::{Again, NextDay, Pace, Park, Pause, Refuse, RefuseWhenRepeated};
        let table = [
            (400, "INVALID_REQUEST", "openid与appID不匹配", Refuse),
            (400, "INVALID_REQUEST", "openid与appid不匹配", Refuse),
            (400, "APPID_MCHID_NOT_MATCH", "商户号与appid不匹配", Pause),
            (400, "INVALID_REQUEST", "活动已结束或未激活", Pause),
            (403, "REQUEST_BLOCKED", "活动未开始或已结束\n", Pause),
            (403, "NOT_ENOUGH", "批次预算不足", Pause),
            (403, "NOT_ENOUGH", "批次预算耗尽", Pause),
            (403, "NOT_ENOUGH", "发券超过单天限额", NextDay),
            (403, "RULE_LIMIT", "发券超过单天限额", NextDay),
            (403, "REQUEST_BLOCKED", "用户被限领拦截", RefuseWhenRepeated),
            (403, "REQUEST_BLOCKED", "用户已达最大领券次数", RefuseWhenRepeated),
            (403, "RULE_LIMIT", "用户已达最大领券次数", RefuseWhenRepeated),
            (403, "USER_ACCOUNT_ABNORMAL", "用户非法", Refuse),
            (400, "INVALID_REQUEST", "暂时无法领取，请联系商家处理。", Refuse),
            (400, "INVALID_REQUEST", "非法的商户号", Pause),
            (400, "INVALID_REQUEST", "something nobody has seen", Park),
            (403, "REQUEST_BLOCKED", "商户无权发券", Pause),
            (403, "REQUEST_BLOCKED", "调用商户无权限", Pause),
            (403, "REQUEST_BLOCKED", "批次不支持跨商户发券", Pause),
            (403, "REQUEST_BLOCKED", "参数错误，请检查批次参数", Again),
            (403, "REQUEST_BLOCKED", "another reason", Park),
            (400, "PARAM_ERROR", "参数“批次id”是必填项", Pause),
            (400, "PARAM_ERROR", "openid必填", Park),
            (400, "MCH_NOT_EXISTS", "商户号不合法", Pause),
            (404, "RESOURCE_NOT_EXISTS", "批次不存在", Pause),
            (404, "NOT_FOUND", "", Pause),
            (401, "SIGN_ERROR", "错误的签名，验签失败", Pause),
            (401, "http-401", "", Pause),
            (403, "NO_AUTH", "", Pause),
            (403, "http-403", "", Park),
            (409, "A_NEW_CODE", "", Park),
            (429, "FREQUENCY_LIMIT_EXCEED", "接口限频", Pace),
            (429, "RATELIMIT_EXCEEDED", "", Pace),
            (429, "http-429", "", Pace),
            (500, "SYSTEM_ERROR", "系统繁忙", Again),
            (502, "http-502", "", Again),
            (503, "SERVICE_UNAVAILABLE", "", Again),
            (408, "http-408", "", Again),
            (503, "NOT_KNOWN", "", Again),
        ];
        let policy = Policy::default();
        policy.check().unwrap();
        for (status, code, message, class) in table {
            assert_eq!(policy.judge(&trouble(status, code, message)), class, "{status} {code} {message}");
        }
        for code in ["timeout", "interrupted", "verification", "decode", "too-large"] {
            assert_eq!(policy.judge(&without_answer(Outcome::Unknown, code)), Again, "{code}");
        }
        assert_eq!(policy.judge(&without_answer(Outcome::NotSent, "connect")), Again);
        assert_eq!(policy.judge(&without_answer(Outcome::NotSent, "keys")), Pause);
        assert_eq!(policy.judge(&without_answer(Outcome::NotSent, "invalid-request")), Park);
    }

    #[test]
    fn no_rule_makes_a_final_answer_of_a_doubt() {
        let rule = |class| Rule { code: Some("X".to_owned()), class, ..Rule::default() };
        for class in [Class::Refuse, Class::RefuseWhenRepeated, Class::Park] {
            let policy = Policy::default().preceded_by([rule(class)]);
            policy.check().unwrap();
            assert_eq!(policy.judge(&trouble(500, "X", "")), Class::Again);
            assert_eq!(policy.judge(&without_answer(Outcome::NotSent, "X")), Class::Park);
            assert_eq!(policy.judge(&trouble(403, "X", "")), class);
        }
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let says = |change: fn(&mut Policy), part: &str| {
            let mut policy = Policy::default();
            change(&mut policy);
            let error = policy.check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        says(|policy| policy.tries = 0, "tries must be 1 to 1000");
        says(|policy| policy.pause_when_refused = 2001, "0 to 2000");
        says(|policy| policy.rules = vec![Rule::default()], "rule 1 fits every answer");
        says(|policy| policy.rules[1].code = Some(String::new()), "rule 2 has an empty code");
        says(|policy| policy.rules[0].status = Some(99), "rule 1 has the status 99");
        says(|policy| policy.rules[0].status = Some(200), "is for a success");
        says(
            |policy| policy.rules[0] = Rule { status: Some(500), class: Class::Refuse, ..Rule::default() },
            "may have been given",
        );
    }

    #[test]
    fn a_file_may_leave_out_what_it_does_not_change_but_not_misspell() {
        let policy: Policy = serde_json::from_str(r#"{"tries": 5}"#).unwrap();
        assert_eq!(policy, Policy { tries: 5, ..Policy::default() });
        let error = serde_json::from_str::<Policy>(r#"{"trys": 5}"#).unwrap_err().to_string();
        assert!(error.contains("unknown field `trys`"), "{error}");
        let rules = r#"{"rules": [{"code": "X", "class": "refuse-when-repeated"}]}"#;
        let policy: Policy = serde_json::from_str(rules).unwrap();
        assert_eq!(policy.rules[0].class, Class::RefuseWhenRepeated);
        assert!(
            serde_json::from_str::<Policy>(r#"{"rules": [{"code": "X"}]}"#).is_err(),
            "a class is needed"
        );
    }
}
