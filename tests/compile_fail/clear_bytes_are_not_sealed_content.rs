//! What a store takes as sealed is `Sealed`, and not any bytes.

fn main() {
    let _ = sealpost::engine::Content::Sealed(b"clear".to_vec());
}
