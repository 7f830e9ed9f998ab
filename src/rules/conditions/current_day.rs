//! `Current Day`: the day of the week.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::arguments::Arguments;
use crate::rules::words::{nearest, quoted};
use crate::rules::{Needs, Operator, ScopeKind};
use std::ops::Range;
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Current Day",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "The day of the week in the site's time zone: `Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat`, `Sun`.",
    example: r#"["Current Day", "in", ["Sat", "Sun"]]"#,
    parse: |arguments| {
        let operator = arguments.operator?;
        Some(Arc::new(CurrentDay { operator, days: days(arguments, operator)? }))
    },
};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

#[derive(Debug)]
struct CurrentDay {
    operator: Operator,
    days: Vec<&'static str>,
}

impl Test for CurrentDay {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        let at = usize::from(evidence.facts.now.weekday().number_days_from_monday());
        let today = DAYS.get(at).copied().unwrap_or_default();
        witness.value(&today);
        self.days.contains(&today) != self.operator.is_negative()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.now = true;
    }
}

fn days(arguments: &mut Arguments<'_, '_>, operator: Operator) -> Option<Vec<&'static str>> {
    let texts = match operator.takes_list() {
        true => arguments.filled_list("a day of the week")?,
        false => vec![arguments.text("a day of the week")?],
    };
    let days: Vec<_> = texts.into_iter().map(|(text, span)| day(arguments, text, span)).collect();
    days.into_iter().collect()
}

fn day(arguments: &mut Arguments<'_, '_>, text: &str, span: Range<usize>) -> Option<&'static str> {
    let found = DAYS.into_iter().find(|day| *day == text);
    if found.is_none() {
        let fault = format!("\"{text}\" is no day of the week");
        let hint = format!("the days are: {}", quoted(DAYS));
        arguments.faults.add_near(span, fault, near(text), hint);
    }
    found
}

/// The day that is written in another way, or with a slip.
fn near(text: &str) -> Option<&'static str> {
    let short = text.get(..3).unwrap_or_default();
    let spelled = DAYS.into_iter().find(|day| day.eq_ignore_ascii_case(short));
    spelled.or_else(|| nearest(text, DAYS))
}

#[cfg(test)]
mod tests {
    use super::near;
    use crate::rules::evaluate::testing::holds_at;
    use time::Duration;
    use time::macros::datetime;

    #[test]
    fn each_day_has_its_name() {
        let monday = datetime!(2026-11-23 23:59:59 +1);
        for (at, name) in super::DAYS.into_iter().enumerate() {
            let now = monday + Duration::days(at as i64);
            let holds = |rest: &str| holds_at(&format!("[\"Current Day\", {rest}]"), now);
            assert!(holds(&format!("\"is\", \"{name}\"")));
            assert!(!holds(&format!("\"is not\", \"{name}\"")));
            let weekend = at > 4;
            assert_eq!(holds(r#""in", ["Sat", "Sun"]"#), weekend, "{name}");
            assert_eq!(holds(r#""not in", ["Sat", "Sun"]"#), !weekend, "{name}");
        }
    }

    #[test]
    fn it_is_the_day_of_the_zone() {
        assert!(holds_at(r#"["Current Day", "is", "Sun"]"#, datetime!(2026-11-22 23:30 -5)));
        assert!(holds_at(r#"["Current Day", "is", "Mon"]"#, datetime!(2026-11-23 05:30 +1)));
    }

    #[test]
    fn other_spellings_lead_to_the_name() {
        assert_eq!(near("monday"), Some("Mon"));
        assert_eq!(near("SUN"), Some("Sun"));
        assert_eq!(near("Tuue"), Some("Tue"));
        assert_eq!(near("Holiday"), None);
        assert_eq!(near(""), None);
        assert_eq!(near("äöü"), None);
    }
}
