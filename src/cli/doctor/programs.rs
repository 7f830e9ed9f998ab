//! Programs that rules call: listed ones that cannot be run, and rules that call others.

use super::{Finding, Round};
use crate::cli::programs::{unfit, unlisted};
use crate::rules::RuleSet;

impl Round {
    pub(super) fn look_at_programs(&mut self) {
        for unfit in unfit(&self.config.programs) {
            self.find(unfit.setting, unfit.text);
        }
    }

    /// What installed rules call and the site does not list.
    pub(super) fn look_at_calls(&mut self, about: &str, rules: &RuleSet) {
        let text = |warning: crate::rules::Warning| format!("rule \"{}\": {}", warning.rule, warning.text);
        let found = unlisted(rules, &self.config.programs).into_iter().map(text);
        self.findings.extend(found.map(|text| Finding::problem(about, text)));
    }
}
