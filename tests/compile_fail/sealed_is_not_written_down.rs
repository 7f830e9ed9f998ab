//! Nobody but `smime` says that bytes are sealed.

fn main() {
    let (bytes, facts) = (b"clear".to_vec(), sealpost::smime::SealFacts::default());
    let _ = sealpost::smime::Sealed { bytes, facts };
}
