//! Words that are never printed.

use std::fmt;

/// A password, or a user's name that may be a token. Whoever formats it reads that there is one, and no more.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The words themselves, for the one place that sends them.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// What a server asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) user: Secret,
    pub(crate) password: Secret,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let pair = Pair { user: Secret::new("ada"), password: Secret::new("swordfish") };
        assert_eq!(format!("{pair:?}"), "Pair { user: (secret), password: (secret) }");
    }
}
