//! The public messages: encrypted, handed on twice, decrypted, and byte for byte what they were.

use super::*;
use crate::laws::crlf;
use crate::laws::people::{ELLA, EMMA};
use crate::support::vectors;
use sealpost::mail::{Eol, eol};
use std::path::{Path, PathBuf};

/// Messages at a time.
const BATCH: usize = 128;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|entry| if entry.is_dir() { files(&entry) } else { vec![entry] }).collect()
}

fn all_replaced(work: &dyn Work, messages: &[Vec<u8>]) -> Vec<(Vec<u8>, Vec<String>)> {
    let batch: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    made(work, &batch).into_iter().map(replaced).collect()
}

fn without_notes(made: Vec<(Vec<u8>, Vec<String>)>) -> Vec<Vec<u8>> {
    made.into_iter().map(|(bytes, notes)| (bytes, assert_eq!(notes, [""; 0])).0).collect()
}

#[test]
fn public_mail_comes_back_byte_for_byte() {
    let Some(folder) = vectors() else { return };
    let files = files(&folder.join("mail"));
    assert!(files.len() > 3000, "only {} messages", files.len());
    let [ella, emma] = [&ELLA, &EMMA].map(|person| prospect("", &[person]));
    let ([with_ella, with_emma], seeds, nobody) =
        ([[ELLA.opening()], [EMMA.opening()]], Seeds::default(), Directory::default());
    let wrap = Encrypt { others: SealedToOthers::Wrap, openpgp: OpenPgp::Seal, ..encrypt(&ella, &seeds) };
    let to_emma = Rekey::new(&with_ella, &emma, &nobody, &seeds);
    let to_ella = Rekey::new(&with_emma, &ella, &nobody, &seeds);
    for files in files.chunks(BATCH) {
        let messages: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        let sealed: Vec<Vec<u8>> =
            all_replaced(&wrap, &messages).into_iter().map(|(bytes, _)| bytes).collect();
        let away = without_notes(all_replaced(&to_emma, &sealed));
        let back = without_notes(all_replaced(&to_ella, &away));
        let clear = all_replaced(&Decrypt { keys: &with_ella }, &back);
        for ((file, message), (clear, notes)) in files.iter().zip(&messages).zip(clear) {
            let is_mixed = eol(message) == Eol::Mixed;
            let expected = if is_mixed { crlf(message) } else { message.clone() };
            assert!(clear == expected, "{}", file.display());
            assert_eq!(notes.len(), usize::from(is_mixed), "{}: {notes:?}", file.display());
        }
    }
}
