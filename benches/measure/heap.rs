//! What the allocator does with freed memory. It decides more than it should: glibc gives a large buffer back to the kernel
//! when it is freed, and pays for each of its pages when the next one is filled; a process that has freed larger ones keeps it.
//! Which of the two a row sees must not hang on the rows before it.

use nix::libc;

/// How glibc's thresholds stand. Where the allocator is another, it does as it pleases.
#[derive(Clone, Copy)]
pub(crate) enum Heap {
    /// As when a process begins: like the hook, which comes for one message.
    Begins,
    /// What was freed is kept: like a process that has seen large messages. glibc gets there by itself (32 and 64 MiB at the
    /// most); the second is more here, so that the outputs of a whole batch are kept on every side.
    Grown,
}

impl Heap {
    /// From now on, for everybody in this process.
    pub(crate) fn set(self) {
        let (map, trim) = match self {
            Heap::Begins => (128 << 10, 128 << 10),
            Heap::Grown => (32 << 20, 1 << 30),
        };
        #[cfg(target_env = "gnu")]
        #[allow(unsafe_code, reason = "two numbers for the C library, which checks them")]
        // SAFETY: it takes numbers and touches no memory of ours.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, map);
            libc::mallopt(libc::M_TRIM_THRESHOLD, trim);
        }
        #[cfg(not(target_env = "gnu"))]
        let _: (libc::c_int, libc::c_int) = (map, trim);
    }
}
