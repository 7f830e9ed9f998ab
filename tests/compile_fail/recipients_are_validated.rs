//! Sealing takes validated certificates and nothing else.

use sealpost::pki::Certificate;
use sealpost::smime::SealJob;

fn recipients<'a>(job: &mut SealJob<'a>, certificates: &'a [Certificate]) {
    job.recipients = certificates;
}

fn main() {
    let _ = recipients;
}
