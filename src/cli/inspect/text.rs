//! The report for a person: one fact a row.

use crate::cli::output::Table;
use crate::cli::words;
use crate::cms::{
    AlgorithmReport, ContentReport, EnvelopeReport, Holder, HolderRole, HolderState, InputForm, Integrity,
    KeyEncryptionReport, Layer, LayerKind, Limit, RecipientReport, Report, Structure,
};
use crate::smime::Claim;

type Row = (&'static str, String);

pub(super) fn table(report: &Report, size: usize, claim: Option<&Claim>) -> Table {
    let mut rows = vec![("structure", structure(report.structure).to_owned())];
    rows.extend(form(report.form).map(|form| ("form", form.to_owned())));
    rows.push(("size", format!("{size} bytes")));
    rows.extend(report.envelope().into_iter().flat_map(envelope));
    rows.extend(layers(report));
    rows.extend(report.limit.map(|limit| ("limit", describe_limit(limit).to_owned())));
    rows.extend(claim.map(|claim| ("claim", describe_claim(claim))));
    rows.extend(report.notes().into_iter().map(|note| ("note", note.to_owned())));
    Table::fields(rows)
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

fn form(form: InputForm) -> Option<&'static str> {
    match form {
        InputForm::Message => None,
        InputForm::Bare => Some("a CMS structure by itself"),
        InputForm::Pem => Some("a CMS structure by itself, in PEM"),
    }
}

fn envelope(envelope: &EnvelopeReport) -> Vec<Row> {
    let content = &envelope.content;
    let mut rows = vec![("content", describe_content(content)), ("integrity", integrity(content.integrity))];
    rows.extend(
        envelope.is_post_quantum().then(|| ("keys", "post-quantum: every recipient by ML-KEM".to_owned())),
    );
    rows.extend(recipients(envelope));
    rows
}

fn recipients(envelope: &EnvelopeReport) -> impl Iterator<Item = Row> {
    envelope.recipients.iter().map(|recipient| ("recipient", describe_recipient(recipient)))
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
    format!("{} ({})", whose(recipient), describe_algorithm(&recipient.algorithm))
}

fn whose(recipient: &RecipientReport) -> String {
    if !recipient.holders.is_empty() {
        return recipient.holders.iter().map(describe_holder).collect::<Vec<_>>().join("; ");
    }
    match (recipient.issuer(), recipient.serial(), recipient.key_identifier()) {
        (Some(issuer), Some(serial), _) => format!("certificate {serial} of {issuer}"),
        (_, _, Some(key)) => format!("key {key}"),
        _ => "somebody who is not named".to_owned(),
    }
}

fn describe_holder(holder: &Holder) -> String {
    let state = match holder.state {
        HolderState::Active | HolderState::Pending => {
            format!("{} since {}", holder.state.name(), holder.since)
        }
        state => state.name().to_owned(),
    };
    let whose = match holder.role {
        HolderRole::Account => holder.account.clone(),
        HolderRole::DomainKey => format!("the key of the domain {}", holder.account),
        HolderRole::Recovery => format!("recovery of {}", holder.account),
    };
    format!("{whose}, certificate {}, {state}", words::short(&holder.certificate))
}

fn describe_algorithm(algorithm: &KeyEncryptionReport) -> String {
    let mut parts = vec![algorithm.algorithm.name.clone()];
    parts.extend(algorithm.hash.as_ref().map(|hash| format!("hash {hash}")));
    parts.extend(algorithm.mask_hash.as_ref().map(|hash| format!("mask {hash}")));
    parts.extend(algorithm.key_wrap.as_ref().map(|AlgorithmReport { name, .. }| format!("wrap {name}")));
    parts.join(", ")
}

/// None where there is one layer and all of it is said already.
fn layers(report: &Report) -> Vec<Row> {
    let told = report.envelope();
    if told.is_some() && report.layers.len() == 1 {
        return Vec::new();
    }
    let is_told =
        |layer: &Layer| matches!((&layer.envelope, told), (Some(it), Some(told)) if std::ptr::eq(it, told));
    let rows = report.layers.iter().map(|layer| {
        let further = layer.envelope.iter().filter(|_| !is_told(layer)).flat_map(recipients);
        std::iter::once(("layer", describe_layer(layer))).chain(further)
    });
    rows.flatten().collect()
}

fn describe_layer(layer: &Layer) -> String {
    let indent = "  ".repeat(layer.depth);
    let what = match (&layer.envelope, layer.parts, layer.signers) {
        (Some(envelope), ..) => describe_envelope(envelope),
        (_, Some(parts), _) => words::counted(parts, "part"),
        (_, _, Some(0)) => "certificates and no signer".to_owned(),
        (_, _, Some(signers)) => words::counted(signers, "signer"),
        _ if layer.kind == LayerKind::Cms && layer.fault.is_none() => "not looked into".to_owned(),
        _ => format!("{} bytes", layer.octets),
    };
    let fault = layer.fault.as_ref().map_or(String::new(), |fault| format!(": {fault}"));
    format!("{indent}{}, {what}{fault}", layer.name)
}

fn describe_envelope(envelope: &EnvelopeReport) -> String {
    let integrity = match envelope.content.integrity {
        Integrity::None => "no integrity".to_owned(),
        Integrity::Tag(octets) => format!("a tag of {octets} bytes"),
    };
    format!("{}, {integrity}", describe_content(&envelope.content))
}

fn describe_limit(limit: Limit) -> &'static str {
    match limit {
        Limit::Layers => "there are more than 100 layers: what lies deeper or behind is not shown",
        Limit::Recipients => "there are more than 10000 recipients: what lies deeper or behind is not shown",
        Limit::Work => "too much to look through: what lies deeper or behind is not shown",
    }
}

fn describe_claim(claim: &Claim) -> String {
    let parameters: Vec<String> = claim.parameters().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}: Sealpost-Sealed says so, and nobody vouches for it", parameters.join("; "))
}
