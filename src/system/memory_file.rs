//! Content for another program, in memory and whole from the start.

use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io::{self, Seek, Write};

/// A file in memory that stands at its begin. It has no name on any disk and is gone with its last reader; a program that never
/// reads keeps nobody waiting, and one that reads late finds all of it, whatever became of the process that made it.
pub fn memory_file(content: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create(c"message", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(content)?;
    file.rewind()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn it_is_read_from_its_begin_to_its_end() {
        let content = vec![b'x'; 200_000];
        let mut read = Vec::new();
        memory_file(&content).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, content);
    }
}
