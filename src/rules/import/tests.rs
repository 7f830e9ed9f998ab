use super::*;
use crate::system::worked_since;
use std::time::Duration;

pub(super) const ACCOUNT: ScopeKind = ScopeKind::Account;

pub(super) fn array(text: &str) -> RuleSet {
    RuleSet::from_array("rules.txt", text, ACCOUNT).unwrap_or_else(|faults| panic!("{text}\n{faults}"))
}

pub(super) fn toml(text: &str) -> RuleSet {
    RuleSet::from_toml("rules.toml", text, ACCOUNT).unwrap_or_else(|faults| panic!("{text}\n{faults}"))
}

fn faults(text: &str) -> Vec<String> {
    let faults = RuleSet::from_array("rules.txt", text, ACCOUNT).expect_err(text);
    faults.faults().iter().map(|fault| fault.text.clone()).collect()
}

const PAYROLL: &str = r#"[[rule]]
name = "Seal payroll"
priority = 7
when = [
  ["From", "in", ["*@payroll.north.example", "hr@north.example"]],
]
then = [
  ["Store Encrypted in", "Vault/Payroll"],
  ["Discard"],
]
comment = "sealed copy only"
"#;

#[test]
fn the_example_of_the_specification_in_both_texts() {
    let text = r#"(7,"Seal payroll",((From,in,"*@payroll.north.example,hr@north.example")),(("Store Encrypted in","Vault/Payroll"),(Discard)),"sealed copy only")"#;
    let set = array(text);
    assert_eq!(set, toml(PAYROLL));
    assert_eq!(set.to_toml(), PAYROLL);
    assert_eq!(set.to_array(), format!("(\n  {text}\n)\n"));
    assert_eq!(array(&set.to_array()), set);
    assert_eq!(array("()").to_array(), "()\n");
    assert_eq!(array("()").to_toml(), "");
}

#[test]
fn placeholders_of_real_exports_say_nothing() {
    let plain = array(r#"(1,r,(("Human Generated")),((Discard)))"#);
    for text in [
        r#"((1,r,(("Human Generated","---")),((Discard,"---"))))"#,
        r#"(#1,r,(("human-generated","---","")),(("DISCARD",#NULL#)),#NULL#)"#,
        r#"{Rules=((1,r,(("Human Generated",---)),((Discard,""))));}"#,
    ] {
        assert_eq!(array(text), plain, "{text}");
    }
}

#[test]
fn other_words_are_read_and_noted() {
    let set = array(r#"(1,r,((recipient,IS,"a@b.example")),(("Copy To",Box),("Mark As","Seen,$x")))"#);
    let literal = "[[rule]]\nname = \"r\"\npriority = 1\nwhen = [[\"Any Recipient\", \"is\", \"a@b.example\"]]\n\
                       then = [[\"Store in\", \"Box\"], [\"Mark\", [\"Seen\", \"$x\"]]]\n";
    assert_eq!(set, toml(literal));
    let notes: Vec<_> = set.warnings().into_iter().map(|note| note.text).collect();
    assert_eq!(
        notes,
        [
            "\"recipient\" is read as \"Any Recipient\"",
            "\"Copy To\" is read as \"Store in\"",
            "\"Mark As\" is read as \"Mark\"",
        ]
    );
}

#[test]
fn header_lines_in_one_text_are_a_list_in_both_texts() {
    let rule =
        |lines: &str| format!("[[rule]]\nname = \"r\"\npriority = 1\nthen = [[\"Add Header\", {lines}]]\n");
    let list = toml(&rule(r#"["X-A: 1", "X-B: 2"]"#));
    assert_eq!(toml(&rule(r#""X-A: 1\r\nX-B: 2\n""#)), list);
    assert_eq!(array(r#"(1,r,(),(("Add Header","X-A: 1\eX-B: 2")))"#), list);
    assert_eq!(list.to_array(), "(\n  (1,r,(),((\"Add Header\",\"X-A: 1\\eX-B: 2\")))\n)\n");
}

#[test]
fn options_and_texts_of_several_lines() {
    let set = array(
        r#"(3,r,(),(("Store Encrypted in",A,{profile=modern;headers="hide-most";}),("Reject with","a" "b")),"one\etwo\e")"#,
    );
    let text = "[[rule]]\nname = \"r\"\npriority = 3\nthen = [\n  [\"Store Encrypted in\", \"A\", {headers = \"hide-most\", profile = \"modern\"}],\n  \
                    [\"Reject with\", \"ab\"],\n]\ncomment = \"\"\"\none\ntwo\n\"\"\"\n";
    assert_eq!(set.to_toml(), text);
    assert_eq!(toml(text), set);
}

#[test]
fn what_is_wrong_with_the_form() {
    for (text, found) in [
        ("7", "a rule is an array, not a text"),
        ("(7,r)", "a rule has four or five elements, this has 2"),
        ("((7,r,(),((Discard))),x)", "a rule is an array, not a text"),
        ("(7,r,Discard,((Discard)))", "the conditions are an array of arrays, not a text"),
        ("(7,r,(),(Discard))", "an action is an array, not a text"),
        ("(7,r,((),),())", "a value is needed here, not `)`"),
        ("(7,r,(()),())", "this condition is empty"),
        ("(11,r,(),())", "11 is no priority"),
        ("(high,r,(),())", "high is no priority"),
        ("(7,#NULL#,(),())", "a rule's name is a text, not #NULL#, which is nothing"),
        (
            "(7,r,(),((\"Store in\",#I[10.0.0.1]:25)))",
            "\"Store in\" takes a mailbox name here, not an ip address",
        ),
        (
            "(7,r,(),((\"Execute URL\",x)))",
            "the action \"Execute URL\" is refused: not in this product: Sealpost sends no messages but mail and asks no web server",
        ),
        (
            "(7,r,(),((SendURL,x)))",
            "the action \"Execute URL\" is refused: not in this product: Sealpost sends no messages but mail and asks no web server",
        ),
        (
            "(7,r,(),((\"Send SMS\",x)))",
            "the action \"Send SMS\" is refused: not in this product: Sealpost sends no messages but mail",
        ),
        (
            "(7,r,((\"Free Busy\",is,x)),())",
            "the condition \"FreeBusy\" is refused: not in this product: it needs a calendar, and Sealpost keeps none",
        ),
    ] {
        assert_eq!(faults(text), [found], "{text}");
    }
}

#[test]
fn every_fault_of_a_text_at_once() {
    let found = faults("((7,r,((From,was,x)),((Burn))),(7,r,(),((Mark,\"(\"))),(7,r,(),()))");
    let twice = "a rule with the name \"r\" begins in line 1 already";
    assert_eq!(
        found,
        [
            "was is no operator; \"From\" needs one here",
            "no action is called \"Burn\"",
            twice,
            "\"(\" is no flag: a keyword has no space, no control or non-ASCII character, and none of (){%*\"\\]",
            twice
        ]
    );
}

#[test]
fn what_can_be_taken_is_taken() {
    let text = "{\n Password = \"secret\"; Rules = (\n  (7,a,(),((Discard))),\n  (7,b,((FreeBusy,is,x)),((Burn))),\n  (7,a,(),((Discard))),\n  (0,d,(),((\"Copy To\",x)))\n );\n}";
    let import = Import::from_array("s", text, ACCOUNT).unwrap();
    let names: Vec<_> = import.rules.rules().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["a", "d"]);
    let refused: Vec<_> = import
        .refused
        .iter()
        .map(|refused| (refused.name.as_str(), refused.line, refused.faults.len()))
        .collect();
    assert_eq!(refused, [("b", 4, 2), ("a", 5, 1)]);
    let notes: Vec<_> = import.notes.iter().map(|note| (note.line, note.text.as_str())).collect();
    assert_eq!(
        notes,
        [
            (2, "left aside, for they are no mail rules: \"Password\""),
            (6, "\"Copy To\" is read as \"Store in\""),
        ]
    );
}

#[test]
fn no_error_shows_a_setting_that_is_no_rule() {
    for text in [
        "{Password=secret; Rules=((7,r,(),((Burn))));}",
        "{Password=secret; Rules=((7,r,(),((Burn)));}",
        "{Password=\"secret; Rules=((7,r,(),((Burn))));}",
        "{Rules=((7,r,(),((Burn)))); Password=secret;}",
        "{Rules=((7,r,()((Burn)))); Password=secret;}",
        "{Rules=((7,r,(),((Burn)))); Deep={Password=(secret,[secret);};}",
    ] {
        let faults = RuleSet::from_array("s", text, ACCOUNT).expect_err(text).to_string();
        assert!(!faults.contains("secret"), "{faults}");
    }
}

#[test]
fn other_words_for_flags_are_read_and_those_that_take_one_away_are_not() {
    let import = Import::from_array("s", "(5,r,(),((Mark,\"read, Flagged\")))", ACCOUNT).unwrap();
    assert!(
        import.rules.to_toml().contains(r#"["Mark", ["Seen", "Flagged"]]"#),
        "{}",
        import.rules.to_toml()
    );
    let notes: Vec<_> = import.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(notes, ["\"read\" is read as \"Seen\""]);
    // A keyword of that name stays one.
    let keyword = toml("[[rule]]\nname = \"r\"\npriority = 5\nthen = [[\"Mark\", \"Read\"]]\n");
    assert_eq!(array(&keyword.to_array()), keyword, "{}", keyword.to_array());
    let import =
        Import::from_array("s", "((5,r,(),((Mark,Unread))),(4,s,(),((Mark,\"Seen,NotMedia\"))))", ACCOUNT)
            .unwrap();
    let told = |at: usize| import.refused[at].faults[0].text.as_str();
    assert_eq!(told(0), "the flag \"Unread\" is refused: flags can only be set, and no copy has one before");
    assert_eq!(
        told(1),
        "the flag \"NotMedia\" is refused: flags can only be set, and no copy has one before"
    );
}

fn widely(text: &str) -> String {
    format!("({})", vec![text; 40_000].join(","))
}

#[test]
fn twice_the_text_takes_twice_the_time() {
    let rule = r#"(7,ä,((From,was,"x,y,z")),(Burn),(x))"#;
    for one in
        [rule, r#"(7,"r\065",((From,in,"a,b")),((Mark,"a,b")))"#, "\"\\u'41'\"", "/**/a", "#I[1]", "[YQ==]"]
    {
        let time = |times: usize| {
            let text = format!("({})", vec![one; times].join(","));
            let begun = worked_since(Duration::ZERO);
            let _ = RuleSet::from_array("f", &text, ACCOUNT).map_err(|faults| faults.faults().len());
            let _ = Import::from_array("f", &text, ACCOUNT).map(|import| import.refused.len());
            worked_since(begun)
        };
        let most = (LARGEST_FILE / 2 / one.len() - 4).min(MOST_RULES);
        time(most / 8);
        let (half, whole) = (time(most / 2), time(most));
        assert!(whole < half * 4 + Duration::from_millis(300), "{one}: {half:?}, then {whole:?}");
    }
    assert!(RuleSet::from_array("f", &widely("\"\" \"\" \"\" \"\" \"\" \"\""), ACCOUNT).is_err());
    let large = RuleSet::from_array("f", &" ".repeat(LARGEST_FILE + 1), ACCOUNT).unwrap_err();
    assert_eq!(large.faults()[0].text, "the file has 1048577 bytes");
}

#[test]
fn a_set_has_so_many_rules_at_most() {
    let toml = |count: usize| {
        let rules: Vec<String> =
            (0..count).map(|at| format!("{{name=\"{at}\",priority=1,then=[]}}")).collect();
        RuleSet::from_toml("f", &format!("rule=[{}]", rules.join(",")), ACCOUNT)
    };
    let array = |count: usize| {
        let rules: Vec<String> = (0..count).map(|at| format!("(1,{at},(),())")).collect();
        let text = format!("({})", rules.join(","));
        let imported = Import::from_array("f", &text, ACCOUNT);
        let read = RuleSet::from_array("f", &text, ACCOUNT);
        assert_eq!(
            imported.err().map(|faults| faults.to_string()),
            read.as_ref().err().map(|faults| faults.to_string())
        );
        read
    };
    for read in [&toml as &dyn Fn(usize) -> Result<RuleSet, RuleFaults>, &array] {
        assert_eq!(read(MOST_RULES).unwrap().rules().count(), MOST_RULES);
        let faults = read(MOST_RULES + 1).unwrap_err();
        assert_eq!((faults.faults().len(), faults.faults()[0].line), (1, 1));
        assert_eq!(faults.faults()[0].text, "the file has 10001 rules");
        assert_eq!(faults.faults()[0].hint.as_deref(), Some("a rule file has 10000 rules at most"));
    }
}
