//! `--run`: a product that was built runs as a container of it runs anywhere, until it ends or is told to.

use std::sync::{Arc, atomic::Ordering};

use futures_util::FutureExt;
use sti_core::Progress;
use sti_engine::{Error, Exit, ImageRun};

use super::{BuildResult, error::StiError};
use crate::Host;

/// Runs a product by its own entrypoint and command, as its own user, and with the network that its build had. None of its ports is
/// published. What it prints is told as [`Event::RunOutput`](sti_core::Event::RunOutput); once `stop` is done it is asked to end, and
/// killed where it does not within seconds. Its container is gone when this returns.
///
/// # Errors
/// [`StiError::RunFailed`] where it cannot be run, or does not end with 0; where it was stopped, however it ended.
pub async fn run_product(
    product: &BuildResult,
    stop: impl Future<Output = ()> + Send,
    host: &Host,
    progress: Arc<dyn Progress>,
) -> Result<(), StiError> {
    let lock = host.begin(progress.as_ref()).await?;
    // The names were given: who breaks this off breaks off the run, and waits for nothing.
    host.delivering.store(false, Ordering::SeqCst);
    let name = product.tag.written();
    let run = ImageRun { image: &product.image, name, network: product.network, progress: progress.as_ref(), stop: stop.boxed() };
    let ended = host.engine.run_image(run).await;
    host.end(lock, progress.as_ref()).await;
    match ended {
        Ok(end) if end.exit == Exit::Code(0) => Ok(()),
        Ok(end) => {
            let what = format!("the product {}", end.exit.told_of(name));
            Err(StiError::RunFailed { what, exit: Some(end.exit), last_lines: end.last_lines })
        }
        Err(error @ Error::NotRunnable { .. }) => {
            Err(StiError::RunFailed { what: error.to_string(), exit: None, last_lines: Vec::new() })
        }
        Err(error) => Err(error.into()),
    }
}
