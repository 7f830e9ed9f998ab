//! The built-in set of trusted authorities: a file in PEM, read when something asks for it, and once.

use crate::engine::{BuiltIn, BuiltInError};
use crate::pki::{Bundle, Certificate};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Where operating systems keep theirs: Debian and Arch, Fedora and RHEL, SUSE, Alpine and the BSDs.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Where the built-in set comes from. It reads the file when it is first asked, and remembers what it found.
#[derive(Debug, Clone, Default)]
pub struct TrustBundle {
    source: Source,
    read: OnceLock<Result<BuiltInSet, BuiltInError>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Source {
    #[default]
    System,
    File(PathBuf),
    None,
}

/// The built-in set.
#[derive(Debug, Clone, Default)]
pub struct BuiltInSet {
    /// Who is in it.
    pub certificates: Vec<Certificate>,
    /// How many certificates of the file cannot be read and are left out.
    pub broken: usize,
    /// The file; absent: the set is switched off.
    pub file: Option<PathBuf>,
}

impl TrustBundle {
    /// By the value of `trust-bundle`: `system`, `none`, or a path with a leading `/`.
    pub fn named(word: &str) -> Option<TrustBundle> {
        let source = match word {
            "system" => Source::System,
            "none" => Source::None,
            path => Source::File(Some(PathBuf::from(path)).filter(|path| path.is_absolute())?),
        };
        Some(TrustBundle { source, read: OnceLock::new() })
    }

    /// The set. A file that is missing, cannot be read or holds no certificate is an error that names it; single broken
    /// certificates are counted.
    pub fn set(&self) -> Result<&BuiltInSet, BuiltInError> {
        self.read.get_or_init(|| self.source.read()).as_ref().map_err(Clone::clone)
    }

    /// Did somebody name a file?
    pub fn is_named(&self) -> bool {
        matches!(self.source, Source::File(_))
    }
}

impl BuiltIn for TrustBundle {
    fn certificates(&self) -> Result<&[Certificate], BuiltInError> {
        Ok(&self.set()?.certificates)
    }
}

impl Source {
    fn read(&self) -> Result<BuiltInSet, BuiltInError> {
        match self {
            Source::None => Ok(BuiltInSet::default()),
            Source::File(path) => read_file(path),
            Source::System => match SYSTEM.map(Path::new).into_iter().find(|path| path.is_file()) {
                Some(path) => read_file(path),
                None => Err(BuiltInError(format!(
                    "this system has no bundle of trusted authorities (looked at {}): install the package \
                     ca-certificates, or say trust-bundle in sealpost.toml",
                    SYSTEM.join(", ")
                ))),
            },
        }
    }
}

fn read_file(path: &Path) -> Result<BuiltInSet, BuiltInError> {
    let name = path.display();
    let failed = |why: String| BuiltInError(format!("the built-in trusted authorities: {why}"));
    let bytes = std::fs::read(path).map_err(|error| failed(format!("cannot read {name}: {error}")))?;
    let Bundle { certificates, broken } =
        Bundle::read(&bytes).map_err(|error| failed(format!("{name}: {error}")))?;
    if certificates.is_empty() {
        return Err(failed(format!("{name} holds no certificate in PEM")));
    }
    Ok(BuiltInSet { certificates, broken, file: Some(path.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_word_or_an_absolute_path() {
        assert!(TrustBundle::named("relative/file").is_none());
        assert!(TrustBundle::named("").is_none());
        assert!(!TrustBundle::named("system").unwrap().is_named());
        assert!(TrustBundle::named("/etc/some.pem").unwrap().is_named());
        let none = TrustBundle::named("none").unwrap();
        assert!(none.certificates().unwrap().is_empty());
        assert!(none.set().unwrap().file.is_none());
    }

    #[test]
    fn a_file_that_is_no_bundle_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.pem");
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "# nobody\n").unwrap();
        let error = |path: &Path| {
            let text = TrustBundle::named(path.to_str().unwrap()).unwrap().certificates().unwrap_err().0;
            text.replace(folder.path().to_str().unwrap(), "")
        };
        assert_eq!(
            error(&missing),
            "the built-in trusted authorities: cannot read /missing.pem: No such file or directory (os error 2)"
        );
        assert_eq!(error(&empty), "the built-in trusted authorities: /empty.pem holds no certificate in PEM");
    }

    #[test]
    fn the_file_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bundle.pem");
        std::fs::write(&file, "# nobody\n").unwrap();
        let bundle = TrustBundle::named(file.to_str().unwrap()).unwrap();
        let first = bundle.certificates().unwrap_err();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(bundle.certificates().unwrap_err(), first);
    }
}
