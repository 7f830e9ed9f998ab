//! Nobody but the engine gives the consent to clear text.

fn main() {
    let _ = sealpost::engine::PlainConsent { source: "me" };
}
