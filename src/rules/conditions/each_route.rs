//! `Each Route`: where all recipients lead.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::pictures::Pictures;
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Each Route",
    operators: Operator::PICTURES,
    scopes: &[ScopeKind::Server],
    doc: "Holds if it holds for every place where the recipients lead: `LOCAL(account@domain)` or `RELAY(address)`.",
    example: r#"["Each Route", "is", "LOCAL(*)"]"#,
    parse: |arguments| Some(Arc::new(EachRoute(arguments.pictures()?))),
};

#[derive(Debug)]
struct EachRoute(Pictures);

impl Test for EachRoute {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.0.hold_for_each(evidence.routes(), evidence, witness)
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
    fn every_one_must_do() {
        let routes = ["LOCAL(bob@north.example)", "RELAY(ann@east.example)"];
        let holds = |rest: &str| server_holds(&format!("[\"Each Route\", {rest}]"), &routes);
        assert!(!holds(r#""is", "local(*)""#));
        assert!(holds(r#""in", ["LOCAL(*)", "RELAY(*)"]"#));
        assert!(!holds(r#""is not", "relay(*@east.example)""#));
        assert!(holds(r#""not in", ["x", "y"]"#));
    }
}
