//! Grants, the policy file and vetting. [`Policy::approve`] is the only way to an [`ApprovedPlan`].

mod approved;

pub use approved::ApprovedPlan;
