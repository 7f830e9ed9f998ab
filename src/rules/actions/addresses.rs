//! The addresses of `Redirect to`, `Forward to` and `Mirror to`.

use super::{Action, Arguments};
use crate::mail::{Address, printable};
use crate::rules::PassOn;
use crate::rules::reply_text::MOST_ADDRESSES;
use std::ops::Range;

pub(super) const PARAMETER: &str = "addresses: one, or a list";

/// Reads the whole parameter. One text may hold several addresses with commas between, as in array text.
pub(super) fn pass_on(arguments: &mut Arguments<'_, '_>, how: PassOn) -> Option<Action> {
    let texts = arguments.texts("an address or a list of addresses")?;
    let span = arguments.span.clone();
    let pieces: Vec<(String, Range<usize>)> = texts
        .into_iter()
        .flat_map(|(text, span)| split(text).into_iter().map(move |piece| (piece, span.clone())))
        .collect();
    if pieces.len() > MOST_ADDRESSES {
        refuse_number(arguments, span, pieces.len());
        return None;
    }
    let read: Vec<_> = pieces.iter().map(|(piece, span)| address(arguments, piece, span)).collect();
    let mut addresses: Vec<Address> = Vec::new();
    for (address, (piece, span)) in read.into_iter().collect::<Option<Vec<_>>>()?.into_iter().zip(&pieces) {
        match addresses.contains(&address) {
            true => arguments.note(span, format!("\"{piece}\" stands there twice; it gets one mail")),
            false => addresses.push(address),
        }
    }
    if addresses.is_empty() {
        refuse_number(arguments, span, 0);
        return None;
    }
    Some(Action::PassOn(how, addresses))
}

fn refuse_number(arguments: &mut Arguments<'_, '_>, span: Range<usize>, number: usize) {
    let text = format!("\"{}\" names {number} addresses", arguments.word);
    let hint = format!("1 to {MOST_ADDRESSES} addresses; a longer list belongs into a mailing list");
    arguments.faults.add(span, text, hint);
}

fn address(arguments: &mut Arguments<'_, '_>, text: &str, span: &Range<usize>) -> Option<Address> {
    match Address::parse(text) {
        Ok(address) => Some(address),
        Err(error) => {
            let hint = "\"carol@far.example\", or a list: [\"carol@far.example\", \"dan@far.example\"]";
            arguments.faults.add(span.clone(), printable(&error.to_string()), hint.to_owned());
            None
        }
    }
}

/// The pieces between commas that stand outside quotes.
fn split(text: &str) -> Vec<String> {
    let (mut quoted, mut escaped) = (false, false);
    let mut pieces = vec![String::new()];
    for character in text.chars() {
        let separates = character == ',' && !quoted;
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        match pieces.last_mut() {
            Some(piece) if !separates => piece.push(character),
            _ => pieces.push(String::new()),
        }
    }
    pieces.into_iter().map(|piece| piece.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::evaluate::testing::{faults, faults as faults_of, verdict};

    fn passed_on(parameter: &str) -> (PassOn, Vec<String>) {
        let verdict = verdict(&format!("then = [[\"Redirect to\", {parameter}]]"), "\n");
        let Action::PassOn(how, addresses) = &verdict.steps[0].action else { panic!("{verdict:?}") };
        (*how, addresses.iter().map(Address::to_string).collect())
    }

    #[test]
    fn one_address_a_list_or_commas() {
        let both = ["carol@far.example", "dan@far.example"];
        assert_eq!(passed_on(r#""carol@far.example""#), (PassOn::Redirect, vec![both[0].to_owned()]));
        assert_eq!(passed_on(r#"["carol@far.example", "dan@far.example"]"#).1, both);
        assert_eq!(passed_on(r#""carol@far.example, dan@far.example""#).1, both);
        assert_eq!(passed_on(r#"["carol@far.example,dan@far.example", "Carol@far.example"]"#).1, both);
        let quoted = r#"'"a,\"b"@far.example, dan@far.example'"#;
        assert_eq!(passed_on(quoted).1, [r#""a,\"b"@far.example"#, both[1]]);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (parameter, text) in [
            (r#""""#, "\"\" is no mail address: it has no @"),
            (r#""bob""#, "\"bob\" is no mail address: it has no @"),
            (r#"["a@b.example", "Bob <bob@b.example>"]"#, "\"Bob <bob@b.example>\" is no mail address"),
            (r#""a@b.example,""#, "\"\" is no mail address: it has no @"),
            ("[]", "\"Redirect to\" names 0 addresses"),
            ("5", "\"Redirect to\" takes an address or a list of addresses here, not a whole number"),
            (r#""a@b.example\r\nBcc: c@d.example""#, "is no mail address"),
        ] {
            let faults = faults(&format!("then = [[\"Redirect to\", {parameter}]]")).to_string();
            assert!(faults.contains(text), "{parameter}: {faults}");
        }
        let many: Vec<String> = (0..=MOST_ADDRESSES).map(|at| format!("\"a{at}@b.example\"")).collect();
        let faults = faults(&format!("then = [[\"Redirect to\", [{}]]]", many.join(","))).to_string();
        assert!(faults.contains("\"Redirect to\" names 101 addresses"), "{faults}");
        // Counted before they are read: what is no address is no further fault, and the same one counts each time.
        for many in ["x,", "a@b.example,"].map(|one| one.repeat(MOST_ADDRESSES)) {
            let faults = faults_of(&format!("then = [[\"Redirect to\", \"{many}a@b.example\"]]"));
            assert_eq!(
                (faults.faults().len(), faults.faults()[0].text.as_str()),
                (1, "\"Redirect to\" names 101 addresses")
            );
        }
    }
}
