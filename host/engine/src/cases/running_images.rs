//! An image that is run as it says itself, and how that ends.

use std::{future, time::Duration};

use futures_util::FutureExt;
use sti_core::{
    ImageId, Variable,
    plan::{Action, ImageChanges, Network, StepId},
};

use super::{
    Bench, Failure, User,
    stage::{Stage, command, holds_true, run, same},
};
use crate::{Error, Exit, ImageRun, RunEnd};

/// A step that makes an image whose entrypoint is the fixture, with these words.
fn that_says(stage: &mut Stage<'_>, words: &str) -> StepId {
    let mut run = run("write /app/x 1", vec![]);
    run.commit = Some(ImageChanges {
        entrypoint: Some(command("")),
        command: Some(words.split_whitespace().map(str::to_owned).collect()),
        environment: vec![Variable::new("WISH", "of the image")],
        ..ImageChanges::default()
    });
    let base = stage.base();
    stage.step(base, Action::Run(run))
}

async fn run_to_end(stage: &Stage<'_>, image: &ImageId, stop: impl Future<Output = ()> + Send) -> Result<RunEnd, Error> {
    let (name, network) = (stage.tag.written(), Network::None);
    let ended = stage.engine.run_image(ImageRun { image, name, network, progress: &stage.told, stop: stop.boxed() }).await;
    stage.engine.clean_up().await?;
    ended
}

pub(super) async fn runs_an_image_as_it_says_itself(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "as-it-says", User::Numeric).await;
    let app = that_says(&mut stage, "whoami /tmp/who then cat /tmp/who then env WISH /tmp/wish then cat /tmp/wish then exit 3");
    let image = stage.product(app).await?.id;
    let ended = run_to_end(&stage, &image, future::pending()).await.map_err(Failure::new)?;
    same("exit", &ended.exit, &Exit::Code(3))?;
    let lines = stage.told.lines_of_images();
    holds_true(&lines[0], lines[0].starts_with("uid=431 gid=433 ") && lines[0].ends_with(" cwd=/app"))?;
    same("variable", &lines[1].as_str(), &"of the image")?;
    same("last lines", &ended.last_lines, &lines)?;
    same("what is left", &stage.left_by(stage.engine.build()).await?, &0)?;
    stage.lacks(&stage.find(&stage.tag).await?.ok_or_else(|| Failure::new("the image is gone"))?, "/tmp/who").await
}

pub(super) async fn stops_an_image_that_runs_on(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "runs-on", User::Numeric).await;
    let app = that_says(&mut stage, "print before then sleep 100");
    let image = stage.product(app).await?.id;
    let begun = std::time::Instant::now();
    // Told once it runs: how long that takes is the engine's to say.
    let soon = async {
        while stage.told.lines_of_images().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    run_to_end(&stage, &image, soon).await.map_err(Failure::new)?;
    same("lines", &stage.told.lines_of_images(), &vec!["before".to_owned()])?;
    holds_true("it ended soon", begun.elapsed() < Duration::from_mins(1))?;
    same("what is left", &stage.left_by(stage.engine.build()).await?, &0)
}

pub(super) async fn tells_of_an_image_that_cannot_run(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "cannot-run", User::Numeric).await;
    let app = that_says(&mut stage, "print never");
    if let Some(changes) = stage.plan.steps[0].changes_mut() {
        changes.entrypoint = Some(vec!["/usr/bin/missing".to_owned()]);
    }
    let image = stage.product(app).await?.id;
    match run_to_end(&stage, &image, future::pending()).await {
        Err(Error::NotRunnable { command, .. }) => same("command", &command.as_str(), &"/usr/bin/missing")?,
        other => return Err(Failure::new(format!("expected `NotRunnable`, and it is {other:?}"))),
    }
    same("what is left", &stage.left_by(stage.engine.build()).await?, &0)
}
