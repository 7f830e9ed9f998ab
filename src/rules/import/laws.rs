use super::tests::{ACCOUNT, array, toml};
use super::*;
use crate::rules::{ACTIONS, CONDITIONS};
use proptest::prelude::*;

/// Texts that are hard to write.
fn hard() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,12}",
        "[a-c,#*'\" =;(){}\\[\\]/]{1,12}",
        "(\\PC|[\u{1}-\u{1f}\u{7f}-\u{9f}]|\n|\r){1,12}",
    ]
}

/// A picture that is legal.
fn picture() -> impl Strategy<Value = String> {
    let escaped = |text: String| {
        let text = text.replace('\\', r"\\");
        if text.starts_with('#') { format!("*{text}") } else { text }
    };
    prop_oneof![hard().prop_map(escaped), Just(r"\*\,\\".to_owned()), Just(String::new())]
}

fn quoted(text: &str) -> String {
    ::toml::Value::from(text).to_string()
}

/// A condition out of the table: its example, or a picture of any kind.
fn condition() -> impl Strategy<Value = String> {
    let examples = prop::sample::select(CONDITIONS.iter().map(|word| word.example).collect::<Vec<_>>())
        .prop_map(str::to_owned);
    let one = (prop::sample::select(vec!["is", "is not"]), picture())
        .prop_map(|(operator, text)| format!("[\"Subject\", \"{operator}\", {}]", quoted(&text)));
    let list = (prop::sample::select(vec!["in", "not in"]), prop::collection::vec(picture(), 1..4));
    let list = list.prop_map(|(operator, texts)| {
        let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
        format!("[\"Header Field\", \"{operator}\", [{}]]", texts.join(", "))
    });
    prop_oneof![examples, one, list]
}

/// An action out of the table: its example, or a text of any kind.
fn action() -> impl Strategy<Value = String> {
    let examples = prop::sample::select(ACTIONS.iter().map(|word| word.example).collect::<Vec<_>>())
        .prop_map(str::to_owned);
    let reject = hard().prop_map(|text| format!("[\"Reject with\", {}]", quoted(&format!("x{text}"))));
    let store =
        "[a-zäß,' ]{0,8}".prop_map(|text| format!("[\"Store in\", {}]", quoted(&format!("x{text}x"))));
    prop_oneof![examples, reject, store, Just("[\"Mark\", [\"Seen\"]]".to_owned())]
}

fn rule() -> impl Strategy<Value = String> {
    let name = "\\PC{1,10}".prop_filter("not only spaces", |name| !name.trim().is_empty());
    let conditions = prop::collection::vec(condition(), 0..4);
    let actions = prop::collection::vec(action(), 0..4);
    (name, 0..=10, conditions, actions, prop::option::of(hard())).prop_map(
        |(name, priority, when, then, comment)| {
            let comment = comment.map(|text| format!("comment = {}\n", quoted(&text))).unwrap_or_default();
            format!(
                "[[rule]]\nname = {}\npriority = {priority}\nwhen = [{}]\nthen = [{}]\n{comment}",
                quoted(&name),
                when.join(", "),
                then.join(", ")
            )
        },
    )
}

proptest! {
    #[test]
    fn both_texts_say_the_same(rules in prop::collection::vec(rule(), 0..4)) {
        let text = rules.concat();
        let Ok(set) = RuleSet::from_toml("r.toml", &text, ACCOUNT) else {
            // Two rules of one name, or a mailbox that is none.
            return Ok(());
        };
        let (as_toml, as_array) = (set.to_toml(), set.to_array());
        prop_assert_eq!(&toml(&as_toml), &set);
        let back = array(&as_array);
        prop_assert_eq!(&back, &set, "{}", as_array);
        prop_assert_eq!(back.to_array(), as_array);
        prop_assert_eq!(back.to_toml(), as_toml);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\n){0,80}") {
        let _ = RuleSet::from_array("f", &text, ACCOUNT).map_err(|faults| faults.to_string());
        let _ = Import::from_array("f", &text, ACCOUNT).map_err(|faults| faults.to_string());
    }

    #[test]
    fn no_mixture_of_its_own_words_makes_it_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "(", ")", "((", "))", "{", "}", ",", ";", "=", "\"", "\\", "\\u'41'", "\\065", "[", "]", "YQ==", "#",
                "#T22-10-2009", "#NULL#", "#I[", "7", "r", "From", "is", "in", "\"Store in\"", "Rules", "//", "/*",
                "*/", "\n", "ä", "---", "(7,r,((From,is,x)),((Discard)))",
            ]),
            0..40,
        ),
    ) {
        let text = words.concat();
        if let Ok(set) = RuleSet::from_array("f", &text, ACCOUNT) {
            prop_assert_eq!(&array(&set.to_array()), &set);
            prop_assert_eq!(&toml(&set.to_toml()), &set);
        }
        let _ = Import::from_array("f", &text, ACCOUNT).map(|import| import.refused.len());
    }
}
