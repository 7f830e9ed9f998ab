//! Nobody but `smime` says that bytes are sealed.

fn main() {
    let (bytes, recipients) = (b"clear".to_vec(), Vec::new());
    let _ = sealpost::smime::Sealed { bytes, cipher: None, recipients, headers_kept: None };
}
