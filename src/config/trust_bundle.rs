//! The built-in set of trusted authorities: a file in PEM, read when something asks for it, and again when it changed.

use crate::engine::{BuiltIn, BuiltInError};
use crate::pki::{Bundle, Certificate};
use crate::system::FileId;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Where operating systems keep theirs: Debian and Arch, Fedora and RHEL, SUSE, Alpine and the BSDs.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// A file that was changed so short a time before it was read may be changed again and look the same: file systems count
/// time in steps, the coarsest in two seconds.
const STEP: Duration = Duration::from_secs(2);

/// Readings of a file that changes under each of them, before that is an error.
const READINGS: usize = 3;

/// Where the built-in set comes from. It reads the file when it is first asked, and remembers what it found until the file
/// is another one; what it could not read it reads again. Clones share what was read.
#[derive(Debug, Clone, Default)]
pub struct TrustBundle {
    source: Source,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Source {
    #[default]
    System,
    File(PathBuf),
    None,
}

/// The built-in set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuiltInSet {
    /// Who is in it.
    pub certificates: Arc<[Certificate]>,
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
        Some(TrustBundle { source, known: Arc::default() })
    }

    /// The set as it is now. A file that is missing, cannot be read or holds no certificate is an error that names it; single
    /// broken certificates are counted.
    pub fn set(&self) -> Result<BuiltInSet, BuiltInError> {
        if self.source == Source::None {
            return Ok(BuiltInSet::default());
        }
        self.lock().renew(&self.source)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Did somebody name a file?
    pub fn is_named(&self) -> bool {
        matches!(self.source, Source::File(_))
    }
}

impl BuiltIn for TrustBundle {
    fn certificates(&self) -> Result<Arc<[Certificate]>, BuiltInError> {
        Ok(self.set()?.certificates)
    }

    /// A file that nobody asked for is not looked at.
    fn generation(&self) -> u64 {
        let mut known = self.lock();
        if known.last.is_some() {
            // Whoever asks for the set is told what is wrong with it.
            let _ = known.renew(&self.source);
        }
        known.generation
    }
}

/// What was read last.
#[derive(Debug, Default)]
struct Known {
    last: Option<Reading>,
    /// How often another set took the place of one, or none did.
    generation: u64,
}

impl Known {
    fn renew(&mut self, source: &Source) -> Result<BuiltInSet, BuiltInError> {
        let path = source.path();
        if let (Some(last), Ok(path)) = (&self.last, &path)
            && last.holds(path)
        {
            return Ok(last.set.clone());
        }
        let now = path.and_then(Reading::of);
        if let Some(before) = self.last.take()
            && now.as_ref().map_or(true, |now| now.set != before.set)
        {
            self.generation += 1;
        }
        Ok(self.last.insert(now?).set.clone())
    }
}

#[derive(Debug)]
struct Reading {
    set: BuiltInSet,
    mark: Mark,
    /// Whatever changes the file from now on changes its mark.
    is_settled: bool,
}

/// Which file it is, and what every change of it changes: unlike the time of its octets, that of the inode is set by nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    id: FileId,
    len: u64,
    changed: (i64, i64),
}

impl Mark {
    fn of(data: &Metadata) -> Mark {
        Mark { id: FileId::of(data), len: data.len(), changed: (data.ctime(), data.ctime_nsec()) }
    }

    fn is_settled(&self, now: SystemTime) -> bool {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        u64::try_from(self.changed.0).is_ok_and(|changed| now.abs_diff(changed) > STEP.as_secs())
    }
}

impl Reading {
    fn of(path: &Path) -> Result<Reading, BuiltInError> {
        let name = path.display();
        let failed = |why: String| BuiltInError(format!("the built-in trusted authorities: {why}"));
        let (bytes, mark, is_settled) =
            read(path).map_err(|error| failed(format!("cannot read {name}: {error}")))?;
        let Bundle { certificates, broken } =
            Bundle::read(&bytes).map_err(|error| failed(format!("{name}: {error}")))?;
        if certificates.is_empty() {
            return Err(failed(format!("{name} holds no certificate in PEM")));
        }
        let set = BuiltInSet { certificates: certificates.into(), broken, file: Some(path.to_owned()) };
        Ok(Reading { set, mark, is_settled })
    }

    /// Is it what another reading of that file would give?
    fn holds(&self, path: &Path) -> bool {
        let is_same = || std::fs::metadata(path).is_ok_and(|data| Mark::of(&data) == self.mark);
        self.is_settled && self.set.file.as_deref() == Some(path) && is_same()
    }
}

/// The octets of one state of the file, and the mark of that.
fn read(path: &Path) -> io::Result<(Vec<u8>, Mark, bool)> {
    for _ in 0..READINGS {
        let mut file = File::open(path)?;
        let mark = Mark::of(&file.metadata()?);
        let is_settled = mark.is_settled(SystemTime::now());
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if Mark::of(&file.metadata()?) == mark {
            return Ok((bytes, mark, is_settled));
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "it changes while it is read"))
}

impl Source {
    /// The file.
    fn path(&self) -> Result<&Path, BuiltInError> {
        match self {
            Source::File(path) => Ok(path),
            Source::System | Source::None => {
                SYSTEM.map(Path::new).into_iter().find(|path| path.is_file()).ok_or_else(|| {
                    BuiltInError(format!(
                        "this system has no bundle of trusted authorities (looked at {}): install the package \
                         ca-certificates, or say trust-bundle in sealpost.toml",
                        SYSTEM.join(", ")
                    ))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Seed;
    use crate::pki::{AuthorityProfile, KeyType, Subject, UnlockedKey, Validity, self_sign};
    use time::macros::datetime;

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

    fn certificate(number: u8) -> Certificate {
        let mut octets = [number; 32];
        let key = UnlockedKey::generate(KeyType::EcP256, Seed::from_bytes(&mut octets)).unwrap();
        let validity = Validity::lasting(datetime!(2026-11-01 12:00 UTC), time::Duration::DAY);
        let subject = Subject::named("north.example");
        let profile = AuthorityProfile { subject: &subject, dns_names: &[], validity };
        self_sign(&key, &profile, Seed::from_bytes(&mut [number; 32])).unwrap()
    }

    #[test]
    fn the_file_is_followed_and_no_error_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bundle.pem");
        let bundle = TrustBundle::named(file.to_str().unwrap()).unwrap();
        let given = || bundle.certificates().ok().map(|all| all.to_vec());
        assert_eq!((given(), bundle.generation()), (None, 0));
        let (one, other) = (certificate(1), certificate(2));
        std::fs::write(&file, one.to_pem().unwrap()).unwrap();
        assert_eq!(
            (bundle.generation(), given()),
            (0, Some(vec![one.clone()])),
            "not looked at before it is asked for"
        );
        // In its place, and at once.
        std::fs::write(&file, other.to_pem().unwrap()).unwrap();
        assert_eq!((bundle.generation(), given()), (1, Some(vec![other.clone()])));
        let next = folder.path().join("next.pem");
        std::fs::write(&next, one.to_pem().unwrap() + &other.to_pem().unwrap()).unwrap();
        std::fs::rename(&next, &file).unwrap();
        assert_eq!((given(), bundle.generation()), (Some(vec![one.clone(), other]), 2));
        std::fs::remove_file(&file).unwrap();
        assert_eq!((bundle.generation(), given(), bundle.generation()), (3, None, 3));
        std::fs::write(&file, one.to_pem().unwrap()).unwrap();
        assert_eq!((given(), bundle.generation()), (Some(vec![one]), 3));
    }

    #[test]
    fn what_has_settled_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bundle.pem");
        std::fs::write(&file, certificate(1).to_pem().unwrap()).unwrap();
        let bundle = TrustBundle::named(file.to_str().unwrap()).unwrap();
        let first = bundle.certificates().unwrap();
        assert!(!Arc::ptr_eq(&first, &bundle.certificates().unwrap()), "it was written a moment ago");
        let second = bundle.certificates().unwrap();
        bundle.lock().last.as_mut().unwrap().is_settled = true;
        let kept = bundle.certificates().unwrap();
        assert!(Arc::ptr_eq(&kept, &bundle.clone().certificates().unwrap()));
        assert!(!Arc::ptr_eq(&second, &first) && *kept == *first);
        std::fs::write(&file, certificate(2).to_pem().unwrap()).unwrap();
        assert_ne!(*bundle.certificates().unwrap(), *kept);
    }

    #[test]
    fn a_change_of_a_moment_ago_has_not_settled() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mark = Mark::of(&file.as_file().metadata().unwrap());
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(mark.changed.0.cast_unsigned());
        assert!(!mark.is_settled(changed) && !mark.is_settled(changed + STEP));
        assert!(mark.is_settled(changed + STEP * 2) && mark.is_settled(changed - STEP * 2));
    }
}
