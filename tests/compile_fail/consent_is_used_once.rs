//! One consent, one copy.

use sealpost::engine::{Content, PlainConsent};

fn twice(consent: PlainConsent) {
    let _ = Content::Plain(b"one", consent);
    let _ = Content::Plain(b"two", consent);
}

fn main() {
    let _ = twice;
}
