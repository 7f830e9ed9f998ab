//! A private key in the clear has no `Clone`.

fn copy(key: &sealpost::pki::UnlockedKey) -> sealpost::pki::UnlockedKey {
    key.clone()
}

fn main() {
    let _ = copy;
}
