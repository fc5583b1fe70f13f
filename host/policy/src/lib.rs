//! Grants, the policy file and vetting. [`Policy::approve`] is the only way to an [`ApprovedPlan`].

mod approved;
mod denial;
mod grant;
mod judge;
mod named;
mod pattern;
mod policy;
mod quoting;
mod rules;

pub use approved::ApprovedPlan;
pub use denial::{Denial, NotGranted, NotVetted, Where};
pub use grant::{Grant, Limits};
pub use named::{Named, Origin, PluginIdentity};
pub use policy::Policy;
pub use rules::Root;
