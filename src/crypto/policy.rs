//! What may be written, apart from what can be read.

/// A named choice of algorithms for sealing (spec: "Algorithms: one table, three profiles").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Profile {
    /// AES-256-CBC and RSAES-PKCS1-v1_5: every S/MIME client opens it.
    #[default]
    Compatible,
    /// AES-256-GCM and RSAES-OAEP with SHA-256.
    Modern,
}

impl Profile {
    /// Every profile.
    pub const ALL: &'static [Profile] = &[Profile::Compatible, Profile::Modern];

    /// The name in config, rules, help and output.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Compatible => "compatible",
            Profile::Modern => "modern",
        }
    }

    /// The profile of this name.
    pub fn parse(name: &str) -> Option<Profile> {
        Profile::ALL.iter().copied().find(|profile| profile.name() == name)
    }
}
