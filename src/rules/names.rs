//! Names that real sites use for the words of the language: other cases, other spellings, older words. Array text is read
//! with them and they become the literal names; TOML knows the literal names only, and a hint names the right one.

use super::words::{self, Refused};
use super::{ACTIONS, CONDITIONS, Operator, actions, conditions};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Other words for conditions. Case, spaces and punctuation do not count.
const CONDITION_VARIANTS: &[(&str, &str)] = &[
    ("From Address", "From"),
    ("Sender Address", "Sender"),
    ("Envelope Sender", "Return-Path"),
    ("Envelope From", "Return-Path"),
    ("From Display Name", "'From' Name"),
    ("Any To/Cc", "Any To or Cc"),
    ("To or Cc", "Any To or Cc"),
    ("Each To/Cc", "Each To or Cc"),
    ("Header", "Header Field"),
    ("Headers", "Header Field"),
    ("Size", "Message Size"),
    ("Recipient", "Any Recipient"),
    ("Route", "Any Route"),
    ("Mailbox Exists", "Existing Mailbox"),
    ("Submitted From", "Submit Address"),
    ("Current Time", "Time Of Day"),
    ("Day Of Week", "Current Day"),
    ("Preferences", "Preference"),
];

/// Other words for actions.
const ACTION_VARIANTS: &[(&str, &str)] = &[
    ("Store", "Store in"),
    ("Store To", "Store in"),
    ("Store Into", "Store in"),
    ("Copy To", "Store in"),
    ("Copy In", "Store in"),
    ("Copy Into", "Store in"),
    ("Store Encrypted", "Store Encrypted in"),
    ("Store Encrypted Into", "Store Encrypted in"),
    ("Mark As", "Mark"),
    ("Mark With", "Mark"),
    ("Add Header Field", "Add Header"),
    ("Add Headers", "Add Header"),
    ("Tag Subject With", "Tag Subject"),
    ("Copy Attachments", "Copy Attachments into"),
    ("Copy Attachments To", "Copy Attachments into"),
    ("Copy Attachments In", "Copy Attachments into"),
    ("Store Attachments In", "Copy Attachments into"),
    ("Remember From", "Remember 'From' in"),
    ("Redirect", "Redirect to"),
    ("Forward", "Forward to"),
    ("Mirror", "Mirror to"),
    ("Reply", "Reply with"),
    ("Reply to All", "Reply to All with"),
    ("Reply All With", "Reply to All with"),
    ("React", "React with"),
    ("Reject", "Reject with"),
    ("Stop", "Stop Processing"),
    ("Stop Rules", "Stop Processing"),
    ("Execute Program", "Execute"),
    ("Send URL", "Execute URL"),
    ("Send Instant Message", "Send IM"),
    ("Send Push Notification", "Send Push"),
];

/// Other words for operators.
const OPERATOR_VARIANTS: &[(&str, Operator)] = &[
    ("isn't", Operator::IsNot),
    ("less", Operator::LessThan),
    ("greater", Operator::GreaterThan),
    ("more than", Operator::GreaterThan),
];

const TELEPHONY: &str =
    "not in this product: it belongs to the rules for calls, and Sealpost takes mail only";
const PHONE: &str = "not in this product: Sealpost sends no messages but mail";
const OWN_LOG: &str = "not in this product: what rules do is in the log without it";

/// Words of CommuniGate Pro that are in neither table of this language.
const ELSEWHERE: Refused = &[
    ("Send SMS", PHONE),
    ("SendSMS", PHONE),
    ("Send Notify Alert", PHONE),
    ("Send Alert", PHONE),
    ("Write To Log", OWN_LOG),
    ("Fork to", TELEPHONY),
    ("Discard Rules", TELEPHONY),
    ("Stop Signaling", TELEPHONY),
    ("Method", TELEPHONY),
    ("RequestURI", TELEPHONY),
    ("Request URI", TELEPHONY),
    ("Presence", TELEPHONY),
];

/// The literal name that a word of a rule stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    /// As a rule file has it.
    pub(super) name: &'static str,
    /// Is it another word, and not only another spelling?
    pub(super) is_other_word: bool,
}

type Names = BTreeMap<String, Named>;

static CONDITION_NAMES: LazyLock<Names> = LazyLock::new(|| {
    let literal = CONDITIONS.iter().map(|word| word.name);
    names(literal.chain(refused(conditions::REFUSED)), CONDITION_VARIANTS)
});

static ACTION_NAMES: LazyLock<Names> = LazyLock::new(|| {
    let literal = ACTIONS.iter().map(|word| word.name);
    names(literal.chain(refused(actions::REFUSED)), ACTION_VARIANTS)
});

fn refused(list: Refused) -> impl Iterator<Item = &'static str> {
    list.iter().map(|(name, _)| *name)
}

fn names(
    literal: impl Iterator<Item = &'static str>,
    variants: &'static [(&'static str, &'static str)],
) -> Names {
    let other = variants.iter().map(|(word, name)| (bare(word), Named { name, is_other_word: true }));
    let literal = literal.map(|name| (bare(name), Named { name, is_other_word: false }));
    other.chain(literal).collect()
}

/// Its letters and digits in lower case; a long text is no name.
fn bare(word: &str) -> String {
    const LONGEST: usize = 64;
    let letters = word.chars().take(LONGEST).filter(|character| character.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The condition that a word stands for.
pub(super) fn condition(word: &str) -> Option<Named> {
    CONDITION_NAMES.get(&bare(word)).copied()
}

/// The action that a word stands for.
pub(super) fn action(word: &str) -> Option<Named> {
    ACTION_NAMES.get(&bare(word)).copied()
}

/// The operator that a word stands for.
pub(super) fn operator(word: &str) -> Option<Operator> {
    let word = bare(word);
    let variants = OPERATOR_VARIANTS.iter().find(|(name, _)| bare(name) == word);
    let literal = Operator::ALL.iter().find(|operator| bare(operator.name()) == word);
    literal.copied().or(variants.map(|(_, operator)| *operator))
}

/// The literal name that an unknown word of TOML probably means.
pub(super) fn meant(what: &str, word: &str) -> Option<&'static str> {
    let named = if what == "condition" { condition(word) } else { action(word) };
    named.map(|named| named.name)
}

/// The literal name that a word of either kind stands for: another spelling or another word for it.
pub fn literal_name(word: &str) -> Option<&'static str> {
    condition(word).or_else(|| action(word)).map(|named| named.name)
}

/// The name that a word of either kind is a slip of.
pub fn nearest_name(word: &str) -> Option<&'static str> {
    let names = CONDITIONS.iter().map(|word| word.name).chain(ACTIONS.iter().map(|word| word.name));
    words::nearest(word, names)
}

/// Why a word of CommuniGate Pro that has no row in this language is refused.
pub(super) fn elsewhere(word: &str) -> Option<(&'static str, &'static str)> {
    words::reason(ELSEWHERE, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_leads_to_a_name_of_the_table_and_is_none_itself() {
        for (table, variants) in [(&*CONDITION_NAMES, CONDITION_VARIANTS), (&*ACTION_NAMES, ACTION_VARIANTS)]
        {
            for (variant, name) in variants {
                let literal = table.get(&bare(name)).unwrap_or_else(|| panic!("{name}"));
                assert_eq!((literal.name, literal.is_other_word), (*name, false), "{variant}");
                let found = table.get(&bare(variant)).unwrap();
                assert_eq!((found.name, found.is_other_word), (*name, true), "{variant}");
            }
        }
        for (word, _) in ELSEWHERE {
            assert_eq!((condition(word), action(word)), (None, None), "{word}");
        }
    }

    #[test]
    fn case_spaces_and_punctuation_do_not_count() {
        let spelled = |found: Option<Named>| found.map(|named| (named.name, named.is_other_word));
        assert_eq!(spelled(action("Redirect To")), Some(("Redirect to", false)));
        assert_eq!(spelled(action("STORE-ENCRYPTED")), Some(("Store Encrypted in", true)));
        assert_eq!(spelled(action("SendURL")), Some(("Execute URL", true)));
        assert_eq!(spelled(action("SendIM")), Some(("Send IM", false)));
        assert_eq!(spelled(condition("Human-Generated")), Some(("Human Generated", false)));
        assert_eq!(spelled(condition("From Name")), Some(("'From' Name", false)));
        assert_eq!(spelled(condition("Recipient")), Some(("Any Recipient", true)));
        assert_eq!(spelled(condition("Form")), None);
        assert_eq!(operator("Is Not"), Some(Operator::IsNot));
        assert_eq!(operator("not-in"), Some(Operator::NotIn));
        assert_eq!(operator("greater"), Some(Operator::GreaterThan));
        assert_eq!(operator(""), None);
        assert_eq!(operator("="), None);
    }
}
