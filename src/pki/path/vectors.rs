//! Path validation by the public vectors: x509-limbo, BoringSSL's, RFC 9216.

mod boringssl;
mod crls;
mod limbo;
mod names;
mod rfc9216;

use super::*;
use crate::mail::vectors::Verdicts;

/// A path for that usage, with nothing else asked of it.
fn path<'a>(
    anchors: &'a [Certificate],
    intermediates: &'a [Certificate],
    at: OffsetDateTime,
    policies: &'a PolicyCheck,
) -> PathCheck<'a> {
    let revocation =
        RevocationSources { crls: &[], at, policy: RevocationPolicy::Soft, origin: ListOrigin::Anywhere };
    PathCheck { anchors, intermediates, at, usage: None, policies, revocation }
}

/// All faults of a failure, for the message of a test.
fn words(failure: &PathFailure) -> String {
    failure.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
