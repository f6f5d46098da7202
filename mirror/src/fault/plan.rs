//! The rules in force, and how often each has struck.

use std::sync::Mutex;

use serde::Serialize;

use super::chance::Chance;
use super::{FaultPlace, FaultRule};
use crate::error::MirrorError;
use crate::lock;

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
    #[serde(skip)]
    chance: Chance,
}

impl PlannedFault {
    fn is_used_up(&self) -> bool {
        self.rule.count > 0 && self.struck >= self.rule.count
    }

    /// Whether it is about this request here.
    fn means(&self, place: FaultPlace, subject: Subject<'_>) -> bool {
        let rule = &self.rule;
        // Deliveries have one place only.
        (rule.place == place || super::is_delivery(subject.operation))
            && rule.means(subject.operation)
            && rule.kind.concerns(subject.operation)
            && rule.openid.as_deref().is_none_or(|openid| subject.openid == Some(openid))
            && !self.is_used_up()
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

impl Rules {
    fn add(&mut self, rule: FaultRule) -> u64 {
        self.last_id += 1;
        let chance = Chance::new(rule.seed, self.last_id);
        self.planned.push(PlannedFault { id: self.last_id, rule, seen: 0, struck: 0, chance });
        self.last_id
    }
}

/// All rules in force.
#[derive(Debug, Default)]
pub(crate) struct FaultPlan {
    rules: Mutex<Rules>,
    /// Those the mirror started with.
    first: Vec<FaultRule>,
}

impl FaultPlan {
    /// A plan that starts with these rules.
    pub(crate) fn starting_with(first: Vec<FaultRule>) -> Result<Self, MirrorError> {
        first.iter().try_for_each(FaultRule::check)?;
        let plan = Self { rules: Mutex::default(), first };
        plan.reset();
        Ok(plan)
    }

    pub(crate) fn add(&self, rule: FaultRule) -> Result<u64, MirrorError> {
        rule.check()?;
        Ok(lock::mutex(&self.rules).add(rule))
    }

    /// Goes back to the rules the mirror started with, none of which has struck.
    pub(crate) fn reset(&self) {
        let mut rules = lock::mutex(&self.rules);
        *rules = Rules::default();
        for rule in &self.first {
            rules.add(rule.clone());
        }
    }

    pub(crate) fn all(&self) -> Vec<PlannedFault> {
        lock::mutex(&self.rules).planned.clone()
    }

    pub(crate) fn clear(&self) {
        lock::mutex(&self.rules).planned.clear();
    }

    /// Takes one rule back; false when there is none with this number.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut rules = lock::mutex(&self.rules);
        let before = rules.planned.len();
        rules.planned.retain(|planned| planned.id != id);
        rules.planned.len() < before
    }

    /// Whether a rule may strike this request here. Counts nothing.
    pub(crate) fn awaits(&self, place: FaultPlace, subject: Subject<'_>) -> bool {
        lock::mutex(&self.rules).planned.iter().any(|planned| planned.means(place, subject))
    }

    /// The first rule that strikes this request here. Counts the request.
    pub(crate) fn strike(&self, place: FaultPlace, subject: Subject<'_>) -> Option<FaultRule> {
        let mut rules = lock::mutex(&self.rules);
        for planned in &mut rules.planned {
            if !planned.means(place, subject) {
                continue;
            }
            planned.seen += 1;
            if planned.seen.is_multiple_of(planned.rule.every.max(1))
                && planned.chance.strikes(planned.rule.probability_ppm)
            {
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
    fn a_probability_strikes_about_as_often_as_it_says_and_the_same_each_time() {
        let tenth = |seed| FaultRule::new(FaultKind::Cut).probability_ppm(100_000).seed(seed);
        let first = strikes(&plan(tenth(0)), 1_000);
        let count = first.iter().filter(|struck| **struck).count();
        assert!((70..=130).contains(&count), "{count}");
        assert_eq!(first, strikes(&plan(tenth(0)), 1_000));
        assert_ne!(first, strikes(&plan(tenth(1)), 1_000));
        let twice = strikes(&plan(tenth(0).times(2)), 1_000);
        assert_eq!(twice.iter().filter(|struck| **struck).count(), 2);
    }

    #[test]
    fn a_reset_brings_the_first_rules_back() {
        let first = FaultRule::new(FaultKind::Cut).probability_ppm(500_000);
        let plan = FaultPlan::starting_with(vec![first]).unwrap();
        let before = strikes(&plan, 50);
        plan.clear();
        plan.add(FaultRule::new(FaultKind::Probe)).unwrap();
        plan.reset();
        assert_eq!(plan.all().len(), 1);
        assert_eq!(strikes(&plan, 50), before);
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
