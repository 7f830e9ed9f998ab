//! Mbox files, of any of the family.

use sealpost::mail::mbox::{Entry, Keeping, NoMbox, Splitter, Variant, write};
use time::OffsetDateTime;

const VARIANTS: [Variant; 4] = [Variant::Rd, Variant::O, Variant::Cl, Variant::Cl2];
const LIMITS: [usize; 4] = [1 << 20, 1 << 10, 100, 3];
/// With more flags than this a mailbox keeps some of them only.
const FLAGS: usize = 60;

/// The first octet says which of the family, the largest message, and in pieces of which size it is read; the rest is the
/// file:
///
/// - It is cut into the same messages in whatever pieces it comes.
/// - Numbers count from 1, and each message begins at a `From ` line, further behind than the one before.
/// - What is too large says so, and nothing that is larger is given: a message is at most what stands in the file, with a
///   CR for each LF where our own fields say that it had them.
/// - Each message is written and read again as it is, with its flags and its date.
pub(crate) fn hold(input: &[u8]) {
    let Some((&choice, file)) = input.split_first() else { return };
    let variant = VARIANTS[usize::from(choice & 3)];
    let limit = LIMITS[usize::from(choice >> 2 & 3)];
    let whole = read(file, variant, limit, usize::MAX);
    let pieces = read(file, variant, limit, usize::from(choice >> 4) + 1);
    assert_eq!(whole.as_deref().map(shapes), pieces.as_deref().map(shapes), "in pieces");
    let Ok(entries) = whole else { return };
    assert_in_order(&entries, file);
    for entry in &entries {
        match &entry.content {
            Err(large) => assert!(large.size > limit.max(3) as u64 && large.limit == limit),
            Ok(cut) => {
                assert!(cut.message.len() <= 2 * limit);
                assert_reads_back(&cut.message, &cut.keeping, entry.from.date);
            }
        }
    }
}

/// How many messages are in it, if it is an mbox.
pub(crate) fn messages(input: &[u8]) -> Option<usize> {
    let (&choice, file) = input.split_first()?;
    read(file, VARIANTS[usize::from(choice & 3)], usize::MAX, usize::MAX).ok().map(|entries| entries.len())
}

fn read(file: &[u8], variant: Variant, limit: usize, piece: usize) -> Result<Vec<Entry>, NoMbox> {
    let mut splitter = Splitter::new(variant, limit);
    let mut entries = Vec::new();
    for piece in file.chunks(piece) {
        splitter.push(piece);
        while let Some(entry) = splitter.next_entry()? {
            entries.push(entry);
        }
    }
    splitter.end();
    while let Some(entry) = splitter.next_entry()? {
        entries.push(entry);
    }
    Ok(entries)
}

type Shape = (u64, u64, Option<OffsetDateTime>, Result<(Vec<u8>, Keeping), u64>);

fn shapes(entries: &[Entry]) -> Vec<Shape> {
    let content = |entry: &Entry| match &entry.content {
        Ok(cut) => Ok((cut.message.to_vec(), cut.keeping.clone())),
        Err(large) => Err(large.size),
    };
    entries.iter().map(|entry| (entry.number, entry.offset, entry.from.date, content(entry))).collect()
}

fn assert_in_order(entries: &[Entry], file: &[u8]) {
    let mut behind = 0;
    for (entry, number) in entries.iter().zip(1..) {
        assert_eq!(entry.number, number);
        assert!(entry.offset >= behind, "{} before {behind}", entry.offset);
        assert!(file[entry.offset as usize..].starts_with(b"From "), "{}", entry.offset);
        behind = entry.offset + 1;
    }
}

fn assert_reads_back(message: &[u8], keeping: &Keeping, date: Option<OffsetDateTime>) {
    let date = date.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let Ok(date) = OffsetDateTime::from_unix_timestamp(date.unix_timestamp()) else { return };
    if keeping.flags.len() > FLAGS || !(1..=9999).contains(&date.year()) {
        return;
    }
    let mut file = Vec::new();
    let sink = &mut |piece: &[u8]| {
        file.extend_from_slice(piece);
        Ok::<(), ()>(())
    };
    write(message, (date, keeping), sink).expect("memory takes everything");
    let again = read(&file, Variant::Rd, usize::MAX, usize::MAX).expect("it begins with a From line");
    let [entry] = again.as_slice() else { panic!("{} messages of one", again.len()) };
    let cut = entry.content.as_ref().expect("nothing is too large");
    assert_eq!(cut.message.as_slice(), message);
    assert_eq!((&cut.keeping, entry.from.date), (keeping, Some(date)));
}

/// Files, each with what is special about it.
pub(crate) fn seeds() -> Vec<(String, Vec<u8>)> {
    let from = "From anna@north.example Thu Nov 26 03:41:02 2026\n";
    let other = "From - Wed, 25 Nov 2026 04:41:02 +0100\n";
    [
        ("rd", 0, format!("{from}Subject: one\n\n>From me\n>>From you\n\n{other}Subject: two\n\nx\n\n")),
        ("o", 1, format!("{from}Subject: one\n\n>From me\n\nFrom here on\n\n{other}\n{from}")),
        ("cl", 2, format!("{from}Content-Length: 13\n\n>From\n\nFrom \n\n{other}Content-Length: 99\n\nx\n")),
        ("cl2", 3, format!("{from}Content-Length: 50\n\n\n{from}\n{other}Subject: two\n\nx\n")),
        ("crlf", 0x40, format!("\n{from}Subject: one\n\nx\n\n{other}Subject: two").replace('\n', "\r\n")),
        (
            "flags",
            0,
            format!(
                "{from}Status: RO\nX-Status: AF\nX-Keywords: Work NonJunk\nX-Mozilla-Status: 0009\n\nx\n"
            ),
        ),
        (
            "ours",
            0,
            format!(
                "{from}Status: RO\nX-Keywords: Work\nSealpost-Mbox: v=1; eol=crlf; end=cut\nA: b\n\nx\n\n"
            ),
        ),
        ("large", 8, format!("{from}Subject: large\n\n{}\n\n{other}Subject: small\n\nx\n", "x".repeat(150))),
        ("none", 0, "Subject: a letter\n\nx\n".to_owned()),
        ("long-line", 0, format!("From {}\n\n{from}", "x".repeat(1500))),
    ]
    .map(|(name, choice, text)| (name.to_owned(), [&[choice], text.as_bytes()].concat()))
    .into()
}
