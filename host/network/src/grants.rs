//! What the site's policy says of a host: the questions that this room asks before it reaches anything, and the answers.

use std::net::IpAddr;

use sti_core::hosts::Reach;

/// Judges hosts for one plugin. Asked for the first address, for each redirect and for each line to a git service.
///
/// A host is in lower case, without brackets and without a dot at its end; an address of digits is given as it is written.
pub trait Grants: Send + Sync {
    /// Says how far a connection to this host and port may reach, or why there may be none.
    fn may_reach(&self, host: &str, port: u16) -> Result<Reach, Denied>;

    /// Words the refusal of an address that a granted host leads to and may not be reached at: `what` is such as "a private address".
    fn refused_address(&self, host: &str, port: u16, address: IpAddr, what: &str) -> Denied;

    /// Words the refusal of a line that would log in as the user, at a host that the user did not name.
    fn refused_login(&self, host: &str, port: u16) -> Denied;
}

/// A refusal by policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What happened and why: a lower-case fragment without a full stop.
    pub message: String,
    /// The line of the policy that would allow it.
    pub hint: Option<String>,
}
