//! Directories of which nothing is committed, and steps that may fail.

use sti_core::plan::{
    Action, Base, Build, Content, ContentId, Copied, ImageChanges, Instruction, Network, OnFailure, Run, StepId,
};

use super::{
    Bench, Failure, User,
    stage::{Stage, base, holds_true, mounted, run, same},
};
use crate::Error;

pub(super) async fn forgets_what_is_in_a_transient_directory(bench: &dyn Bench) -> Result<(), Failure> {
    for user in User::ALL {
        let (uid, gid) = user.ids();
        let mut stage = Stage::new(bench, &format!("transient-{uid}"), user).await;
        let source = stage.files(&[("sub/a", "1")]);
        let words = "list /tmp/src /app/list then append /tmp/src/sub/a 2 then copy /tmp/src/sub /app/sub then remove /tmp/src then \
                     write /tmp/left 1 then write /tmp/src 3";
        let app = transient(&mut stage, words, &[(source, "/tmp/src")]);
        let product = stage.product(app).await?;
        stage.holds(&product, "/app/sub/a", "12").await?;
        let listing = format!("d 0755 {uid}:{gid} - .\nd 0755 {uid}:{gid} - sub\nf 0644 {uid}:{gid} 1 sub/a\n");
        stage.holds(&product, "/app/list", &listing).await?;
        for path in ["/tmp/left", "/tmp/src"] {
            stage.lacks(&product, path).await?;
        }
        let [temporary] = &stage.engine.look_at(&product, &["/tmp".to_owned()]).await.map_err(Failure::new)?[..] else {
            return Err(Failure::new("the image has lost its `/tmp`"));
        };
        same("mode of `/tmp`", &temporary.mode, &0o1777)?;
    }
    Ok(())
}

pub(super) async fn begins_a_transient_directory_as_the_image_has_it(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "transient-begins", User::Numeric).await;
    let first = stage.commit("write /tmp/own/x 1", vec![]);
    let source = stage.files(&[("a", "2")]);
    let words = "append /tmp/own/x 2 then copy /tmp/own/x /app/x then copy /tmp/src/a /app/a then remove /tmp/own";
    let base = Base::Step { step: first };
    let app = stage.step(base, Action::Run(with_transient(words, &[(source, "/tmp/src")])));
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/x", "12").await?;
    stage.holds(&product, "/app/a", "2").await?;
    stage.holds(&product, "/tmp/own/x", "1").await
}

pub(super) async fn captures_from_a_transient_directory(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "transient-captured", User::Numeric).await;
    let source = stage.files(&[("a", "1")]);
    let first = transient(&mut stage, "append /tmp/src/a 2 then copy /tmp/src /tmp/out", &[(source, "/tmp/src")]);
    let out = stage.capture(first, "/tmp/out");
    let app = stage.commit("copy /tmp/in/a /app/a", vec![mounted(out, "/tmp/in")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/a", "12").await
}

pub(super) async fn puts_output_where_it_can_be_removed(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "transient-output", User::Numeric).await;
    let save = stage.run("write /app/t/sub/x 1 then link sub/x /app/t/l then tar /app/t", vec![]);
    let output = stage.content(Content::Output { step: save });
    let source = stage.files(&[("a", "1")]);
    let runtime = stage.image(User::Named).await;
    let words = "list /tmp/artifacts /app/list then copy /tmp/artifacts/sub/x /app/x then remove /tmp/artifacts then \
                 copy /tmp/src/a /app/a then remove /tmp/src then write /tmp/artifacts/left 1";
    let places = [(output, "/tmp/artifacts"), (source, "/tmp/src")];
    let app = stage.step(runtime, Action::Run(with_transient(words, &places)));
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/x", "1").await?;
    stage.holds(&product, "/app/a", "1").await?;
    let listing = "d 0755 1001:1002 - .\nl 0777 1001:1002 sub/x l\nd 0755 1001:1002 - sub\nf 0644 1001:1002 1 sub/x\n";
    stage.holds(&product, "/app/list", listing).await?;
    stage.lacks(&product, "/tmp/artifacts").await
}

pub(super) async fn puts_output_of_one_step_to_several_places(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "transient-outputs", User::Numeric).await;
    let save = stage.run("write /app/t/x 1 then tar /app/t", vec![]);
    let output = stage.content(Content::Output { step: save });
    let other = stage.run("write /app/t/y 2 then tar /app/t", vec![]);
    let other = stage.content(Content::Output { step: other });
    let words = "copy /tmp/one/x /app/x then copy /tmp/two/x /app/again then copy /tmp/other/y /app/y then remove /tmp/one";
    let app = transient(&mut stage, words, &[(output, "/tmp/one"), (output, "/tmp/two"), (other, "/tmp/other")]);
    let product = stage.product(app).await?;
    for (path, text) in [("/app/x", "1"), ("/app/again", "1"), ("/app/y", "2")] {
        stage.holds(&product, path, text).await?;
    }
    Ok(())
}

pub(super) async fn goes_on_without_a_step_that_may_fail(bench: &dyn Bench) -> Result<(), Failure> {
    // A failure, a part of a tar before a failure, no tar at all, a program that is not there.
    let failing = ["exit 3", "write /app/t/x 1 then tar /app/t then exit 4", "print this-is-text-and-no-archive", ""];
    for (number, words) in failing.iter().enumerate() {
        let mut stage = Stage::new(bench, &format!("tolerated-{number}"), User::Numeric).await;
        let save = stage.run(words, vec![]);
        if let Some(Action::Run(run)) = stage.plan.steps.last_mut().map(|step| &mut step.action) {
            run.on_failure = OnFailure::GoOn;
            if words.is_empty() {
                run.command = vec!["/usr/bin/missing".to_owned()];
            }
        }
        let output = stage.content(Content::Output { step: save });
        let source = stage.files(&[("a", "1")]);
        let words = "absent /tmp/artifacts then copy /tmp/src/a /app/a";
        let first = transient(&mut stage, words, &[(output, "/tmp/artifacts"), (source, "/tmp/src")]);
        // What is a mount is there all the same, with nothing in it.
        let again = with_mounts("list /tmp/in /app/list then write /tmp/in/x 1", &[(output, "/tmp/in")]);
        let app = stage.step(Base::Step { step: first }, Action::Run(again));
        let product = stage.product(app).await?;
        stage.holds(&product, "/app/a", "1").await?;
        stage.holds(&product, "/app/list", "d 0755 431:433 - .\n").await?;
        let warnings = stage.told.warnings();
        let is_told = matches!(&warnings[..], [only] if only.contains("the build goes on without what `step 1` should leave: "));
        holds_true(&format!("the user is warned once: {warnings:?}"), is_told)?;
    }
    Ok(())
}

pub(super) async fn copies_nothing_of_a_step_that_may_fail(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "tolerated-copy", User::Numeric).await;
    let save = stage.run("exit 3", vec![]);
    if let Some(Action::Run(run)) = stage.plan.steps.last_mut().map(|step| &mut step.action) {
        run.on_failure = OnFailure::GoOn;
    }
    let output = stage.content(Content::Output { step: save });
    let source = stage.files(&[("a", "1")]);
    let copy = |content, at: &str| Instruction::Copy(Copied { content, at: at.to_owned(), owner: None });
    let instructions = vec![copy(output, "/app/artifacts"), copy(source, "/app/src")];
    let build = Build { triggers: None, instructions, network: Network::None, changes: ImageChanges::default() };
    let base = stage.base();
    let app = stage.step(base, Action::Build(build));
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/src/a", "1").await?;
    stage.lacks(&product, "/app/artifacts").await
}

pub(super) async fn puts_nothing_through_a_link_below_a_transient_directory(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "transient-link", User::Numeric).await;
    let first = stage.commit("link /etc /tmp/src", vec![]);
    let linked = stage.product(first).await?;
    for is_output in [false, true] {
        stage.again_as(&format!("transient-linked-{is_output}"));
        let content = if is_output {
            let save = stage.run("write /app/t/passwd 1 then tar /app/t", vec![]);
            stage.content(Content::Output { step: save })
        } else {
            stage.files(&[("passwd", "1")])
        };
        let base = base(&linked);
        let app = stage.step(base, Action::Run(with_transient("print never", &[(content, "/tmp/src")])));
        match stage.try_execute(app).await? {
            Err(Error::Detour { at, link, .. }) => {
                same("what is refused", &(at.as_str(), link.as_str()), &("/tmp/src", "/tmp/src"))?;
            }
            other => return Err(Failure::new(format!("it is not refused: {other:?}"))),
        }
        holds_true("nothing has run", !stage.told.lines().contains(&"never".to_owned()))?;
        stage.engine.clean_up().await.map_err(Failure::new)?;
        same("what is left", &stage.left_by(stage.engine.build()).await?, &0)?;
    }
    Ok(())
}

fn transient(stage: &mut Stage<'_>, words: &str, places: &[(ContentId, &str)]) -> StepId {
    let base = stage.base();
    stage.step(base, Action::Run(with_transient(words, places)))
}

fn with_transient(words: &str, places: &[(ContentId, &str)]) -> Run {
    Run { transient: vec!["/tmp".to_owned()], ..with_mounts(words, places) }
}

fn with_mounts(words: &str, places: &[(ContentId, &str)]) -> Run {
    run(words, places.iter().map(|(content, at)| mounted(*content, at)).collect())
}
