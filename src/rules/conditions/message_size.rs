//! `Message Size`: bytes as received.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::{Operator, ScopeKind};
use std::sync::Arc;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Message Size",
    operators: Operator::NUMBERS,
    scopes: ScopeKind::ALL,
    doc: "The size of the message in bytes as received; the suffixes K, M and G count in steps of 1024.",
    example: r#"["Message Size", "greater than", "25M"]"#,
    parse: |arguments| {
        let limit = arguments.size();
        Some(Arc::new(MessageSize { operator: arguments.operator?, limit: limit? }))
    },
};

#[derive(Debug)]
struct MessageSize {
    operator: Operator,
    limit: u64,
}

impl Test for MessageSize {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        let size = evidence.size();
        witness.value(&size);
        self.operator.compares(size, self.limit)
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::evaluate::testing::holds;

    #[test]
    fn the_edges() {
        let mail = format!("\n{}", "x".repeat(1023));
        assert!(holds(r#"["Message Size", "is", "1K"]"#, &mail));
        assert!(!holds(r#"["Message Size", "is not", 1024]"#, &mail));
        assert!(!holds(r#"["Message Size", "less than", "1K"]"#, &mail));
        assert!(holds(r#"["Message Size", "less than", 1_025]"#, &mail));
        assert!(!holds(r#"["Message Size", "greater than", "1K"]"#, &mail));
        assert!(holds(r#"["Message Size", "greater than", 1023]"#, &mail));
    }
}
