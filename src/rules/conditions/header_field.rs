//! `Header Field`: each header field as `Name: text`.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::header::FieldName;
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Header Field",
    operators: Operator::PICTURES,
    scopes: ScopeKind::ALL,
    doc: "Each header field as `Name: text`, unfolded and decoded. `is not` and `not in` hold if no field matches.",
    example: r#"["Header Field", "is", "X-Spam-Flag: YES*"]"#,
    parse: |arguments| {
        let pictures = arguments.pictures()?;
        Some(Arc::new(HeaderField { names: pictures.field_names(), pictures }))
    },
};

#[derive(Debug)]
struct HeaderField {
    pictures: Pictures,
    /// The only fields that the pictures can match, if they all name one.
    names: Option<Vec<FieldName>>,
}

impl Test for HeaderField {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        let Some(names) = &self.names else {
            return self.pictures.hold_for_field(evidence.header.lines(), evidence, witness);
        };
        let mut found = names.iter().filter_map(|name| evidence.header.lines_named(name));
        let found = found.any(|lines| self.pictures.match_any(&lines, evidence, witness));
        found != self.pictures.operator.is_negative()
    }

    fn needs(&self, needs: &mut Needs) {
        self.pictures.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn one_field_is_enough_and_none_may_match_for_is_not() {
        let mail = "Received: x\nX-Spam-Flag: YES\nX-Label:   =?utf-8?Q?gr=C3=BCn?=\n\n";
        assert!(holds(r#"["Header Field", "is", "x-spam-flag: yes"]"#, mail));
        assert!(!holds(r#"["Header Field", "is not", "X-Spam-Flag: *"]"#, mail));
        assert!(holds(r#"["Header Field", "is not", "X-Other: *"]"#, mail));
        assert!(holds(r#"["Header Field", "in", ["X-Other: *", "X-Label: GRÜN"]]"#, mail));
        assert!(!holds(r#"["Header Field", "not in", ["X-Other: *", "X-Label: *"]]"#, mail));
    }

    #[test]
    fn a_message_without_fields_has_no_match() {
        assert!(!holds(r#"["Header Field", "is", "*"]"#, "\nbody"));
        assert!(holds(r#"["Header Field", "is not", "*"]"#, "\nbody"));
    }
}
