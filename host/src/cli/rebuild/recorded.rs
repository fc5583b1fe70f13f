//! What the labels of a product record of its build.

use serde::de::DeserializeOwned;
use sti_core::{ImageFacts, Variable};

use crate::{StiError, pipeline::recorded::names};

const IMAGE: &str = "io.openshift.s2i.build.image";
const LOCATION: &str = "io.openshift.s2i.build.source-location";
const CONTEXT_DIR: &str = "io.openshift.s2i.build.source-context-dir";
const COMMIT_REF: &str = "io.openshift.s2i.build.commit.ref";

/// What was named when a product was built, as far as its labels say.
#[derive(Debug)]
pub(super) struct Recorded {
    /// The builder image.
    pub(super) builder: String,
    /// The source.
    pub(super) location: String,
    /// The part of it.
    pub(super) context_dir: Option<String>,
    /// Branch, tag or commit.
    pub(super) reference: Option<String>,
    /// The digest of a strategy that came from a file.
    pub(super) component: Option<String>,
    /// Flags with one value each, by the name of their field.
    pub(super) flags: Vec<(&'static str, &'static str, String)>,
    /// What an extended build takes of the builder.
    pub(super) runtime_artifacts: Vec<String>,
    /// Settings of the strategy.
    pub(super) settings: Vec<Variable>,
    /// Settings of the fetcher.
    pub(super) fetch_settings: Vec<Variable>,
    /// Labels that the user gave, with the image's values.
    pub(super) labels: Vec<Variable>,
    /// Variables that the user gave, with the image's values.
    pub(super) environment: Vec<Variable>,
}

/// Flags with one value each: the name of the field, the flag, and the label.
const FLAGS: &[(&str, &str, &str)] = &[
    ("strategy", "--strategy", names::STRATEGY),
    ("contract", "--contract", names::CONTRACT),
    ("scripts_url", "--scripts-url", names::SCRIPTS_URL),
    ("destination", "--destination", names::DESTINATION),
    ("assemble_user", "--assemble-user", names::ASSEMBLE_USER),
    ("assemble_runtime_user", "--assemble-runtime-user", names::ASSEMBLE_RUNTIME_USER),
    ("runtime", "--runtime", names::RUNTIME_IMAGE),
    ("incremental", "--incremental", names::INCREMENTAL),
    ("network", "--network", names::NETWORK),
    ("fetcher", "--fetcher", names::FETCHER),
    ("checksum", "--checksum", names::CHECKSUM),
];

impl Recorded {
    /// Reads the labels of an image.
    ///
    /// # Errors
    /// Where it bears none that say how it was built, or one that cannot be read.
    pub(super) fn of(facts: &ImageFacts) -> Result<Self, StiError> {
        let label = |name: &str| facts.label(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let required = |name| label(name).ok_or_else(|| not_built(facts, name));
        let (builder, location) = (required(IMAGE)?, required(LOCATION)?);
        let flags = FLAGS.iter().filter_map(|(field, flag, name)| Some((*field, *flag, label(name)?))).collect();
        let names_of = |name: &str| read::<Vec<String>>(facts, name);
        let of_image = |name: &String| facts.environment.iter().find(|variable| variable.name == *name).cloned();
        let is_ours = label(names::STRATEGY).or_else(|| label(names::COMPONENT)).is_some();
        Ok(Self {
            builder,
            location,
            context_dir: label(CONTEXT_DIR).filter(|directory| directory != "."),
            // Ours records what was asked for, and s2i what came of it.
            reference: label(names::REFERENCE).or_else(|| label(COMMIT_REF).filter(|_| !is_ours)),
            component: label(names::COMPONENT),
            flags,
            runtime_artifacts: names_of(names::RUNTIME_ARTIFACTS)?,
            settings: pairs(facts, names::SETTINGS)?,
            fetch_settings: pairs(facts, names::FETCH_SETTINGS)?,
            labels: names_of(names::LABELS)?.into_iter().filter_map(|name| Some(Variable::new(&name, label(&name)?))).collect(),
            environment: names_of(names::ENVIRONMENT)?.iter().filter_map(of_image).collect(),
        })
    }

    /// The value of a flag.
    pub(super) fn flag(&self, field: &str) -> Option<&str> {
        self.flags.iter().find(|(of, ..)| *of == field).map(|(.., value)| value.as_str())
    }
}

fn pairs(facts: &ImageFacts, name: &str) -> Result<Vec<Variable>, StiError> {
    let table = read::<std::collections::BTreeMap<String, String>>(facts, name)?;
    Ok(table.into_iter().map(|(name, value)| Variable::new(name, value)).collect())
}

/// What a label holds in JSON; nothing where there is no such label.
fn read<T: DeserializeOwned + Default>(facts: &ImageFacts, name: &str) -> Result<T, StiError> {
    let Some(value) = facts.label(name) else { return Ok(T::default()) };
    serde_json::from_str(value).map_err(|error| StiError::InvalidArgument {
        what: format!("the label `{name}` of `{}` cannot be read: {error}", facts.reference),
        hint: Some("build it with `sti build SOURCE BUILDER_IMAGE TAG` instead".to_owned()),
    })
}

fn not_built(facts: &ImageFacts, missing: &str) -> StiError {
    let image = &facts.reference;
    StiError::InvalidArgument {
        what: format!("`{image}` does not say how it was built: it has no label `{missing}`"),
        hint: Some(format!("what `sti` or `s2i` has built says so; else: sti build SOURCE BUILDER_IMAGE {image}")),
    }
}
