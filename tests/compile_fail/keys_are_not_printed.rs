//! A private key in the clear has no `Debug`.

fn print(key: &sealpost::pki::UnlockedKey) -> String {
    format!("{key:?}")
}

fn main() {
    let _ = print;
}
