//! Passwords come from a file, a descriptor or a prompt without echo, never from an argument.

use super::failure::{Code, Failure};
use super::input;
use crate::crypto::SecretBytes;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Where the password comes from.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct PasswordSource {
    /// Read the password from the first line of this file (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "password_fd")]
    password_file: Option<PathBuf>,
    /// Read the password from the first line of this open file descriptor
    #[arg(long, value_name = "N")]
    password_fd: Option<u32>,
}

impl PasswordSource {
    /// Was a file or descriptor named?
    pub(crate) fn is_given(&self) -> bool {
        self.password_file.is_some() || self.password_fd.is_some()
    }

    /// Does it read standard input?
    pub(crate) fn uses_stdin(&self) -> bool {
        self.password_file.as_deref() == Some(Path::new("-")) || self.password_fd == Some(0)
    }

    /// The password, asked for once.
    pub(crate) fn read(&self, prompt: &str) -> Result<SecretBytes, Failure> {
        match self.path() {
            Some(path) => Ok(first_line(&input::file(&path)?)),
            None => ask(prompt),
        }
    }

    /// A new password, asked for twice at a prompt.
    pub(crate) fn read_new(&self, prompt: &str) -> Result<SecretBytes, Failure> {
        let password = self.read(prompt)?;
        if !self.is_given() && ask("The same again: ")?.expose() != password.expose() {
            return Err(Failure::new(Code::Usage, "the two passwords differ"));
        }
        if password.expose().is_empty() {
            return Err(Failure::new(Code::Usage, "the password is empty"));
        }
        Ok(password)
    }

    /// The password of a file that needs one of its own.
    pub(crate) fn first_line_of(path: &Path) -> Result<SecretBytes, Failure> {
        Ok(first_line(&input::file(path)?))
    }

    fn path(&self) -> Option<PathBuf> {
        let of_descriptor = |fd| PathBuf::from(format!("/dev/fd/{fd}"));
        self.password_file.clone().or_else(|| self.password_fd.map(of_descriptor))
    }
}

fn first_line(bytes: &SecretBytes) -> SecretBytes {
    let line = bytes.expose().split(|&byte| byte == b'\n').next().unwrap_or_default();
    SecretBytes::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

fn ask(prompt: &str) -> Result<SecretBytes, Failure> {
    if !std::io::stderr().is_terminal() {
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
