//! The makers of a consent are the engine's own.

fn main() {
    let _ = sealpost::engine::PlainConsent::rule_stores_plain();
}
