//! A validated certificate comes out of a check.

fn promote(certificate: sealpost::pki::Certificate) -> sealpost::pki::ValidatedCertificate {
    sealpost::pki::ValidatedCertificate { certificate, warnings: Vec::new() }
}

fn main() {
    let _ = promote;
}
