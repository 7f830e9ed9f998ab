//! One disposition; reply code, enhanced code and exit code are computed from it.

/// What the hook is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Synced and visible.
    Delivered,
    /// Any doubt.
    Retry {
        /// X.S.N without the class: subject and detail (RFC 3463).
        detail: (u16, u16),
        /// Fixed text for the peer; nothing of the message.
        text: String,
    },
    /// Will not get better.
    Reject {
        /// X.S.N without the class.
        detail: (u16, u16),
        /// Text for the peer.
        text: String,
        /// The exit code's kind: 67 unknown user, 65 content.
        unknown_user: bool,
    },
}
