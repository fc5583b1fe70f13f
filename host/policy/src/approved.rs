//! A plan that policy has judged.

use sti_core::Plan;

/// A plan whose every step policy has held against what its author was granted. Engines take nothing else.
#[derive(Clone, Debug)]
pub struct ApprovedPlan(Plan);

impl ApprovedPlan {
    /// Called by `Policy::approve` alone.
    pub(crate) fn new(plan: Plan) -> Self {
        Self(plan)
    }

    /// What may be done.
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}
