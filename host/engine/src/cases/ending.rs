//! How builds end: failures, names, and what is left behind.

use crate::{Error, Exit};
use sti_core::{PathFact, PathKind, Pull, progress::Silent};

use super::{
    Bench, Failure, Limit, User,
    stage::{Stage, holds_true, mounted, same},
};

pub(super) async fn tells_exit_code_and_last_lines_and_leaves_nothing(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "failing", User::Numeric).await;
    let source = stage.files(&[("a", "1")]);
    let first = stage.commit("write /app/x 1", vec![]);
    let places = vec![mounted(source, "/tmp/src")];
    let app = stage.commit("print one then eprint two then exit 7 then print never", places);
    match stage.try_execute(app).await? {
        Err(Error::StepFailed(failure)) => {
            same("exit", &failure.exit, &Exit::Code(7))?;
            same("step", &failure.step, &app)?;
            same("kept", &failure.kept, &None)?;
            let mut lines = failure.last_lines.clone();
            lines.sort();
            same("last lines", &lines, &["one", "two"].map(str::to_owned).to_vec())?;
        }
        other => return Err(Failure::new(format!("expected a failed step, and it is {other:?}, after {first:?}"))),
    }
    stage.engine.clean_up().await.map_err(Failure::new)?;
    same("what is left", &stage.left_by(stage.engine.build()).await?, &0)?;
    same("product", &stage.find(&stage.tag).await?, &None)
}

pub(super) async fn refuses_a_program_that_is_not_there(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "missing", User::Numeric).await;
    let app = stage.commit("print never", vec![]);
    if let sti_core::plan::Action::Run(run) = &mut stage.plan.steps[0].action {
        run.command = vec!["/usr/bin/missing".to_owned()];
    }
    match stage.try_execute(app).await? {
        Err(Error::NotRunnable { command, .. }) => same("command", &command.as_str(), &"/usr/bin/missing")?,
        other => return Err(Failure::new(format!("expected `NotRunnable`, and it is {other:?}"))),
    }
    stage.engine.clean_up().await.map_err(Failure::new)?;
    same("what is left", &stage.left_by(stage.engine.build()).await?, &0)
}

pub(super) async fn moves_a_tag_and_removes_only_what_no_name_needs(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "moving", User::Numeric).await;
    let app = stage.commit("write /app/x 1", vec![]);
    let first = stage.product(app).await?;
    holds_true("a tagged image stays", !stage.engine.remove_image(&first.id).await.map_err(Failure::new)?)?;
    stage.again();
    let app = stage.commit("write /app/x 2", vec![]);
    let second = stage.product(app).await?;
    holds_true("there are two images", first.id != second.id)?;
    stage.holds(&second, "/app/x", "2").await?;
    holds_true("the first goes", stage.engine.remove_image(&first.id).await.map_err(Failure::new)?)?;
    stage.holds(&second, "/app/x", "2").await
}

pub(super) async fn sweeps_the_dead_and_spares_the_tagged(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "sweeping", User::Numeric).await;
    let kept = stage.commit("write /app/x 1", vec![]);
    let lost = stage.commit("write /app/x 2", vec![]);
    let outcome = stage.execute(kept).await?;
    let image = |step| outcome.images.get(&step).cloned().ok_or_else(|| Failure::new("a step has no image"));
    stage.engine.tag(&image(kept)?, &stage.tag).await.map_err(Failure::new)?;
    holds_true("the two images differ", image(kept)? != image(lost)?)?;
    // Nobody cleans up: the build has died here.
    let dead = stage.engine.build().clone();
    holds_true("something is left", stage.left_by(&dead).await? > 0)?;
    let other = bench.engine();
    same(
        "what its own eyes see",
        &stage.engine.leftovers().await.map_err(Failure::new)?.iter().any(|own| own.build == dead),
        &false,
    )?;
    holds_true("something goes", other.sweep(&dead).await.map_err(Failure::new)? > 0)?;
    same("what is left", &stage.left_by(&dead).await?, &0)?;
    let product = stage.find(&stage.tag).await?.ok_or_else(|| Failure::new("the product is gone"))?;
    stage.holds(&product, "/app/x", "1").await
}

pub(super) async fn cleans_up_what_was_not_tagged(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "untagged", User::Numeric).await;
    let empty = stage.content(sti_core::plan::Content::Empty);
    let app = stage.commit("write /tmp/artifacts/x 1", vec![mounted(empty, "/tmp/artifacts")]);
    stage.execute(app).await?;
    stage.engine.clean_up().await.map_err(Failure::new)?;
    stage.engine.clean_up().await.map_err(Failure::new)?;
    same("what is left", &stage.left_by(stage.engine.build()).await?, &0)
}

pub(super) async fn answers_about_paths_of_an_image(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "paths", User::Root).await;
    let words =
        "write /app/real/file 12345 then chmod 4750 /app/real/file then link real /app/link then link /gone /app/dangling";
    let app = stage.commit(words, vec![]);
    let product = stage.product(app).await?;
    let paths = ["/app/link/file", "/nothing/here", "/app/link", "/app/dangling", "/app/real/file"].map(str::to_owned);
    let facts = stage.engine.look_at(&product, &paths).await.map_err(Failure::new)?;
    let size = |fact: &PathFact| if fact.kind == PathKind::File { fact.size } else { 0 };
    let seen: Vec<_> = facts.iter().map(|fact| (fact.path.as_str(), fact.kind, fact.mode, size(fact))).collect();
    let mut expected = vec![
        ("/app/link/file", PathKind::File, 0o4750, 5),
        ("/app/link", PathKind::Directory, 0o755, 0),
        ("/app/dangling", PathKind::Symlink, 0o777, 0),
        ("/app/real/file", PathKind::File, 0o4750, 5),
    ];
    if bench.is_limited(Limit::SeesNoDanglingLink) {
        expected.retain(|(_, kind, ..)| *kind != PathKind::Symlink);
    }
    same("facts", &seen, &expected)?;
    stage.holds(&product, "/app/link/file", "12345").await?;
    let read = |path: &'static str, limit| stage.engine.read(&product, path, limit);
    same("a directory", &read("/app/real", 9).await.map_err(Failure::new)?, &None)?;
    same("nothing", &read("/nothing/here", 9).await.map_err(Failure::new)?, &None)?;
    holds_true("a file beyond the limit is an error", read("/app/real/file", 4).await.is_err())
}

pub(super) async fn finds_no_image_that_is_not_there(bench: &dyn Bench) -> Result<(), Failure> {
    let missing = bench.tag("nowhere");
    let found = bench.engine().inspect(&missing, Pull::Never, &Silent).await.map_err(Failure::new)?;
    same("what is found", &found, &None)
}
