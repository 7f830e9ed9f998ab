//! Who can open a message after it was handed on, and who no longer can.

use super::*;
use crate::laws::inside::enveloped;
use crate::laws::people::{ELLA, EMMA, KINDS, MAGDA, PAULA, ROSA, RUTH, seal};
use crate::laws::structure::{mail, octets};
use sealpost::crypto::{Classical, Profile};
use sealpost::mail::Message;
use sealpost::smime::Form;
use std::collections::BTreeSet;

fn names(message: &[u8]) -> BTreeSet<RecipientId> {
    enveloped(message).recipients.into_iter().filter_map(|to| to.id).collect()
}

/// Is it sealed to exactly these?
fn assert_sealed_to(message: &[u8], people: &[&Person]) {
    let expected = people.iter().map(|person| person.certificate().recipient_ids().remove(0)).collect();
    assert_eq!(names(message), expected);
    for person in people {
        assert_eq!(decrypted(message, person).0, MESSAGE, "{}", person.name);
    }
}

#[test]
fn the_owner_gets_it_with_the_new_key_and_nothing_else_changes() {
    let old = encrypted(MESSAGE, "", &[&ELLA]);
    let (new, notes) = replaced(rekeyed(&old, &ELLA, &[&EMMA, &PAULA], &Directory::default()));
    assert_eq!(notes, [""; 0], "the key at hand is nobody's loss");
    assert_sealed_to(&new, &[&EMMA, &PAULA]);
    assert_eq!(enveloped(&new).content_digest(), enveloped(&old).content_digest());
    let header = |message: &[u8]| message[..message.len() - Message::new(message).body().len()].to_vec();
    assert_eq!(header(&new), header(&old));
    let again = rekeyed(&new, &EMMA, &[&EMMA, &PAULA], &Directory::default());
    assert_eq!(left(again), Left::AlreadyRight);
}

#[test]
fn every_kind_of_key_hands_it_on() {
    let form = Form { classical: Classical::Beside, ..Profile::PostQuantum.into() };
    for person in KINDS {
        let beside: &[&Person] = if person.name == "magda" { &[&MAGDA] } else { &[&MAGDA, person] };
        let old = seal(MESSAGE, beside, form, 1).unwrap();
        let new = replaced(rekeyed(old.bytes(), person, &[&RUTH], &Directory::default())).0;
        assert_sealed_to(&new, &[&RUTH]);
        let settings = "profile = \"post-quantum\"\nalso-classical = \"yes\"";
        let (all, seeds) = (prospect(settings, beside), Seeds::default());
        let keys = [RUTH.opening()];
        let back = made_of(&Rekey::new(&keys, &all, &Directory::default(), &seeds), &new);
        assert_sealed_to(&replaced(back).0, beside);
    }
}

#[test]
fn other_accounts_keep_it_with_the_keys_that_they_have_now() {
    let old = encrypted(MESSAGE, "", &[&ELLA, &ROSA]);
    // Rosa's certificate is retired, and Ruth's is the active one of the same account.
    let directory = Directory::default().with("rosa", &[&ROSA, &RUTH], &[&RUTH]);
    let (new, notes) = replaced(rekeyed(&old, &ELLA, &[&EMMA], &directory));
    assert_sealed_to(&new, &[&EMMA, &RUTH]);
    assert_eq!(notes, ["it stays open to rosa@north.example"]);
    assert_eq!(left(rekeyed(&new, &EMMA, &[&EMMA], &directory)), Left::AlreadyRight);
    // The key of the other account opens it too, and that account keeps it all the same.
    let (new, _) = replaced(rekeyed(&old, &ROSA, &[&EMMA], &directory));
    assert_sealed_to(&new, &[&EMMA, &RUTH]);
}

/// Whoever can write to a stored file can add any name: it hands no key to anybody.
#[test]
fn an_account_without_a_right_falls_away_and_the_note_names_it() {
    let old = encrypted(MESSAGE, "", &[&ELLA, &ROSA, &RUTH]);
    let directory = Directory { without_right: vec!["rosa"], ..Directory::default() };
    let directory = directory.with("rosa", &[&ROSA], &[&ROSA]).with("ruth", &[&RUTH], &[&RUTH]);
    let (new, notes) = replaced(rekeyed(&old, &ELLA, &[&EMMA], &directory));
    assert_sealed_to(&new, &[&EMMA, &RUTH]);
    let lost = "rosa@north.example can no longer open it: it has no right on the mailbox; \
        to keep it: --keep rosa@north.example";
    assert_eq!(notes, ["it stays open to ruth@north.example", lost]);
    // One of two accounts that share a certificate has the right: it keeps what it opens now, and the other loses nothing more.
    let shared = Directory { without_right: vec!["rosa"], ..Directory::default() };
    let shared = shared.with("rosa", &[&ROSA], &[&ROSA]).with("ruth", &[&ROSA, &RUTH], &[&RUTH]);
    let old = encrypted(MESSAGE, "", &[&ELLA, &ROSA]);
    assert_sealed_to(&replaced(rekeyed(&old, &ELLA, &[&EMMA], &shared)).0, &[&EMMA, &RUTH]);
}

#[test]
fn the_owner_s_own_old_certificates_are_nobody_else() {
    let old = encrypted(MESSAGE, "", &[&ELLA, &PAULA]);
    let directory = Directory::default().with("emma", &[&ELLA, &PAULA, &EMMA], &[&EMMA]);
    let (new, notes) = replaced(rekeyed(&old, &ELLA, &[&EMMA], &directory));
    assert_sealed_to(&new, &[&EMMA]);
    assert_eq!(notes, [""; 0]);
}

#[test]
fn whom_the_directory_does_not_know_falls_away_which_is_noted() {
    for (strangers, note) in [
        (&[&ELLA, &ROSA][..], "1 recipient that is no account here can no longer open it"),
        (&[&ELLA, &ROSA, &RUTH], "2 recipients that are no accounts here can no longer open it"),
    ] {
        let old = encrypted(MESSAGE, "", strangers);
        let (new, notes) = replaced(rekeyed(&old, &ELLA, &[&ELLA, &EMMA], &Directory::default()));
        assert_sealed_to(&new, &[&ELLA, &EMMA]);
        assert_eq!(notes, [note]);
    }
}

#[test]
fn nobody_loses_a_message_to_a_doubt() {
    let old = encrypted(MESSAGE, "", &[&ELLA, &ROSA]);
    let unfit =
        Directory { unfit: vec![(&ROSA, "rosa@north.example has no certificate")], ..Directory::default() };
    assert_eq!(
        failed(rekeyed(&old, &ELLA, &[&EMMA], &unfit)),
        "another account that reads it cannot be sealed to: rosa@north.example has no certificate"
    );
    let broken = Directory { broken: true, ..Directory::default() };
    assert_eq!(failed(rekeyed(&old, &ELLA, &[&EMMA], &broken)), "the directory is busy");
    let (emma, keys) = (prospect("", &[&EMMA]), [ELLA.opening()]);
    let work = Rekey::new(&keys, &emma, &Mute, &NoSeeds);
    assert_eq!(failed(made_of(&work, &old)), "the directory does not say whom the message names");
    let none = Directory::default();
    let work = Rekey::new(&keys, &emma, &none, &NoSeeds);
    assert_eq!(failed(made_of(&work, &old)), "the system's random number generator failed: no device");
}

/// Answers less than it is asked.
struct Mute;

impl Readers for Mute {
    fn find(&self, _: &StoredMailbox, _: &[RecipientId]) -> Result<Vec<NamedReader>, String> {
        Ok(Vec::new())
    }
}

#[test]
fn the_directory_is_asked_once_for_a_batch_and_never_twice_for_a_name() {
    let messages: Vec<Vec<u8>> = [&ROSA, &RUTH, &ROSA, &PAULA]
        .into_iter()
        .map(|other| encrypted(MESSAGE, "", &[&ELLA, other]))
        .collect();
    let batch: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let directory = Directory::default();
    let (emma, seeds, keys) = (prospect("", &[&EMMA]), Seeds::default(), [ELLA.opening()]);
    let work = Rekey::new(&keys, &emma, &directory, &seeds);
    made(&work, &batch).into_iter().for_each(|made| drop(replaced(made)));
    assert_eq!(directory.asked.load(Ordering::Relaxed), 1);
    made(&work, &batch).into_iter().for_each(|made| drop(replaced(made)));
    assert_eq!(directory.asked.load(Ordering::Relaxed), 1, "it is known already");
    // Who is sealed to right is nobody to ask for.
    let right = encrypted(MESSAGE, "", &[&EMMA]);
    assert_eq!(left(made_of(&Rekey::new(&keys, &emma, &Mute, &seeds), &right)), Left::AlreadyRight);
}

#[test]
fn what_cannot_be_handed_on_says_why() {
    let directory = Directory::default();
    let old = encrypted(MESSAGE, "", &[&ELLA]);
    assert_eq!(left(rekeyed(MESSAGE, &ELLA, &[&EMMA], &directory)), Left::Clear);
    assert!(failed(rekeyed(&old, &ROSA, &[&EMMA], &directory)).starts_with("sealed to no key at hand: "));
    let binary = [b"Content-Transfer-Encoding: binary\n\n".as_slice(), &octets(&old)].concat();
    assert_eq!(
        failed(rekeyed(&binary, &ELLA, &[&EMMA], &directory)),
        "the body of the message is not in base64, and nothing else is written in its place: \
         decrypt it and encrypt it anew (sealpost mailbox decrypt, then encrypt)"
    );
    let der = octets(&old);
    assert_eq!(
        failed(rekeyed(&mail(&der[..der.len() - 2]), &ELLA, &[&EMMA], &directory)),
        "the CMS structure is broken: it is cut off"
    );
}
