//! Labels that record where a product came from, written into the plan before it is judged: nothing is done that the plan does not say.
//!
//! Names: `io.openshift.s2i.build.*` and `io.k8s.*` as the assemble lineage writes them, `org.opencontainers.image.*` as the image specification's
//! annotations (annotations.md) define them.

use sti_core::{Plan, Variable, plan::APP};

use super::{fetching::Fetched, recorded, request::BuildRequest};

/// What a fetcher found out, and the labels that record it.
const FACTS: &[(&str, &[&str])] = &[
    ("author", &["io.openshift.s2i.build.commit.author"]),
    ("message", &["io.openshift.s2i.build.commit.message"]),
    ("reference", &["io.openshift.s2i.build.commit.ref"]),
    ("revision", &["io.openshift.s2i.build.commit.id", "org.opencontainers.image.revision"]),
];

/// Adds the labels of provenance and of the command line to the image that becomes the product.
pub(super) fn stamp(mut plan: Plan, request: &BuildRequest, fetched: &Fetched) -> Plan {
    let Some(app) = plan.products.iter().find(|product| product.name == APP).map(|product| product.step) else {
        return plan;
    };
    let labels = labels(&plan, request, fetched);
    if let Some(changes) = plan.steps.get_mut(app.0 as usize).and_then(|step| step.changes_mut()) {
        changes.labels.retain(|label| !labels.iter().any(|stamped| stamped.name == label.name));
        changes.labels.extend(labels);
    }
    plan
}

/// In the order of their names; what the user gave replaces what we would write.
fn labels(plan: &Plan, request: &BuildRequest, fetched: &Fetched) -> Vec<Variable> {
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let context_dir = if request.context_dir == "." { "" } else { &request.context_dir };
    let name = request.application_name.as_deref().unwrap_or(request.tag.written());
    let description = request.description.as_deref().unwrap_or_default();
    let mut labels = vec![
        Variable::new("io.k8s.description", description),
        Variable::new("io.k8s.display-name", name),
        Variable::new("io.openshift.s2i.build.source-context-dir", context_dir),
        Variable::new("org.opencontainers.image.description", description),
        Variable::new("org.opencontainers.image.title", name),
        Variable::new("io.openshift.s2i.build.image", request.builder_image.canonical()),
        Variable::new("io.openshift.s2i.build.source-location", request.source_address.clone()),
        Variable::new("org.opencontainers.image.created", now.to_string()),
        Variable::new("org.opencontainers.image.source", request.source_address.clone()),
    ];
    for (fact, names) in FACTS {
        let found = fetched.facts.iter().find(|found| found.name == *fact);
        labels.extend(found.into_iter().flat_map(|found| names.iter().map(|name| Variable::new(*name, found.value.clone()))));
    }
    let date = fetched.facts.iter().find(|fact| fact.name == "date").and_then(|fact| date_of(&fact.value));
    labels.extend(date.map(|date| Variable::new("io.openshift.s2i.build.commit.date", date)));
    labels.extend(recorded::labels(plan, request));
    labels.retain(|label| !label.value.is_empty() && !request.labels.iter().any(|given| given.name == label.name));
    labels.extend(request.labels.iter().cloned());
    labels.sort_by(|one, other| one.name.cmp(&other.name));
    labels
}

/// A date as git writes it into a commit (`1700000000 +0100`), as git shows it (`Tue Nov 14 23:13:20 2023 +0100`).
fn date_of(written: &str) -> Option<String> {
    let (seconds, offset) = written.split_once(' ')?;
    let (sign, digits) = offset.split_at_checked(1)?;
    let (hours, minutes) = digits.split_at_checked(2)?;
    let offset: i32 = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    let offset = jiff::tz::Offset::from_seconds(if sign == "-" { -offset } else { offset }).ok()?;
    let date = jiff::Timestamp::from_second(seconds.parse().ok()?).ok()?.to_zoned(offset.to_time_zone());
    Some(date.strftime("%a %b %-d %H:%M:%S %Y %z").to_string())
}

#[cfg(test)]
mod tests {
    use super::date_of;

    #[test]
    fn shows_dates_as_git_does() {
        let shown = |written| date_of(written);
        assert_eq!(shown("1700000000 +0100").as_deref(), Some("Tue Nov 14 23:13:20 2023 +0100"));
        assert_eq!(shown("1700000000 -0530").as_deref(), Some("Tue Nov 14 16:43:20 2023 -0530"));
        assert_eq!(shown("0 +0000").as_deref(), Some("Thu Jan 1 00:00:00 1970 +0000"));
        for nonsense in ["", "1700000000", "x +0000", "1 +", "1 +é000", "99999999999999 +0000"] {
            assert_eq!(shown(nonsense), None, "{nonsense}");
        }
    }
}
