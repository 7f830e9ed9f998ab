//! What strace wrote down.

use std::collections::BTreeMap;

/// The calls of all threads in the order in which they ended, each as one line: where a call of another thread came in between, strace
/// writes two. Those that failed, or did not end, are left out.
pub(crate) fn ended_calls(trace: &str) -> Vec<String> {
    let mut begun = BTreeMap::<&str, &str>::new();
    let mut ended = Vec::new();
    for line in trace.lines() {
        let (thread, line) = line.split_once(' ').unwrap();
        let line = line.trim_start();
        let whole = match (line.strip_suffix("<unfinished ...>"), line.split_once(" resumed>")) {
            (Some(begin), _) => {
                begun.insert(thread, begin);
                continue;
            }
            (_, Some((_, rest))) => begun.remove(thread).unwrap_or_default().to_owned() + rest,
            _ => line.to_owned(),
        };
        if whole.contains(" = ") && !whole.contains(" = -1 ") {
            ended.push(whole);
        }
    }
    ended
}
