//! Nobody but `smime` says that bytes are sealed.

fn main() {
    let _ = sealpost::smime::Sealed { bytes: b"clear".to_vec(), cipher: None, recipients: Vec::new() };
}
