//! What the site's policy says of a host: the question that this room asks before it reaches anything, and the two answers.

/// Judges hosts for one plugin. Asked for the first address, for each redirect and for each line to a git service.
pub trait Grants: Send + Sync {
    /// Says how far a connection to this host and port may reach, or why there may be none.
    ///
    /// The host is in lower case, without brackets and without a dot at its end; an address of digits is given as it is written.
    fn may_reach(&self, host: &str, port: u16) -> Result<Reach, Denied>;
}

/// How far a connection to a granted host may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Public addresses only: what a policy grants by name, and what a redirect leads to.
    Public,
    /// Private and loopback addresses too: the user's own address names this host.
    Anywhere,
}

/// A refusal by policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What happened and why: a lower-case fragment without a full stop.
    pub message: String,
    /// The line of the policy that would allow it.
    pub hint: Option<String>,
}
