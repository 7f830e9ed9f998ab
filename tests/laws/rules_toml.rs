//! Rule files in TOML.

use sealpost::rules::{RuleFaults, RuleSet, ScopeKind};

/// The input is a rule file:
///
/// - A wrong one is refused with its faults in the order of the file, each at a place that there is.
/// - A right one reads as the same again when it is written, in both texts, and both are in the form that they keep.
/// - What is odd about it is in lines that there are.
pub(crate) fn hold(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for scope in ScopeKind::ALL {
        match RuleSet::from_toml("rules.toml", &text, *scope) {
            Ok(rules) => assert_both_texts_keep(&rules, &text, *scope),
            Err(faults) => assert_places(&faults, &text),
        }
    }
}

pub(super) fn assert_places(faults: &RuleFaults, text: &str) {
    assert!(!faults.faults().is_empty() && !faults.to_string().is_empty());
    let lines: Vec<&str> = text.split('\n').collect();
    let mut last = (0, 0);
    for fault in faults.faults() {
        let here = (fault.line, fault.column);
        assert!(last <= here, "{here:?} after {last:?}");
        let line = lines.get(fault.line - 1).expect("a line of the text");
        assert!((1..=line.chars().count() + 1).contains(&fault.column), "{here:?}");
        last = here;
    }
}

/// Writing makes a text longer, so a text near the limit may pass it.
const SURELY_SHORT: usize = 100_000;

pub(super) fn assert_both_texts_keep(rules: &RuleSet, text: &str, scope: ScopeKind) {
    let lines = text.split('\n').count();
    assert!(rules.warnings().iter().all(|warning| (1..=lines).contains(&warning.line)));
    if text.len() > SURELY_SHORT {
        return;
    }
    let (toml, array) = (rules.to_toml(), rules.to_array());
    let from_toml = RuleSet::from_toml("rules.toml", &toml, scope).expect("its own TOML");
    let from_array = RuleSet::from_array("rules.txt", &array, scope).expect("its own array text");
    assert!(from_toml == *rules, "{toml}");
    assert!(from_array == *rules, "{array}");
    assert_eq!((from_array.to_toml(), from_toml.to_array()), (toml, array));
}
