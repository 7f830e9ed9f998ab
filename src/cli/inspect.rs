//! `sealpost inspect`: what protects a message, without any key.

use super::failure::{Code, Failure};
use super::input;
use super::output::{Output, Table};
use crate::cms::{self, ContentReport, Integrity, RecipientReport, Report, Structure};
use crate::mail::{self, Message};
use serde_json::json;

/// Show to whom the message on standard input is sealed, and how; no key needed
#[derive(clap::Args)]
#[command(after_help = "Example:
  sealpost inspect < sealed.eml")]
pub(super) struct Inspect {}

impl Inspect {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        let input = input::message()?;
        let bytes = mail::without_mbox_line(input.expose());
        let report = cms::inspect(&Message::new(bytes));
        show(&report, bytes.len(), out)?;
        let mut value = json!(&report);
        if let Some(object) = value.as_object_mut() {
            object.insert("size".into(), bytes.len().into());
        }
        out.json(value)?;
        match report.fault {
            Some(fault) => Err(Failure::new(Code::Data, format!("the message is broken: {fault}"))),
            None => Ok(()),
        }
    }
}

fn show(report: &Report, size: usize, out: &mut Output) -> Result<(), Failure> {
    let mut fields =
        vec![("structure", structure(report.structure).to_owned()), ("size", format!("{size} bytes"))];
    if let Some(content) = &report.content {
        fields.extend([("content", describe_content(content)), ("integrity", integrity(content.integrity))]);
    }
    fields.extend(report.recipients.iter().map(|recipient| ("recipient", describe_recipient(recipient))));
    out.table(&Table::fields(fields))
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
