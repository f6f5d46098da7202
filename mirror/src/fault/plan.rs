//! The rules in force, and how often each has struck.

use std::sync::Mutex;

use serde::Serialize;

use super::{FaultPlace, FaultRule};
use crate::error::MirrorError;
use crate::lock;
use crate::notify::NOTIFY;

/// A rule in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedFault {
    /// Number of the rule, for taking it back.
    pub id: u64,
    /// The rule.
    #[serde(flatten)]
    pub rule: FaultRule,
    /// Requests that fitted so far.
    pub seen: u64,
    /// Requests that it struck.
    pub struck: u64,
}

impl PlannedFault {
    fn is_used_up(&self) -> bool {
        self.rule.count > 0 && self.struck >= self.rule.count
    }
}

/// What a rule is matched against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) operation: &'a str,
    pub(crate) openid: Option<&'a str>,
}

#[derive(Debug, Default)]
struct Rules {
    last_id: u64,
    planned: Vec<PlannedFault>,
}

/// All rules in force.
#[derive(Debug, Default)]
pub(crate) struct FaultPlan(Mutex<Rules>);

impl FaultPlan {
    pub(crate) fn add(&self, rule: FaultRule) -> Result<u64, MirrorError> {
        rule.check()?;
        let mut rules = lock::mutex(&self.0);
        rules.last_id += 1;
        let id = rules.last_id;
        rules.planned.push(PlannedFault { id, rule, seen: 0, struck: 0 });
        Ok(id)
    }

    pub(crate) fn all(&self) -> Vec<PlannedFault> {
        lock::mutex(&self.0).planned.clone()
    }

    pub(crate) fn clear(&self) {
        lock::mutex(&self.0).planned.clear();
    }

    /// Takes one rule back; false when there is none with this number.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut rules = lock::mutex(&self.0);
        let before = rules.planned.len();
        rules.planned.retain(|planned| planned.id != id);
        rules.planned.len() < before
    }

    /// The first rule that strikes this request here. Counts the request.
    pub(crate) fn strike(&self, place: FaultPlace, subject: Subject<'_>) -> Option<FaultRule> {
        let mut rules = lock::mutex(&self.0);
        for planned in &mut rules.planned {
            let rule = &planned.rule;
            // Deliveries have one place only.
            let meant = (rule.place == place || subject.operation == NOTIFY)
                && rule.means(subject.operation)
                && rule.kind.concerns(subject.operation)
                && rule.openid.as_deref().is_none_or(|openid| subject.openid == Some(openid));
            if !meant || planned.is_used_up() {
                continue;
            }
            planned.seen += 1;
            if planned.seen.is_multiple_of(planned.rule.every.max(1)) {
                planned.struck += 1;
                return Some(planned.rule.clone());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultKind;

    const SEND: Subject<'static> = Subject { operation: "coupon.send", openid: Some("o1") };

    fn strikes(plan: &FaultPlan, times: usize) -> Vec<bool> {
        (0..times).map(|_| plan.strike(FaultPlace::BeforeCommit, SEND).is_some()).collect()
    }

    fn plan(rule: FaultRule) -> FaultPlan {
        let plan = FaultPlan::default();
        plan.add(rule).unwrap();
        plan
    }

    #[test]
    fn a_rule_strikes_as_often_as_it_says() {
        assert_eq!(strikes(&plan(FaultRule::new(FaultKind::Cut)), 3), [true, false, false]);
        assert_eq!(strikes(&plan(FaultRule::new(FaultKind::Cut).times(0)), 3), [true; 3]);
        let third = FaultRule::new(FaultKind::Cut).every(3).times(0);
        assert_eq!(strikes(&plan(third), 6), [false, false, true, false, false, true]);
    }

    #[test]
    fn a_rule_strikes_only_what_it_means() {
        let meant = |rule| strikes(&plan(rule), 1)[0];
        assert!(meant(FaultRule::new(FaultKind::Cut).operation("coupon.*").openid("o1")));
        assert!(!meant(FaultRule::new(FaultKind::Cut).openid("o2")));
        assert!(!meant(FaultRule::new(FaultKind::Cut).operation("coupon.get")));
        assert!(!meant(FaultRule::new(FaultKind::Cut).place(FaultPlace::AfterCommit)));
    }

    #[test]
    fn rules_can_be_taken_back() {
        let plan = plan(FaultRule::new(FaultKind::Cut).times(0));
        let id = plan.all()[0].id;
        assert!(plan.remove(id));
        assert!(!plan.remove(id));
        assert_eq!(strikes(&plan, 1), [false]);
    }
}
