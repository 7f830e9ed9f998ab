//! Rules in array text.

use super::rules_toml::{assert_both_texts_keep, assert_places};
use sealpost::rules::{Import, RuleSet, ScopeKind};

/// The input is array text:
///
/// - What is broken is refused with one fault, whole or rule by rule, and its place.
/// - Reading it whole and taking what can be taken agree: either every rule is taken, and they are the same, or the whole
///   is refused.
/// - What was taken reads as the same again when it is written, in both texts.
/// - Every rule that is not taken has a reason.
pub(crate) fn hold(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for scope in ScopeKind::ALL {
        let whole = RuleSet::from_array("rules.txt", &text, *scope);
        let import = Import::from_array("rules.txt", &text, *scope);
        match (&whole, &import) {
            (Ok(rules), Ok(import)) => {
                assert!(import.refused.is_empty() && import.rules == *rules);
                assert_both_texts_keep(rules, &text, *scope);
            }
            (Err(faults), Ok(import)) => {
                assert_places(faults, &text);
                assert_named(import, &text, *scope);
            }
            (Err(faults), Err(broken)) => {
                assert_places(faults, &text);
                assert_eq!(broken.faults(), faults.faults());
                assert_eq!(faults.faults().len(), 1);
            }
            (Ok(_), Err(_)) => panic!("read whole and not in parts"),
        }
    }
}

fn assert_named(import: &Import, text: &str, scope: ScopeKind) {
    assert!(!import.refused.is_empty());
    for refused in &import.refused {
        assert!(!refused.faults.is_empty(), "{refused:?}");
        assert!(refused.faults.iter().all(|fault| fault.line >= refused.line), "{refused:?}");
    }
    assert_both_texts_keep(&import.rules, text, scope);
}

/// A name and the text.
pub(crate) fn seeds() -> Vec<(&'static str, &'static str)> {
    vec![
        ("settings", SETTINGS),
        (
            "one.txt",
            r#"(7,"a",((From,in,"*@a.example,b@c.example")),(("Store Encrypted in",Box,{profile=modern;}),(Discard)),"c")"#,
        ),
        (
            "values.txt",
            r##"(#7,"\065\195\164\u'20AC'\e" "b",(("Human Generated","---"),(Subject,is,[Z3LDvG4=])),((Mark,(Seen,"$x"))),#NULL#)"##,
        ),
    ]
}

const SETTINGS: &str = r##"{ // an account
  Password = "a b"; Limits = {From = #T22-10-2009_15:24:45; Ip = #I[10.0.44.55]:25; Until = #TPAST;};
  Rules = (
    (1,"#Redirect",(),(("Mirror to",anna@south.example),(Discard,"---"))), /* two */
    (2,"#Vacation",(("Current Date","less than","06 Jan 2027 23:59:59"),(From,"not in","#Replied")),(("Reply with","+Subject: ^S\e\eAway.")))
  );
}
"##;
