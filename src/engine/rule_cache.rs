//! Rule sets that were compiled, so that each text is compiled once however many messages it judges.

use super::{EngineError, InstalledRules};
use crate::rules::{RuleSet, ScopeKind};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Texts that are kept, in bytes: those of about a hundred thousand accounts. Ours. Beyond it the cache begins anew.
const LARGEST: usize = 256 << 20;

/// Compiled rule sets by their text. It cannot go stale: another text is another set.
#[derive(Debug, Default)]
pub struct RuleCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    sets: HashMap<(ScopeKind, String), Arc<RuleSet>>,
    bytes: usize,
}

impl RuleCache {
    /// The compiled rules; those that are wrong are told and not kept.
    pub(super) fn compiled(&self, installed: &InstalledRules) -> Result<Arc<RuleSet>, EngineError> {
        let key = (installed.scope, installed.text.clone());
        if let Some(known) = self.kept().sets.get(&key) {
            return Ok(Arc::clone(known));
        }
        let set = Arc::new(compile(installed)?);
        self.keep(key, Arc::clone(&set));
        Ok(set)
    }

    fn keep(&self, key: (ScopeKind, String), set: Arc<RuleSet>) {
        let mut kept = self.kept();
        if kept.bytes.saturating_add(key.1.len()) > LARGEST {
            *kept = Kept::default();
        }
        kept.bytes += key.1.len();
        kept.sets.insert(key, set);
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn compile(installed: &InstalledRules) -> Result<RuleSet, EngineError> {
    RuleSet::from_toml(&installed.file, &installed.text, installed.scope).map_err(|faults| {
        let holder = if installed.holder.is_empty() { "the server" } else { &installed.holder };
        EngineError::BrokenRules {
            holder: holder.into(),
            file: installed.file.clone(),
            faults: Box::new(faults),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(scope: ScopeKind, text: &str) -> InstalledRules {
        InstalledRules { scope, holder: String::new(), file: "f.toml".into(), text: text.into() }
    }

    const RULE: &str = "[[rule]]\nname = \"a\"\npriority = 1\nthen = [[\"Discard\"]]\n";

    #[test]
    fn a_text_is_compiled_once_for_each_scope() {
        let cache = RuleCache::default();
        let first = cache.compiled(&installed(ScopeKind::Domain, RULE)).unwrap();
        let again = cache.compiled(&installed(ScopeKind::Domain, RULE)).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        let other = cache.compiled(&installed(ScopeKind::Account, RULE)).unwrap();
        assert!(!Arc::ptr_eq(&first, &other), "what is right in one scope may be wrong in another");
        let changed = cache.compiled(&installed(ScopeKind::Domain, "")).unwrap();
        assert_eq!(changed.rules().count(), 0);
    }

    #[test]
    fn what_is_wrong_is_told_each_time() {
        let cache = RuleCache::default();
        for _ in 0..2 {
            let wrong = cache.compiled(&installed(ScopeKind::Server, "[[rule]]"));
            assert!(matches!(wrong, Err(EngineError::BrokenRules { .. })));
        }
        assert!(cache.kept().sets.is_empty());
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let cache = RuleCache::default();
        cache.kept().bytes = LARGEST;
        cache.compiled(&installed(ScopeKind::Domain, RULE)).unwrap();
        let kept = cache.kept();
        assert_eq!((kept.bytes, kept.sets.len()), (RULE.len(), 1));
    }
}
