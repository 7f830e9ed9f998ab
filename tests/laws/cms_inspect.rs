//! Looking at foreign octets without a key.

use super::script::scripted;
use super::structure::{mail, pem};
use sealpost::cms::{self, CmsError, Enveloped, Input, Protection, Report, Structure, der_from_ber};

/// A message may name this many recipients, and no more.
const MOST_RECIPIENTS: usize = 10_000;

/// The input is a message, the body of one, a structure by itself or in PEM, or says how to spoil a known structure:
///
/// - The report says what [`Input::examine`] says, and has a fault only where nothing was found; [`cms::find`] says the
///   same of messages.
/// - It is JSON that reads back, holds no control characters, and is not much longer than the message.
/// - Looking twice shows the same, and BER shows the same as the DER that it becomes.
/// - The two readers of the structure see the same.
pub(crate) fn hold(input: &[u8]) {
    let octets = scripted(input);
    let octets = octets.as_deref().unwrap_or(input);
    let binary = [b"Content-Transfer-Encoding: binary\n\n", octets].concat();
    for message in [octets, &binary, &mail(octets), pem(octets).as_bytes()] {
        assert_reports(message);
    }
    assert_normalises(octets);
}

fn assert_reports(bytes: &[u8]) {
    let input = Input::of(bytes);
    let report = cms::inspect(&input);
    assert_eq!(report, cms::inspect(&input));
    let examined = input.examine();
    let fault = examined.as_ref().err().filter(|fault| !matches!(fault, CmsError::NotEnveloped(_)));
    assert_eq!(report.fault, fault.map(ToString::to_string));
    let (structure, recipients) = found(examined.as_ref().unwrap_or(&Protection::None));
    assert_eq!((report.structure, told(&report)), (structure, recipients));
    assert!(report.fault.is_none() || report.structure == Structure::None);
    if let Some(message) = input.message() {
        assert_eq!(found(&cms::find(message)), (structure, recipients));
    }
    assert_json(&report, bytes.len());
}

/// The recipients of all of it.
fn told(report: &Report) -> usize {
    report.envelope().map_or(0, |envelope| envelope.recipients.len())
}

/// The structure, and the number of recipients.
fn found(protection: &Protection) -> (Structure, usize) {
    match protection {
        Protection::None => (Structure::None, 0),
        Protection::Signed => (Structure::Signed, 0),
        Protection::OpenPgp => (Structure::OpenPGP, 0),
        Protection::Encrypted(enveloped) if enveloped.authenticated => {
            (Structure::AuthEnvelopedData, enveloped.recipients.len())
        }
        Protection::Encrypted(enveloped) => (Structure::EnvelopedData, enveloped.recipients.len()),
    }
}

fn assert_json(report: &Report, length: usize) {
    let json = serde_json::to_string(report).expect("a report is JSON");
    let value: serde_json::Value = serde_json::from_str(&json).expect("and JSON reads back");
    assert_eq!(serde_json::to_string(&value).map(|again| again.len()).ok(), Some(json.len()));
    assert_printable(&value);
    assert!(told(report) <= MOST_RECIPIENTS);
    assert!(json.len() < 64 * length + 4_000, "{} octets of report on {length}", json.len());
}

/// What a terminal would obey is in no text.
fn assert_printable(value: &serde_json::Value) {
    match value {
        serde_json::Value::String(text) => assert!(!text.chars().any(char::is_control), "{text:?}"),
        serde_json::Value::Array(values) => values.iter().for_each(assert_printable),
        serde_json::Value::Object(members) => members.values().for_each(assert_printable),
        _ => {}
    }
}

fn assert_normalises(octets: &[u8]) {
    let read = cms::read(octets);
    let Ok((der, rest)) = der_from_ber(octets) else {
        assert!(read.is_err());
        return;
    };
    assert!(octets.ends_with(rest));
    let (again, behind) = der_from_ber(&der).expect("DER is BER");
    assert!(*again == *der && behind.is_empty(), "not what DER is");
    match (&read, cms::read(&der)) {
        (Ok(read), Ok(normal)) => assert_eq!(format!("{read:?}"), format!("{normal:?}")),
        (Err(read), Err(normal)) if rest.is_empty() => assert_eq!(read.to_string(), normal.to_string()),
        (Err(_), _) => assert!(!rest.is_empty(), "reads as DER only"),
        (Ok(_), Err(error)) => panic!("reads as BER only: {error}"),
    }
    assert_parts(&der, cms::read(&der));
}

/// What stays when recipients are replaced is what was read.
fn assert_parts(der: &[u8], read: Result<Enveloped, CmsError>) {
    let Ok(read) = read else { return };
    let parts = cms::parts(der).expect("what can be read can be taken apart");
    assert!(*parts.encrypted_content == *read.encrypted_content);
    assert!(read.tag.is_none_or(
        |tag| parts.after.windows(tag.len().max(1)).any(|octets| octets == tag) || tag.is_empty()
    ));
}
