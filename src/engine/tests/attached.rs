//! Attachments copied into files: sealed or plain, all or nothing.

use super::*;

const WITH_FILES: &[u8] = b"From: carol@far.example\nDate: Mon, 23 Nov 2026 10:00:00 +0000\nSubject: pay\n\
Content-Type: multipart/mixed; boundary=b\n\n--b\n\nThe text.\n--b\nContent-Type: application/pdf; name=\"../a.pdf\"\n\
Content-Transfer-Encoding: base64\n\nAAEC/w==\n--b\nContent-Type: application/pdf; name=a.pdf\n\
Content-Transfer-Encoding: base64\n\n%%\n--b--\n";

const COPY: &str = r#"[[rule]]
name = "Files"
priority = 5
when = []
then = [["Copy Attachments into", "In/2026"], ["Store in", "Box"], ["Discard"]]
"#;

fn copying() -> World {
    World::new().with_rules(ScopeKind::Account, BOB, COPY)
}

fn deliver(world: &World) -> Outcome {
    world.engine().deliver(&request(WITH_FILES, &[BOB]))
}

#[test]
fn each_attachment_is_a_sealed_message_of_its_own() {
    let world = copying();
    let outcome = deliver(&world);
    assert_eq!(outcome.disposition, Disposition::Delivered, "{:?}", outcome.cause);
    assert_eq!(outcome.warnings, [""; 0], "a sealed copy needs no decoding");
    let files = world.store.files(&address(BOB));
    assert_eq!((files.len(), files[0].0.as_str()), (2, "In/2026/a.pdf.eml"));
    let whole = "From: carol@far.example\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\nSubject: a.pdf\r\nMIME-Version: 1.0\r\n\
        Content-Type: application/pdf; name=\"../a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC/w==";
    assert_eq!(String::from_utf8(opened(&files[0].1.bytes, BOB).unwrap()).unwrap(), whole);
    assert_eq!(opened(&files[0].1.bytes, ADA), None);
    let report = &outcome.copies[0];
    assert_eq!((report.mailbox.as_str(), report.file.as_deref()), ("In/2026", Some("a.pdf.eml")));
    assert_eq!(report.sealed_to.len(), 1);
    assert_eq!(outcome.copies[2].mailbox, "Box", "files come first");
}

#[test]
fn where_subjects_are_hidden_names_are_too() {
    let mut world = copying();
    world.settings.headers = HeaderPolicy::HideSubject;
    assert_eq!(deliver(&world).disposition, Disposition::Delivered);
    let files = world.store.files(&address(BOB));
    assert!(files.iter().all(|(name, _)| name == "In/2026/attachment.eml"));
    let outside = String::from_utf8_lossy(&files[0].1.bytes).into_owned();
    assert!(outside.contains("\nSubject: [...]\r\n") && !outside.contains("a.pdf"), "{outside}");
    let inside = String::from_utf8(opened(&files[0].1.bytes, BOB).unwrap()).unwrap();
    assert!(inside.contains("\r\nSubject: a.pdf\r\n") && inside.ends_with("\r\n\r\nAAEC/w=="), "{inside}");
}

#[test]
fn plain_files_need_a_consent_the_nearest_one() {
    for (account, domain, site, plain) in [
        (None, None, AttachmentPolicy::Plain, true),
        (None, Some(AttachmentPolicy::Plain), AttachmentPolicy::Seal, true),
        (Some(AttachmentPolicy::Plain), Some(AttachmentPolicy::Seal), AttachmentPolicy::Seal, true),
        (Some(AttachmentPolicy::Seal), Some(AttachmentPolicy::Plain), AttachmentPolicy::Plain, false),
        (None, Some(AttachmentPolicy::Seal), AttachmentPolicy::Plain, false),
    ] {
        let mut world = copying();
        world.settings.attachments = site;
        world.accounts[0].domain.overrides.attachments = domain;
        world.accounts[0].overrides.attachments = account;
        let outcome = deliver(&world);
        let source = outcome.copies[0].plain_source;
        assert_eq!(source, plain.then_some("attachments = \"plain\""), "{account:?} {domain:?} {site:?}");
    }
}

#[test]
fn a_plain_file_is_what_the_attachment_holds() {
    let mut world = copying();
    world.settings.attachments = AttachmentPolicy::Plain;
    let outcome = deliver(&world);
    let files = world.store.files(&address(BOB));
    assert_eq!(
        (files.len(), files[0].0.as_str(), files[0].1.bytes.as_slice()),
        (1, "In/2026/a.pdf", &b"\0\x01\x02\xff"[..])
    );
    assert_eq!(
        outcome.warnings,
        ["rule \"Files\" of bob@north.example: an attachment is not encoded as it says: it is not copied"]
    );
    assert_eq!(world.store.messages(&address(BOB), &MailboxName::parse("Box").unwrap()).len(), 1);
}

#[test]
fn an_encrypted_message_shows_no_attachments() {
    let mut world = World::new();
    world.settings.max_message = 1 << 20;
    world.deliver(&[BOB]);
    let sealed = world.store.messages(&address(BOB), &inbox()).remove(0).bytes;
    let mut world = copying();
    world.settings.max_message = 1 << 20;
    let outcome = world.engine().deliver(&request(&sealed, &[BOB]));
    assert_eq!(outcome.disposition, Disposition::Delivered);
    assert_eq!(world.store.files(&address(BOB)).len(), 0);
    let warning =
        "rule \"Files\" of bob@north.example: its sender encrypted the message: attachments cannot be seen";
    assert_eq!(outcome.warnings, [warning]);
    assert_eq!(world.engine().explain(&request(&sealed, &[BOB])).warnings, [warning]);
}

#[test]
fn without_a_certificate_nothing_is_copied_and_the_sender_tries_again() {
    let world = World::new().with_rules(ScopeKind::Account, EVE, COPY);
    let outcome = world.engine().deliver(&request(WITH_FILES, &[EVE]));
    assert_eq!(outcome.disposition.exit_code(), 75);
    assert_eq!(world.store.total(), 0);
    let mut world = World::new().with_rules(ScopeKind::Account, EVE, COPY);
    world.settings.certificates.missing_certificate = MissingCertificate::Plain;
    let outcome = world.engine().deliver(&request(WITH_FILES, &[EVE]));
    assert_eq!(outcome.copies[0].plain_source, Some("missing-certificate = \"plain\""));
    assert_eq!(world.store.files(&address(EVE))[0].1.bytes, b"\0\x01\x02\xff");
}

/// The law of all copies: before the first commit nothing is left, after it nothing is taken back.
#[test]
fn files_are_staged_and_committed_with_the_copies() {
    for (fault, visible) in [
        (Fault::Stage(1), 0),
        (Fault::Stage(2), 0),
        (Fault::Stage(3), 0),
        (Fault::Commit(1), 0),
        (Fault::CommitLate(1), 1),
        (Fault::Commit(3), 2),
    ] {
        let mut world = copying();
        world.store = world.store.failing(fault);
        let outcome = deliver(&world);
        assert_eq!(outcome.disposition.exit_code(), 75, "{fault:?}");
        assert_eq!((world.store.total(), world.store.staged()), (visible, 0), "{fault:?}");
    }
}

#[test]
fn explaining_lists_files_among_the_copies() {
    let world = copying();
    let explanation = world.engine().explain(&request(WITH_FILES, &[BOB]));
    assert_eq!((explanation.cause, world.store.total()), (None, 0));
    let listed: Vec<_> =
        explanation.copies.iter().map(|copy| (copy.mailbox.as_str(), copy.file.as_deref())).collect();
    assert_eq!(listed, [("In/2026", Some("a.pdf.eml")), ("In/2026", Some("a-2.pdf.eml")), ("Box", None)]);
    assert_eq!(explanation.copies[0].profile, Some("compatible"));
}

#[test]
fn signed_attachments_are_seen_and_the_signature_is_none() {
    let mail = b"Content-Type: multipart/signed; boundary=b\n\n--b\nContent-Type: application/pdf; name=a.pdf\n\nx\n--b\n\
        Content-Type: application/pkcs7-signature; name=smime.p7s\n\ns\n--b--\n";
    let world = copying();
    world.engine().deliver(&request(mail, &[BOB]));
    let names: Vec<String> = world.store.files(&address(BOB)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["In/2026/a.pdf.eml"]);
}
