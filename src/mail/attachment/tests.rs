use super::*;
use proptest::prelude::*;

fn names(mail: &str) -> Vec<String> {
    let message = Message::new(mail.as_bytes());
    Attachments::of(&message).list.iter().map(|found| found.file_name().to_string()).collect()
}

fn one(part: &str) -> Vec<String> {
    names(&format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n{part}\n--b--\n"))
}

#[test]
fn files_are_attachments_and_text_is_none() {
    assert_eq!(names("Subject: x\n\nhello\n"), [""; 0]);
    assert_eq!(one("Content-Type: text/html\n\n<p>"), [""; 0]);
    assert_eq!(one("Content-Type: application/pdf\n\nx"), ["attachment.pdf"]);
    assert_eq!(one("Content-Disposition: Attachment\n\nx"), ["attachment.txt"]);
    assert_eq!(one("Content-Type: text/plain; name=a.txt\n\nx"), ["a.txt"]);
    assert_eq!(
        one("Content-Type: image/png\nContent-Disposition: inline; filename=\"a b.png\"\n\nx"),
        ["a b.png"]
    );
    assert_eq!(one("Content-Type: message/rfc822\n\nSubject: a\n\nb"), ["attachment.eml"]);
    assert_eq!(names("Content-Type: application/pdf; name=a.pdf\n\nx"), ["a.pdf"]);
    assert_eq!(names("Content-Type: multipart/mixed\n\nno boundary"), [""; 0]);
}

#[test]
fn names_in_every_form() {
    for (parameter, name) in [
        ("filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf", "Größe.pdf"),
        ("filename*=iso-8859-1'de'Gr%F6%DFe.pdf", "Größe.pdf"),
        ("filename*0*=utf-8''Gr%C3%B6; filename*1=sse.pdf", "Grösse.pdf"),
        ("filename=\"=?utf-8?q?Gr=C3=B6=C3=9Fe.pdf?=\"", "Größe.pdf"),
        ("filename=\"../../a.pdf\"", "a.pdf"),
        ("filename=\"\"", "attachment.bin"),
        ("filename=a.pdf; filename=b.pdf", "a.pdf"),
        ("FileName=a.pdf", "a.pdf"),
    ] {
        let part = format!("Content-Type: x/y\nContent-Disposition: attachment;\n {parameter}\n\nx");
        assert_eq!(one(&part), [name], "{parameter}");
    }
}

#[test]
fn multiparts_are_looked_through_and_signatures_are_left() {
    let inner = "Content-Type: multipart/alternative; boundary=c\n\n--c\n\ntext\n--c\nContent-Type: x/y; name=deep\n\nx\n--c--";
    assert_eq!(one(inner), ["deep"]);
    let signed = "Content-Type: multipart/signed; boundary=c\n\n--c\nContent-Type: x/y; name=a\n\nx\n--c\n\
        Content-Type: application/pkcs7-signature; name=smime.p7s\n\ns\n--c--";
    assert_eq!(one(signed), ["a"]);
    assert_eq!(names(signed), ["a"]);
    let message = "Content-Type: message/rfc822; name=m.eml\n\nContent-Type: x/y; name=inner\n\nx";
    assert_eq!(one(message), ["m.eml"]);
}

#[test]
fn numbers_and_depth_have_a_limit() {
    let mut part = "Content-Type: x/y; name=a\n\nx".to_owned();
    for level in 0..40 {
        part = format!(
            "Content-Type: multipart/mixed; boundary=b{level:02}\n\n--b{level:02}\n{part}\n--b{level:02}--\n"
        );
    }
    let message = Message::new(part.as_bytes());
    let found = Attachments::of(&message);
    assert!(found.is_cut && found.list.is_empty());
    let two = "--c\nContent-Type: x/y\n\nx\n".repeat(999);
    let half = format!("--b\nContent-Type: multipart/mixed; boundary=c\n\n{two}--c--\n");
    let many = format!("Content-Type: multipart/mixed; boundary=b\n\n{half}{half}--b--\n");
    let message = Message::new(many.as_bytes());
    let found = Attachments::of(&message);
    assert!(found.is_cut);
    assert_eq!(found.list.len(), MAX_ATTACHMENTS);
}

#[test]
fn the_content_is_decoded_and_the_message_of_it_says_the_same() {
    for (part, content) in [
        ("Content-Type: x/y; name=a\nContent-Transfer-Encoding: base64\n\nAAEK\n", Some(&b"\0\x01\n"[..])),
        ("Content-Type: x/y\nContent-Transfer-Encoding: quoted-printable\n\n=00=0A", Some(b"\0\n")),
        ("Content-Type: x/y\nX-Other: z\n\na\nb\rc", Some(b"a\nb\rc")),
        ("Content-Type: text/csv; name=a\n\na;b", Some(b"a;b")),
        ("Content-Type: x/y\nContent-Transfer-Encoding: base64\n\n%%%", None),
        ("Content-Type: x/y; name=a", Some(b"")),
    ] {
        let found = Attachments::of(&Message::new(part.as_bytes())).list.remove(0);
        assert_eq!(found.content().as_deref(), content, "{part}");
        let written = found.message(b"Subject: s\r\n");
        let message = Message::new(&written);
        assert!(message.fields_named("X-Other").next().is_none());
        assert_eq!(message.fields_named("Content-Type").count(), 1);
        let again = Attachments::of(&message).list.remove(0);
        assert_eq!(again.content().as_deref(), content, "{part}");
        assert_eq!(again.file_name(), found.file_name());
    }
}

proptest! {
    #[test]
    fn nothing_panics_and_contents_are_no_larger_than_the_message(
        pieces in prop::collection::vec("--b|--b--|\n|\n\n|Content-Type: multipart/mixed; boundary=b\n|Content-Type: x/y\n|Content-Transfer-Encoding: base64\n|Content-Transfer-Encoding: quoted-printable\n|AAEK|=00", 0..30)
    ) {
        let bytes = pieces.concat().into_bytes();
        let message = Message::new(&bytes);
        let found = Attachments::of(&message);
        let sizes = found.list.iter().filter_map(|one| one.content().map(|content| content.len()));
        prop_assert!(sizes.sum::<usize>() <= bytes.len());
    }
}
