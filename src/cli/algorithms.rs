//! `sealpost algorithms`: what is written and what is read, out of the one table.

use super::failure::Failure;
use super::output::{Output, Table};
use crate::crypto::Profile;
use crate::crypto::algorithm::{Entry, Kind, Status, entries};
use crate::crypto::policy::{Classical, GcmReaders};
use serde_json::{Value, json};

/// List the algorithms: what each profile writes, what else is read, and the object identifiers
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost algorithms
  sealpost algorithms --json")]
pub(super) struct Algorithms {}

impl Algorithms {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        let mut table = Table::new(&["algorithm", "for", "status", "written by", "object identifier"], "");
        for entry in entries() {
            table.row([
                entry.name.to_owned(),
                purpose(entry.kind).to_owned(),
                status(entry.status).to_owned(),
                written_by(&entry).join(", "),
                entry.oid.to_string(),
            ]);
        }
        out.table(&table)?;
        out.json(json!({"algorithms": entries().map(|entry| layout(&entry)).collect::<Vec<_>>()}))
    }
}

fn purpose(kind: Kind) -> &'static str {
    match kind {
        Kind::Content => "content",
        Kind::KeyTransport => "RSA keys",
        Kind::KeyAgreement => "EC keys",
        Kind::KeyEncapsulation => "ML-KEM keys",
        Kind::KeyDerivation => "ML-KEM secrets",
        Kind::KeyWrap => "content keys",
    }
}

/// What is good enough to be written is taken from others as it is; the rest is only read.
fn status(status: Status) -> &'static str {
    match status {
        Status::Write => "good",
        Status::ReadOnly => "read only",
    }
}

/// The profiles that write it. `auto` is one of them each time.
fn written_by(entry: &Entry) -> Vec<&'static str> {
    let profiles = [Profile::Compatible, Profile::Modern, Profile::PostQuantum];
    let writes = |profile: &Profile| {
        profile.suite(GcmReaders::NotAll, Classical::Refused).names().any(|name| name == entry.name)
    };
    profiles.into_iter().filter(writes).map(Profile::name).collect()
}

fn layout(entry: &Entry) -> Value {
    json!({
        "name": entry.name,
        "kind": entry.kind,
        "oid": entry.oid.to_string(),
        "written": entry.status == Status::Write,
        "profiles": written_by(entry),
    })
}
