//! Labels that record how a product was built, so that `sti rebuild` can build it again: what was named on the command line, as far as it
//! is not in the image already. Of variables and labels only the names are recorded, and of secrets nothing at all.

use serde_json::{Map, Value};
use sti_core::{
    Incremental, Plan, Variable,
    plan::{Base, Network},
};

use super::{
    fetching::{Source, SourceAddress},
    request::{BuildRequest, StrategyChoice},
};
use crate::FetcherChoice;

/// Names of labels, which whoever reads them takes from here.
pub(crate) mod names {
    pub(crate) const ASSEMBLE_RUNTIME_USER: &str = "io.sti.build.assemble-runtime-user";
    pub(crate) const ASSEMBLE_USER: &str = "io.sti.build.assemble-user";
    pub(crate) const BUILDER_ID: &str = "io.sti.build.builder-id";
    pub(crate) const CHECKSUM: &str = "io.sti.build.checksum";
    /// The digest of a strategy that came from a file.
    pub(crate) const COMPONENT: &str = "io.sti.build.component";
    pub(crate) const CONTRACT: &str = "io.sti.build.contract";
    pub(crate) const DESTINATION: &str = "io.sti.build.destination";
    /// A list of names: the values are in the image.
    pub(crate) const ENVIRONMENT: &str = "io.sti.build.environment";
    pub(crate) const FETCHER: &str = "io.sti.build.fetcher";
    pub(crate) const FETCH_SETTINGS: &str = "io.sti.build.fetch-settings";
    pub(crate) const INCREMENTAL: &str = "io.sti.build.incremental";
    /// A list of names: the values are in the image.
    pub(crate) const LABELS: &str = "io.sti.build.labels";
    pub(crate) const NETWORK: &str = "io.sti.build.network";
    pub(crate) const REFERENCE: &str = "io.sti.build.ref";
    pub(crate) const RUNTIME_ARTIFACTS: &str = "io.sti.build.runtime-artifacts";
    pub(crate) const RUNTIME_IMAGE: &str = "io.sti.build.runtime-image";
    pub(crate) const SCRIPTS_URL: &str = "io.sti.build.scripts-url";
    pub(crate) const SETTINGS: &str = "io.sti.build.settings";
    pub(crate) const STRATEGY: &str = "io.sti.build.strategy";
}

/// The labels of a plan's product that say how it was asked for. What was left out has none.
pub(super) fn labels(plan: &Plan, request: &BuildRequest) -> Vec<Variable> {
    let wishes = &request.wishes;
    let builder = request.builder_image.canonical();
    let id = plan.steps.iter().find_map(|step| match &step.base {
        Base::Image { reference, id, .. } if reference.canonical() == builder => Some(id.to_string()),
        _ => None,
    });
    let (strategy, component) = match &request.strategy {
        StrategyChoice::Named(name) => (Some(name.clone()), None),
        StrategyChoice::File { .. } => (None, Some(plan.author.digest.clone())),
    };
    let mut found = vec![
        (names::ASSEMBLE_RUNTIME_USER, wishes.assemble_runtime_user.clone()),
        (names::ASSEMBLE_USER, wishes.assemble_user.clone()),
        (names::BUILDER_ID, id),
        (names::COMPONENT, component),
        (names::CONTRACT, request.contract.clone()),
        (names::DESTINATION, wishes.destination.clone()),
        (names::ENVIRONMENT, list(request.environment.iter().map(|variable| variable.name.as_str()))),
        (names::INCREMENTAL, incremental(wishes.incremental)),
        (names::LABELS, list(request.labels.iter().map(|label| label.name.as_str()))),
        (names::NETWORK, (request.network == Network::None).then(|| "none".to_owned())),
        (names::RUNTIME_ARTIFACTS, list(wishes.runtime_artifacts.iter().map(String::as_str))),
        (names::RUNTIME_IMAGE, request.runtime_image.as_ref().map(sti_core::Reference::canonical)),
        (names::SCRIPTS_URL, wishes.scripts_url.clone()),
        (names::SETTINGS, table(&request.settings)),
        (names::STRATEGY, strategy),
    ];
    if let Source::Address { address, .. } = &request.source {
        found.extend(of_fetch(address));
    }
    found.into_iter().filter_map(|(name, value)| Some(Variable::new(name, value?))).collect()
}

/// How the source was fetched. Which hosts it may reach is for each user to say anew.
fn of_fetch(address: &SourceAddress) -> [(&'static str, Option<String>); 4] {
    let fetcher = match &address.fetcher {
        FetcherChoice::Named(name) => Some(name.clone()),
        FetcherChoice::ByAddress | FetcherChoice::File { .. } => None,
    };
    [
        (names::CHECKSUM, address.checksum.as_ref().map(|digits| format!("sha256:{digits}"))),
        (names::FETCHER, fetcher),
        (names::FETCH_SETTINGS, table(&address.settings)),
        (names::REFERENCE, address.reference.clone()),
    ]
}

fn incremental(incremental: Incremental) -> Option<String> {
    match incremental {
        Incremental::AsUsual => None,
        Incremental::Wanted => Some("wanted".to_owned()),
        Incremental::Required => Some("require".to_owned()),
    }
}

/// JSON, because any word may stand in a list.
fn list<'a>(words: impl Iterator<Item = &'a str>) -> Option<String> {
    let words: Vec<_> = words.map(Value::from).collect();
    (!words.is_empty()).then(|| Value::from(words).to_string())
}

fn table(pairs: &[Variable]) -> Option<String> {
    let pairs: Map<_, _> = pairs.iter().map(|pair| (pair.name.clone(), Value::from(pair.value.clone()))).collect();
    (!pairs.is_empty()).then(|| Value::from(pairs).to_string())
}
