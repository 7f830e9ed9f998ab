//! One answer for all recipients of a call.

use super::{Disposition, EngineError};

/// All deliverable: what was planned. All rejected: the first rejection. Some of each: one answer cannot say that, so
/// the sender tries again. Any doubt: that doubt.
pub(super) fn settle<T>(results: Vec<Result<T, EngineError>>) -> Result<Vec<T>, EngineError> {
    let all = results.len();
    let mut planned = Vec::with_capacity(all);
    let mut rejections = Vec::new();
    for result in results {
        match result {
            Ok(plan) => planned.push(plan),
            Err(error) if matches!(error.disposition(), Disposition::Reject { .. }) => rejections.push(error),
            Err(doubt) => return Err(doubt),
        }
    }
    let rejected = rejections.len();
    match rejections.into_iter().next() {
        None => Ok(planned),
        Some(first) if planned.is_empty() => Err(first),
        Some(first) => Err(EngineError::Mixed { rejected, all, first: Box::new(first) }),
    }
}
