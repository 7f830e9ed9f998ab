//! First Secure Mail passwords of keys that an administrator makes: one small file for each owner, to be handed over,
//! changed by the owner, and deleted.

use super::failure::{Code, Failure};
use crate::crypto::{Entropy, SecretBytes};
use crate::mail::Address;
use crate::store;
use crate::system::SystemEntropy;
use rand::Rng;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Letters that nobody takes for another when a letter is read aloud or typed off paper: 5 bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Groups of four letters: 100 bits.
const GROUPS: usize = 5;
/// With the hyphens.
const LENGTH: usize = GROUPS * 5 - 1;

/// The folder, made if it is not there, mode 0700; one that others can read is refused.
pub(super) fn folder(path: &Path) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| Failure::io("make the folder", path.display(), error);
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(&error)),
        _ => {}
    }
    let found = std::fs::metadata(path).map_err(|error| failed(&error))?;
    if found.is_dir() && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    let text = format!(
        "passwords are written to {0} only if it is a folder that nobody else can open: chmod 700 {0}",
        path.display()
    );
    Err(Failure::new(Code::No, text))
}

/// The password in the file of that account: the one that is there, because a run that was killed may have written it, or a
/// new one. The file is whole or not there.
pub(super) fn of(folder: &Path, account: &Address) -> Result<SecretBytes, Failure> {
    let path = file_of(folder, account);
    if path.exists() {
        return super::password::PasswordSource::first_line_of(&path);
    }
    let password = fresh()?;
    let mut line = Zeroizing::new(Vec::with_capacity(LENGTH + 1));
    line.extend_from_slice(password.expose());
    line.push(b'\n');
    store::replace_file(&path, &line)?;
    Ok(password)
}

/// An address is no path: what could lead out of the folder is written in hexadecimal.
fn file_of(folder: &Path, account: &Address) -> PathBuf {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._+-=@".contains(&octet) || octet >= 0x80;
    let mut name = Vec::new();
    for octet in account.to_string().bytes() {
        match octet {
            octet if plain(octet) => name.push(octet),
            octet => name.extend(format!("%{octet:02x}").bytes()),
        }
    }
    folder.join(format!("{}.password", String::from_utf8_lossy(&name)))
}

fn fresh() -> Result<SecretBytes, Failure> {
    let mut rng = SystemEntropy.seed()?.into_rng();
    let mut text = Zeroizing::new(Vec::with_capacity(LENGTH));
    for at in 0..LENGTH {
        let letter = ALPHABET.get((rng.next_u32() % 32) as usize).copied().unwrap_or(b'x');
        text.push(if at % 5 == 4 { b'-' } else { letter });
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_made_once_and_lies_where_only_the_owner_reads() {
        let place = tempfile::tempdir().unwrap();
        let letters = place.path().join("letters");
        folder(&letters).unwrap();
        folder(&letters).unwrap();
        assert_eq!(std::fs::metadata(&letters).unwrap().mode() & 0o777, 0o700);
        let account = Address::parse("\"../a b\"@north.example").unwrap();
        let first = of(&letters, &account).unwrap();
        assert_eq!(of(&letters, &account).unwrap().expose(), first.expose());
        let file = letters.join("%22..%2fa%20b%22@north.example.password");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&file).unwrap();
        let groups: Vec<&str> = text.trim_end().split('-').collect();
        assert!(groups.len() == GROUPS && groups.iter().all(|group| group.len() == 4), "{text}");
        assert!(text.trim_end().bytes().all(|letter| letter == b'-' || ALPHABET.contains(&letter)));
        let other = of(&letters, &Address::parse("bob@north.example").unwrap()).unwrap();
        assert_ne!(other.expose(), first.expose());
        assert_eq!(first.expose().len(), LENGTH);
    }

    #[test]
    fn a_folder_that_others_can_open_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(folder(place.path()).unwrap_err().code, Code::No);
        assert_eq!(folder(&place.path().join("no/where")).unwrap_err().code, Code::NotFound);
    }
}
