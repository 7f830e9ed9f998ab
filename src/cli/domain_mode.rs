//! What the modes of a domain mean, for help and for `sealpost domain show`.

use crate::engine::{Choice, DomainMode};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

fn meaning(mode: DomainMode) -> &'static str {
    match mode {
        DomainMode::Disabled => "its keys and certificates are not used; its accounts count as having none",
        DomainMode::Test => "they serve TLS only; its accounts count as having no certificate",
        DomainMode::Enabled => "its keys and certificates are used",
    }
}

/// The word and what it means.
pub(super) fn explained(mode: DomainMode) -> String {
    format!("{}: {}", mode.name(), meaning(mode))
}

/// Takes the words; help shows what each means.
pub(super) fn parser() -> impl TypedValueParser<Value = DomainMode> {
    let words = DomainMode::ALL.iter().map(|mode| PossibleValue::new(mode.name()).help(meaning(*mode)));
    PossibleValuesParser::new(words).try_map(|word| DomainMode::parse(&word).ok_or("unknown word"))
}
