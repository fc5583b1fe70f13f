//! Grants, the policy file and vetting. [`Policy::approve`] is the only way to an [`ApprovedPlan`].

mod approved;
mod choose;
mod denial;
mod error;
mod fetch;
mod grant;
mod judge;
mod load;
mod named;
mod parse;
mod pattern;
mod policy;
mod quoting;
mod rules;

pub use approved::ApprovedPlan;
pub use choose::{SITE_FILE, Which, choose};
pub use denial::{Denial, NotGranted, NotVetted, Where};
pub use error::Error;
pub use fetch::{FetchGrant, FetchLimit, FetchLimits, NamedHosts, SetBy, Settled};
pub use grant::{Grant, Limits};
pub use judge::refused_label;
pub use named::{Named, Origin, PluginIdentity, Triggers};
pub use policy::{Installed, Policy, Whose};
pub use rules::Root;
