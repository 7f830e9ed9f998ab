//! The line `# scope: …` of a rule file: for where it is.

use crate::rules::{ScopeKind, Warning};

/// Characters of a wrong word that are shown.
const SHOWN: usize = 40;

/// What a file says of its scope.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// The first line that names one.
    pub(super) scope: Option<(usize, ScopeKind)>,
    /// Lines that name none.
    pub(super) odd: Vec<Warning>,
}

/// Reads the lines; `// scope: …` in array text. Upper and lower case are the same.
pub(super) fn named(text: &str) -> Named {
    let mut named = Named::default();
    for (at, line) in text.lines().enumerate() {
        let Some(word) = word(line) else { continue };
        match scope(&word.to_lowercase()) {
            Ok(scope) => named.scope = named.scope.or(Some((at + 1, scope))),
            Err(_) => named.odd.push(odd(at + 1, word)),
        }
    }
    named
}

/// The scope that a file names.
pub(super) fn named_scope(text: &str) -> Option<ScopeKind> {
    named(text).scope.map(|(_, scope)| scope)
}

/// The scope of a word of the command line.
pub(super) fn scope(word: &str) -> Result<ScopeKind, String> {
    let found = ScopeKind::ALL.iter().find(|scope| scope.name() == word);
    found.copied().ok_or_else(|| "the scopes are server, domain, account".into())
}

/// What stands behind `# scope:`.
fn word(line: &str) -> Option<&str> {
    let line = line.trim_start_matches('\u{feff}');
    let comment = line.strip_prefix('#').or_else(|| line.strip_prefix("//"))?;
    let (key, word) = comment.split_once(':')?;
    key.trim().eq_ignore_ascii_case("scope").then(|| word.trim())
}

fn odd(line: usize, word: &str) -> Warning {
    let shown: String = word.chars().take(SHOWN).collect();
    let more = if shown.len() < word.len() { "…" } else { "" };
    Warning {
        line,
        rule: String::new(),
        text: format!("\"{shown}{more}\" is no scope: server, domain, account"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_scope_in_any_case() {
        for text in [
            "# scope: server",
            "x\n# Scope: SERVER \n",
            "#scope:Server\n# scope: domain",
            "// SCOPE : server",
        ] {
            let line = text.lines().position(|line| line.to_lowercase().contains("server")).unwrap() + 1;
            assert_eq!(named(text), Named { scope: Some((line, ScopeKind::Server)), odd: vec![] }, "{text}");
        }
        for text in ["", "x = 1 # scope: server", "# scopes: server", "# the scope: server", "scope: server"]
        {
            assert_eq!(named(text), Named::default(), "{text}");
        }
    }

    #[test]
    fn a_word_that_is_none_is_told() {
        let found = named("# scope: servr\n# scope: domain\n");
        assert_eq!(found.scope, Some((2, ScopeKind::Domain)));
        let told: Vec<_> = found.odd.iter().map(|odd| (odd.line, odd.text.as_str())).collect();
        assert_eq!(told, [(1, "\"servr\" is no scope: server, domain, account")]);
        let long = named(&format!("# scope: {}\n", "x".repeat(500))).odd.remove(0).text;
        assert!(
            long.starts_with("\"xxxx") && long.contains("x…\" is no scope") && long.len() < 100,
            "{long}"
        );
    }
}
