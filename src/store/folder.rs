//! Names of Maildir++ subfolders: `.A.B`, each level in modified UTF-7 (RFC 3501 5.1.3).

use crate::mail::MailboxName;
use encodify::utf7;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// The folder's name below the Maildir; nothing for the inbox, which is the Maildir itself.
///
/// `.` separates levels on the disk, so that one inside a level is written `\2e`, and `\` is written `\5c`, as
/// Dovecot's `listescape` plugin reads them; no two mailboxes share a folder.
pub(super) fn folder_name(mailbox: &MailboxName) -> Option<String> {
    (!mailbox.is_inbox())
        .then(|| mailbox.as_str().split('/').map(|level| format!(".{}", encode(level))).collect())
}

/// The mailbox that a folder below the Maildir stands for, as people call it; nothing if it stands for none. One that
/// another program named in its own way is called as it is.
pub(super) fn mailbox_name(folder: &str) -> Option<String> {
    let levels = folder.strip_prefix('.').filter(|levels| !levels.is_empty() && !levels.starts_with('.'))?;
    Some(levels.split('.').map(decode).collect::<Vec<_>>().join("/"))
}

fn decode(level: &str) -> String {
    let text = utf7::IMAP.decode(level).unwrap_or_else(|_| level.to_owned());
    text.replace("\\2e", ".").replace("\\5c", "\\")
}

fn encode(level: &str) -> String {
    let mut out = String::with_capacity(level.len());
    let mut shifted = Vec::new();
    for char in level.chars() {
        if matches!(char, ' '..='~') {
            flush(&mut shifted, &mut out);
            push_printable(char, &mut out);
        } else {
            shifted.extend(char.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut shifted, &mut out);
    out
}

fn push_printable(char: char, out: &mut String) {
    match char {
        '&' => out.push_str("&-"),
        '.' => out.push_str("\\2e"),
        '\\' => out.push_str("\\5c"),
        _ => out.push(char),
    }
}

/// Writes a run of UTF-16BE as `&…-` and empties it.
fn flush(shifted: &mut Vec<u8>, out: &mut String) {
    if shifted.is_empty() {
        return;
    }
    out.push('&');
    shifted.chunks(3).for_each(|chunk| push_base64(chunk, out));
    out.push('-');
    shifted.clear();
}

/// One to three octets, without padding.
fn push_base64(chunk: &[u8], out: &mut String) {
    let octet = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
    let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
    for digit in 0..=chunk.len() {
        let index = bits >> (18 - 6 * digit) & 63;
        out.extend(BASE64.get(index as usize).map(|letter| char::from(*letter)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> String {
        folder_name(&MailboxName::parse(text).unwrap()).unwrap_or_default()
    }

    #[test]
    fn levels_become_one_folder() {
        assert_eq!(name("INBOX"), "");
        assert_eq!(name("Vault/Payroll"), ".Vault.Payroll");
    }

    /// The examples of RFC 3501 5.1.3, and characters outside the first plane.
    #[test]
    fn other_alphabets_are_modified_utf7() {
        assert_eq!(encode("台北"), "&U,BTFw-");
        assert_eq!(encode("日本語"), "&ZeVnLIqe-");
        assert_eq!(encode("Entwürfe & Müll"), "Entw&APw-rfe &- M&APw-ll");
        assert_eq!(encode("😀"), "&2D3eAA-");
    }

    #[test]
    fn folders_are_called_as_their_mailboxes() {
        for name in ["Vault/Payroll", "Entwürfe & Müll", "台北/日本語", "a\\b"] {
            let folder = folder_name(&MailboxName::parse(name).unwrap()).unwrap();
            assert_eq!(mailbox_name(&folder).as_deref(), Some(name));
        }
        assert_eq!(mailbox_name(".v1\\2e0").as_deref(), Some("v1.0"));
        for other in ["cur", "new", ".", "..", "maildirsize"] {
            assert_eq!(mailbox_name(other), None);
        }
    }

    #[test]
    fn separators_are_escaped() {
        assert_eq!(encode("v1.0"), "v1\\2e0");
        assert_eq!(encode("a\\2e"), "a\\5c2e");
    }
}
