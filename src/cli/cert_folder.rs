//! `sealpost cert add --from-folder`

use super::cert_import::{Import, Row, report};
use super::context::Context;
use super::failure::{Code, Failure};
use super::filter;
use super::output::Output;
use crate::engine::CertificateSource;
use crate::pki::Certificate;
use std::path::{Path, PathBuf};

/// More files of a folder are not looked at.
const MOST_FILES: usize = 100_000;

/// Every certificate of a folder, given to the accounts whose addresses it names.
pub(super) fn from_folder(
    context: &Context,
    out: &mut Output,
    folder: &Path,
    domain: Option<&str>,
) -> Result<(), Failure> {
    let files = files(folder)?;
    // Read before root becomes the owner of the store, who may not be allowed to.
    let read: Vec<_> = files.iter().map(|file| (file, certificates(file))).collect();
    let config = context.config()?;
    let directory = context.directory()?;
    let import = Import { config: &config, directory: &directory, source: CertificateSource::Folder, domain };
    if let Some(domain) = domain {
        directory.domain(domain)?;
    }
    let mut rows = Vec::new();
    for (file, read) in read {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match read {
            Err(why) => rows.push(Row::broken(&name, &why)),
            Ok(found) => {
                for certificate in &found {
                    rows.extend(import.to_named(&name, certificate)?);
                }
            }
        }
    }
    report(out, &rows, &format!("{} holds no file", folder.display()))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure::io("read", folder.display(), &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            continue;
        }
        if files.len() == MOST_FILES {
            let text = format!("{} holds more than {MOST_FILES} files: split it", folder.display());
            return Err(Failure::new(Code::No, text));
        }
        files.push(path);
    }
    files.sort();
    Ok(files)
}

fn certificates(file: &PathBuf) -> Result<Vec<Certificate>, String> {
    filter::certificates(std::slice::from_ref(file)).map_err(|failure| {
        // The row says which file.
        let name = file.display().to_string();
        let rest = failure.text.strip_prefix(&name).map(|rest| rest.trim_start_matches([':', ' ']));
        rest.unwrap_or(&failure.text).to_owned()
    })
}
