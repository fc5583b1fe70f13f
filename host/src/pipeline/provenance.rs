//! Labels that record where a product came from, written into the plan before it is judged: nothing is done that the plan does not say.
//!
//! Names: `io.openshift.s2i.build.*` as the assemble lineage writes them, `org.opencontainers.image.*` as the image specification's
//! annotations (annotations.md) define them.

use sti_core::{Plan, Variable, plan::APP};

use super::{fetching::Fetched, request::BuildRequest};

/// What a fetcher found out, and the labels that record it.
const FACTS: &[(&str, &[&str])] = &[
    ("reference", &["io.openshift.s2i.build.commit.ref"]),
    ("revision", &["io.openshift.s2i.build.commit.id", "org.opencontainers.image.revision"]),
];

/// Adds the labels of provenance and of the command line to the image that becomes the product.
pub(super) fn stamp(mut plan: Plan, request: &BuildRequest, fetched: &Fetched) -> Plan {
    let Some(app) = plan.products.iter().find(|product| product.name == APP).map(|product| product.step) else {
        return plan;
    };
    let labels = labels(request, fetched);
    if let Some(changes) = plan.steps.get_mut(app.0 as usize).and_then(|step| step.changes_mut()) {
        changes.labels.retain(|label| !labels.iter().any(|stamped| stamped.name == label.name));
        changes.labels.extend(labels);
    }
    plan
}

/// In the order of their names; what the user gave replaces what we would write.
fn labels(request: &BuildRequest, fetched: &Fetched) -> Vec<Variable> {
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let mut labels = vec![
        Variable::new("io.openshift.s2i.build.image", request.builder_image.canonical()),
        Variable::new("io.openshift.s2i.build.source-location", request.source_address.clone()),
        Variable::new("org.opencontainers.image.created", now.to_string()),
        Variable::new("org.opencontainers.image.source", request.source_address.clone()),
    ];
    for (fact, names) in FACTS {
        let found = fetched.facts.iter().find(|found| found.name == *fact);
        labels.extend(found.into_iter().flat_map(|found| names.iter().map(|name| Variable::new(*name, found.value.clone()))));
    }
    labels.retain(|label| !label.value.is_empty() && !request.labels.iter().any(|given| given.name == label.name));
    labels.extend(request.labels.iter().cloned());
    labels.sort_by(|one, other| one.name.cmp(&other.name));
    labels
}
