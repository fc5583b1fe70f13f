//! `--callback-url`: the address read, and the end of a build told there.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use sti_core::{Progress, Pull, progress::Level};
use tokio::time::timeout;

use super::{args::BuildCommand, interrupt::Interrupts, scratch, surroundings, web};
use crate::{
    BuildResult, Host, StiError,
    web::{BuildReport, Callback},
};

/// So long is tried to tell it.
const PATIENCE: Duration = Duration::from_secs(30);
/// So long where the user wants to go.
const IN_A_HURRY: Duration = Duration::from_secs(5);

/// Reads `--callback-url`, and holds it against the policy before any work is done.
pub(super) fn read(command: &BuildCommand) -> Result<Option<Callback>, StiError> {
    let Some(given) = &command.callback_url else { return Ok(None) };
    let (address, login) = sti_network::clean(given);
    let policy = surroundings::read_policy(command.what.place.policy.as_deref())?;
    let ca_cert: Option<&Path> = command.what.fetching.ca_cert.as_deref();
    Callback::new(address, &policy, web::of_callback(login, ca_cert)?, Arc::new(scratch::spool()?)).map(Some)
}

/// Tells how a build ended. Whoever does not take it changes nothing of that: it is a warning.
pub(super) async fn tell(
    callback: &Callback,
    (tag, took): (&str, Duration),
    built: Result<(&BuildResult, &Host), &StiError>,
    progress: &Arc<dyn Progress>,
) {
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let blank = BuildReport {
        success: false,
        labels: BTreeMap::new(),
        tag: tag.to_owned(),
        image: None,
        condition: None,
        message: None,
        milliseconds,
    };
    let report = match built {
        Ok((product, host)) => {
            let (labels, image) = (labels_of(product, host, progress.as_ref()).await, Some(product.image.to_string()));
            BuildReport { success: true, labels, image, ..blank }
        }
        Err(error) => BuildReport { condition: Some(error.condition().name), message: Some(error.to_string()), ..blank },
    };
    let limit = if matches!(built, Err(StiError::Interrupted { .. })) { IN_A_HURRY } else { PATIENCE };
    let failure = match send(callback, &report, limit, progress).await {
        Ok(status) if (200..300).contains(&status) => {
            return progress.say(Level::Debug, format!("told {} how the build ended (status {status})", callback.shown()));
        }
        Ok(status) => format!("it answers with status {status}"),
        Err(why) => why,
    };
    progress.say(Level::Warning, format!("{} was not told how the build ended: {failure}", callback.shown()));
}

async fn send(callback: &Callback, report: &BuildReport, limit: Duration, progress: &Arc<dyn Progress>) -> Result<u16, String> {
    let mut interrupts = Interrupts::listen().map_err(|error| error.to_string())?;
    let sending = timeout(limit, callback.send(report, Arc::clone(progress)));
    match interrupts.unless(async { Ok(sending.await) }).await {
        Ok(Ok(sent)) => sent.map_err(|problem| problem.to_string()),
        Ok(Err(_)) => Err(format!("it took longer than {} seconds", limit.as_secs())),
        Err(error) => Err(error.to_string()),
    }
}

/// The labels of a product, as its name leads to it now. Where the engine does not answer any more, there are none to tell.
async fn labels_of(product: &BuildResult, host: &Host, progress: &dyn Progress) -> BTreeMap<String, String> {
    let found = host.engine.inspect(&product.tag, Pull::Never, progress).await;
    let facts = found.ok().flatten().filter(|facts| facts.id == product.image);
    facts.into_iter().flat_map(|facts| facts.labels).map(|label| (label.name, label.value)).collect()
}
