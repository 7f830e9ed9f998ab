//! `Any Route`: where the recipients lead.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Any Route",
    operators: Operator::PICTURES,
    scopes: &[ScopeKind::Server],
    doc: "Holds if it holds for one place at least where the recipients lead: `LOCAL(account@domain)` or `RELAY(address)`.",
    example: r#"["Any Route", "is", "LOCAL(*@north.example)"]"#,
    parse: |arguments| Some(Arc::new(AnyRoute(arguments.pictures()?))),
};

#[derive(Debug)]
struct AnyRoute(Pictures);

impl Test for AnyRoute {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_one(evidence.routes(), evidence, witness)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.routes = true;
        self.0.needs(needs);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::server_holds;

    #[test]
    fn one_is_enough() {
        let routes = ["LOCAL(bob@north.example)", "RELAY(ann@east.example)"];
        let holds = |rest: &str| server_holds(&format!("[\"Any Route\", {rest}]"), &routes);
        assert!(holds(r#""is", "local(*)""#));
        assert!(holds(r#""in", ["LOCAL(*)", "RELAY(*)"]"#));
        assert!(holds(r#""is not", "relay(*@east.example)""#));
        assert!(holds(r#""not in", ["x", "y"]"#));
    }
}
