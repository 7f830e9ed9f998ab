//! Passwords come from a file, a descriptor or a prompt without echo, never from an argument.

use super::failure::{Code, Failure};
use super::input;
use crate::crypto::SecretBytes;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Where the password comes from.
#[derive(clap::Args, Debug, Clone)]
pub(super) struct PasswordSource {
    /// Read the password from the first line of this file (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "password_fd")]
    password_file: Option<PathBuf>,
    /// Read the password from the first line of this open file descriptor
    #[arg(long, value_name = "N")]
    password_fd: Option<u32>,
}

impl PasswordSource {
    /// Was one named?
    pub(super) fn is_given(&self) -> bool {
        self.password_file.is_some() || self.password_fd.is_some()
    }

    /// For a filter: the message stands there.
    pub(super) fn refuse_standard_input(&self) -> Result<(), Failure> {
        if self.password_file.as_deref() == Some(Path::new("-")) || self.password_fd == Some(0) {
            return Err(Failure::new(Code::Usage, "standard input holds the message, not the password")
                .hint("use --password-file with a file, or --password-fd with another descriptor"));
        }
        Ok(())
    }

    /// For what has no password: one that is given would be given in vain.
    pub(super) fn refuse(&self, why: &str) -> Result<(), Failure> {
        match (&self.password_file, self.password_fd) {
            (None, None) => Ok(()),
            _ => Err(Failure::new(Code::Usage, why)),
        }
    }

    /// The password that was named, if one was. Read it before the command becomes the owner of the store: a file may
    /// be readable by the caller only.
    pub(super) fn given(&self) -> Result<GivenPassword, Failure> {
        let given = match (&self.password_file, self.password_fd) {
            (Some(path), _) => Some(PasswordSource::first_line_of(path)?),
            (None, Some(number)) => Some(of_descriptor(number)?),
            (None, None) => None,
        };
        Ok(GivenPassword(given))
    }

    /// A second password beside this one: out of a file, or asked for.
    pub(super) fn another(path: Option<&Path>) -> Result<GivenPassword, Failure> {
        Ok(GivenPassword(path.map(PasswordSource::first_line_of).transpose()?))
    }

    /// The password of a file that needs one of its own.
    pub(super) fn first_line_of(path: &Path) -> Result<SecretBytes, Failure> {
        Ok(first_line(&input::file(path)?))
    }
}

/// A password out of a file or a descriptor, or none: then a person is asked when it is needed.
pub(super) struct GivenPassword(Option<SecretBytes>);

impl GivenPassword {
    /// Without asking.
    pub(super) fn known(&self) -> Option<&SecretBytes> {
        self.0.as_ref()
    }

    /// Asked for once.
    pub(super) fn or_ask(self, prompt: &str) -> Result<SecretBytes, Failure> {
        self.0.map_or_else(|| ask(prompt), Ok)
    }

    /// A new one: asked for twice, and not empty.
    pub(super) fn or_ask_new(self, prompt: &str) -> Result<SecretBytes, Failure> {
        let must_repeat = self.0.is_none();
        let password = self.or_ask(prompt)?;
        if must_repeat && ask("The same again: ")?.expose() != password.expose() {
            return Err(Failure::new(Code::Usage, "the two passwords differ"));
        }
        if password.expose().is_empty() {
            return Err(Failure::new(Code::Usage, "the password is empty"));
        }
        Ok(password)
    }
}

fn of_descriptor(number: u32) -> Result<SecretBytes, Failure> {
    let path = if number == 0 { PathBuf::from("-") } else { PathBuf::from(format!("/dev/fd/{number}")) };
    PasswordSource::first_line_of(&path).map_err(|failure| match failure.code {
        Code::NotFound => Failure::new(Code::NotFound, format!("the descriptor {number} is not open"))
            .hint(format!("open it for the command: {number}< FILE")),
        _ => failure,
    })
}

fn first_line(bytes: &SecretBytes) -> SecretBytes {
    let line = bytes.expose().split(|&byte| byte == b'\n').next().unwrap_or_default();
    SecretBytes::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

/// Is there a person to ask?
pub(super) fn can_ask() -> bool {
    std::io::stderr().is_terminal()
}

/// What a person types, without echo.
pub(super) fn ask(prompt: &str) -> Result<SecretBytes, Failure> {
    if !can_ask() {
        return Err(Failure::new(Code::Usage, "a password is needed and there is no terminal to ask at")
            .hint("use --password-file FILE or --password-fd N"));
    }
    let typed = rpassword::prompt_password(prompt);
    typed
        .map(|text| SecretBytes::new(text.into_bytes()))
        .map_err(|error| Failure::io("read", "the terminal", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_the_first_line_without_its_end() {
        for (file, password) in [("a b\r\nx", "a b"), ("only", "only"), ("", ""), ("one\n", "one")] {
            assert_eq!(first_line(&SecretBytes::new(file.into())).expose(), password.as_bytes());
        }
    }
}
