//! `sealpost inspect`: what protects a message, without any key.

use super::failure::{Code, Failure};
use super::input;
use super::output::{Output, Table};
use crate::cms::{self, ContentReport, Integrity, RecipientReport, Report, Structure};
use crate::mail::{self, Message};

/// Show what protects the message on standard input: to whom it is sealed, algorithms, sizes; no key is needed
#[derive(clap::Args)]
pub(super) struct Inspect {}

impl Inspect {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        let input = input::message()?;
        let bytes = mail::without_mbox_line(input.expose());
        let report = cms::inspect(&Message::new(bytes));
        show(&report, bytes.len(), out)?;
        let report_json =
            serde_json::to_value(&report).map_err(|error| Failure::new(Code::Io, error.to_string()))?;
        out.json(report_json)?;
        match report.fault {
            Some(fault) => Err(Failure::new(Code::Data, format!("the message is broken: {fault}"))),
            None => Ok(()),
        }
    }
}

fn show(report: &Report, size: usize, out: &mut Output) -> Result<(), Failure> {
    let mut table = Table::bare();
    table.row(["structure".to_owned(), structure(report.structure).to_owned()]);
    table.row(["size".to_owned(), format!("{size} bytes")]);
    if let Some(content) = &report.content {
        table.row(["content".to_owned(), describe_content(content)]);
        table.row(["integrity".to_owned(), integrity(content.integrity)]);
    }
    for recipient in &report.recipients {
        table.row(["recipient".to_owned(), describe_recipient(recipient)]);
    }
    out.table(&table)
}

fn structure(structure: Structure) -> &'static str {
    match structure {
        Structure::None => "clear: neither encrypted nor signed",
        Structure::Signed => "clear, signed",
        Structure::EnvelopedData => "sealed: S/MIME EnvelopedData",
        Structure::AuthEnvelopedData => "sealed: S/MIME AuthEnvelopedData",
        Structure::OpenPGP => "encrypted: OpenPGP",
    }
}

fn describe_content(content: &ContentReport) -> String {
    format!("{}, {} bytes of ciphertext", content.algorithm.name, content.encrypted_octets)
}

fn integrity(integrity: Integrity) -> String {
    match integrity {
        Integrity::None => "none: CBC does not show whether the message was changed".to_owned(),
        Integrity::Tag(octets) => format!("a tag of {octets} bytes"),
    }
}

fn describe_recipient(recipient: &RecipientReport) -> String {
    let algorithm = &recipient.algorithm.name;
    match (&recipient.issuer, &recipient.serial, &recipient.key_identifier) {
        (Some(issuer), Some(serial), _) => format!("certificate {serial} of {issuer} ({algorithm})"),
        (_, _, Some(key)) => format!("key {key} ({algorithm})"),
        _ => format!("somebody who is not named ({algorithm})"),
    }
}
